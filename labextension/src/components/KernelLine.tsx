import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IKernelOutlook } from '../documents';
import { Hint } from './DiagnosticItem';

interface IProps {
  readonly outlook: IKernelOutlook | null;
  readonly trans: TranslationBundle;
}

/**
 * Which kernel a build would run; what it lacks stands out as a warning with its remedy.
 */
export function KernelLine({ outlook, trans }: IProps): React.JSX.Element | null {
  if (outlook === null) {
    return null;
  }
  const { problem, hint, sentence } = outlook;
  if (problem === null) {
    return (
      <p className="nb2prod-Kernel nb2prod-Quiet">
        <span className="nb2prod-Kernel-label">{trans.__('Kernel')}</span> {sentence}
      </p>
    );
  }
  return (
    <div className="nb2prod-Kernel nb2prod-Diagnostic" data-severity="warning" role="status">
      <p>
        <strong>{trans.__('Kernel')}</strong> {sentence}
      </p>
      {!sentence.includes(problem) && <p>{problem}</p>}
      {hint !== null && hint !== '' && <Hint text={hint} />}
    </div>
  );
}

import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { CheckState } from '../checks';
import type { ICheck, IFix } from '../documents';
import { DiagnosticItem, Hint } from './DiagnosticItem';
import { Group } from './Group';
import type { OnGo } from './PlaceLink';

interface IProps {
  readonly state: CheckState;
  readonly check: ICheck | null;
  readonly trans: TranslationBundle;
  readonly onGo: OnGo;
  readonly onFix: (fix: IFix) => void;
  readonly onCheck: () => void;
  /** Which kernel a build would run. */
  readonly kernel?: React.ReactNode;
}

/**
 * What stands in the way of a build, as far as a forecast can tell.
 */
export function Problems({ state, check, trans, onGo, onFix, onCheck, kernel }: IProps): React.JSX.Element | null {
  if (state.kind === 'none') {
    return null;
  }
  // What is merely kept from training stands in the plan, under its name.
  const found = (check?.diagnostics ?? []).filter(item => item.severity !== 'info' || item.code.startsWith('N'));
  const errors = found.filter(item => item.severity === 'error').length;
  return (
    <Group
      name="problems"
      title={trans.__('Check')}
      aside={<CheckWord state={state} errors={errors} warnings={found.length - errors} trans={trans} />}
    >
      {state.kind === 'failed' && (
        <div className="nb2prod-Trouble" role="alert">
          <p>
            {state.offline
              ? trans.__('The server does not answer. The check goes on when it does.')
              : trans.__('The notebook could not be checked: %1', state.message)}
          </p>
          {state.hint !== '' && <Hint text={state.hint} />}
          <button className="nb2prod-Button" onClick={onCheck}>
            {trans.__('Check again')}
          </button>
        </div>
      )}
      {state.kind === 'checked' && state.stale && (
        <p className="nb2prod-Quiet">
          {trans.__('Edited since the last check.')}{' '}
          <button className="nb2prod-Link" onClick={onCheck}>
            {trans.__('Check now')}
          </button>
        </p>
      )}
      {check !== null && found.length === 0 && (
        <p className="nb2prod-Quiet">{trans.__('Nothing stands in the way of a build.')}</p>
      )}
      {found.map((item, index) => (
        <DiagnosticItem key={index} item={item} trans={trans} onGo={onGo} onFix={onFix} />
      ))}
      {kernel}
    </Group>
  );
}

interface IWordProps {
  readonly state: CheckState;
  readonly errors: number;
  readonly warnings: number;
  readonly trans: TranslationBundle;
}

function CheckWord({ state, errors, warnings, trans }: IWordProps): React.JSX.Element {
  const parts = [];
  if (errors > 0) {
    parts.push(trans._n('%1 error', '%1 errors', errors));
  }
  if (warnings > 0) {
    parts.push(trans._n('%1 warning', '%1 warnings', warnings));
  }
  const text = parts.length > 0 ? parts.join(', ') : trans.__('no problems');
  const severity = errors > 0 ? 'error' : warnings > 0 ? 'warning' : 'none';
  return (
    <span className="nb2prod-CheckWord" role="status" data-severity={severity} aria-busy={state.kind === 'checking'}>
      {state.kind === 'failed' ? trans.__('not checked') : text}
    </span>
  );
}

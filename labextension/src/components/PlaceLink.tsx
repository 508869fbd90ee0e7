import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IWhere } from '../plan';

export type OnGo = (cell: number, line: number | null) => void;

interface IProps extends IWhere {
  readonly trans: TranslationBundle;
  readonly onGo: OnGo;
}

/**
 * `cell 4, line 2`, as a way to get there; nothing where there is no place.
 */
export function PlaceLink({ cell, line, trans, onGo }: IProps): React.JSX.Element | null {
  if (cell === null) {
    return null;
  }
  return (
    <button
      className="nb2prod-Link"
      onClick={() => {
        onGo(cell, line);
      }}
    >
      {line === null ? trans.__('cell %1', cell) : trans.__('cell %1, line %2', cell, line)}
    </button>
  );
}

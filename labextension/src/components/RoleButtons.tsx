import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { type Role, ROLES } from '../roles';
import type { ICellEntry } from '../tokens';
import type { IRoleWords } from '../words';

interface IProps {
  /** The selected code cell, or null where there is none. */
  readonly cell: ICellEntry | null;
  readonly words: Record<Role, IRoleWords>;
  readonly trans: TranslationBundle;
  readonly onSetRole: (cell: ICellEntry, role: Role, on: boolean) => void;
}

/**
 * The selected cell, with a switch for each role.
 */
export function RoleButtons({ cell, words, trans, onSetRole }: IProps): React.JSX.Element {
  return (
    <div className="nb2prod-Selected" role="group" aria-label={trans.__('Roles of the selected cell')}>
      <div className="nb2prod-Selected-cell">
        {cell === null ? (
          <span className="nb2prod-Selected-none">{trans.__('Select a code cell to tag it')}</span>
        ) : (
          <>
            <span className="nb2prod-Selected-number">{trans.__('Cell %1', cell.number)}</span>
            <code className="nb2prod-Selected-title">{cell.title}</code>
          </>
        )}
      </div>
      <div className="nb2prod-Selected-roles">
        {ROLES.map(role => {
          const on = cell?.roles.includes(role) ?? false;
          return (
            <button
              key={role}
              className="nb2prod-RoleButton"
              data-nb2prod-role={role}
              aria-pressed={on}
              disabled={cell === null}
              title={words[role].meaning}
              onClick={() => {
                if (cell !== null) {
                  onSetRole(cell, role, !on);
                }
              }}
            >
              {words[role].tag}
            </button>
          );
        })}
      </div>
    </div>
  );
}

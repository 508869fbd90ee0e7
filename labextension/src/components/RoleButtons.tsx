import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { FIRST_ROLES, type Role, ROLES } from '../roles';
import type { ICellEntry } from '../tokens';
import type { IRoleWords } from '../words';

interface IProps {
  /** The selected code cell, or null where there is none. */
  readonly cell: ICellEntry | null;
  readonly words: Record<Role, IRoleWords>;
  readonly trans: TranslationBundle;
  readonly onSetRole: (cell: ICellEntry, role: Role, on: boolean) => void;
}

const OTHER_ROLES = ROLES.filter(role => !(FIRST_ROLES as readonly Role[]).includes(role));

/**
 * The selected cell, with a switch for each role: three at hand, the others behind *More*, or shown where the cell has one.
 */
export function RoleButtons({ cell, words, trans, onSetRole }: IProps): React.JSX.Element {
  const [isMore, setMore] = React.useState(false);
  const id = React.useId();
  const button = (role: Role): React.JSX.Element => (
    <RoleButton key={role} role={role} cell={cell} words={words} onSetRole={onSetRole} />
  );
  const others = OTHER_ROLES.filter(role => isMore || (cell?.roles.includes(role) ?? false));
  return (
    <div className="nb2prod-Selected" role="group" aria-label={trans.__('Roles of the selected cell')}>
      <div className="nb2prod-Selected-cell">
        {cell === null ? (
          <span className="nb2prod-Selected-none">{trans.__('Select a code cell to tag it')}</span>
        ) : (
          <>
            <span className="nb2prod-Selected-number">{trans.__('Cell %1', cell.number)}</span>
            <code className="nb2prod-Selected-title" title={cell.title}>
              {cell.title}
            </code>
          </>
        )}
      </div>
      <div className="nb2prod-Selected-roles">
        {FIRST_ROLES.map(button)}
        <button
          className="nb2prod-RoleButton nb2prod-RoleButton-more"
          aria-expanded={isMore}
          aria-controls={id}
          title={trans.__('Parameters, data and fallback')}
          onClick={() => {
            setMore(!isMore);
          }}
        >
          {isMore ? trans.__('Less') : trans.__('More')}
        </button>
      </div>
      <div className="nb2prod-Selected-roles nb2prod-Selected-others" id={id} hidden={others.length === 0}>
        {others.map(button)}
      </div>
    </div>
  );
}

interface IRoleProps extends Pick<IProps, 'cell' | 'words' | 'onSetRole'> {
  readonly role: Role;
}

function RoleButton({ role, cell, words, onSetRole }: IRoleProps): React.JSX.Element {
  const on = cell?.roles.includes(role) ?? false;
  return (
    <button
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
}

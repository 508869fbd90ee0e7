import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { Role } from '../roles';
import type { ICellEntry } from '../tokens';

interface IProps {
  /** null for the cells without a role. */
  readonly role: Role | null;
  readonly heading: string;
  readonly empty: string | null;
  readonly cells: readonly ICellEntry[];
  readonly activeId: string | null;
  readonly trans: TranslationBundle;
  readonly onJump: (cell: ICellEntry) => void;
}

/**
 * The cells of one role under its name; left out where it is empty and has nothing to say.
 */
export function Section(props: IProps): React.JSX.Element | null {
  const { role, heading, empty, cells, activeId, trans, onJump } = props;
  const headingId = React.useId();
  if (cells.length === 0 && empty === null) {
    return null;
  }
  return (
    <section className="nb2prod-Section" data-nb2prod-role={role ?? 'none'} aria-labelledby={headingId}>
      <h4 className="nb2prod-Section-heading" id={headingId}>
        {heading}
        {cells.length > 0 && (
          <span className="nb2prod-Section-count" aria-label={trans._n('%1 cell', '%1 cells', cells.length)}>
            {cells.length}
          </span>
        )}
      </h4>
      {cells.length === 0 ? (
        <p className="nb2prod-Section-empty">{empty}</p>
      ) : (
        <ul className="nb2prod-Section-cells">
          {cells.map(cell => (
            <Row key={cell.id} cell={cell} isActive={cell.id === activeId} trans={trans} onJump={onJump} />
          ))}
        </ul>
      )}
    </section>
  );
}

interface IRowProps {
  readonly cell: ICellEntry;
  readonly isActive: boolean;
  readonly trans: TranslationBundle;
  readonly onJump: (cell: ICellEntry) => void;
}

const Row = React.memo(function Row({ cell, isActive, trans, onJump }: IRowProps): React.JSX.Element {
  return (
    <li>
      <button
        className="nb2prod-Cell"
        aria-current={isActive ? 'true' : undefined}
        title={cell.title}
        onClick={() => {
          onJump(cell);
        }}
      >
        <span className="nb2prod-Cell-number" aria-label={trans.__('Cell %1', cell.number)}>
          {cell.number}
        </span>
        <code className="nb2prod-Cell-title">{cell.title === '' ? trans.__('(empty)') : cell.title}</code>
      </button>
    </li>
  );
});

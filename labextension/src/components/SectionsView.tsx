import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { type Role, ROLES } from '../roles';
import type { ICellEntry } from '../tokens';
import type { IRoleWords } from '../words';
import { Section } from './Section';

interface IProps {
  readonly cells: readonly ICellEntry[];
  readonly activeCell: ICellEntry | null;
  readonly words: Record<Role, IRoleWords>;
  readonly trans: TranslationBundle;
  readonly onJump: (cell: ICellEntry) => void;
}

/**
 * A notebook by role, in the order in which rows become predictions.
 */
export function SectionsView({ cells, activeCell, words, trans, onJump }: IProps): React.JSX.Element {
  const shared = { activeId: activeCell?.id ?? null, trans, onJump };
  return (
    <div className="nb2prod-Sections">
      {ROLES.map(role => (
        <Section
          key={role}
          role={role}
          heading={words[role].heading}
          empty={words[role].empty}
          cells={cells.filter(cell => cell.roles.includes(role))}
          {...shared}
        />
      ))}
      <Section
        role={null}
        heading={trans.__('No role')}
        empty={null}
        cells={cells.filter(cell => cell.roles.length === 0)}
        {...shared}
      />
    </div>
  );
}

/**
 * Shown in place of all else for a notebook that is not Python's.
 */
export function ForeignNotebook({ language, trans }: { readonly language: string; readonly trans: TranslationBundle }): React.JSX.Element {
  return (
    <div className="nb2prod-Placeholder">
      <h3>{trans.__('This notebook is in %1', language)}</h3>
      <p>{trans.__('nb2prod makes services of Python notebooks. This one stays as it is.')}</p>
    </div>
  );
}

/**
 * Shown where no notebook is in front.
 */
export function NoNotebook({ trans }: { readonly trans: TranslationBundle }): React.JSX.Element {
  return (
    <div className="nb2prod-Placeholder">
      <h3>{trans.__('No notebook')}</h3>
      <p>{trans.__('Open a notebook to tag the cells that make features, train and predict.')}</p>
    </div>
  );
}

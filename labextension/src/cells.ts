import type { ICellModel } from '@jupyterlab/cells';
import type { INotebookModel } from '@jupyterlab/notebook';

import { type Role, rolesOf, withRole } from './roles';
import type { ICellEntry } from './tokens';

const TAGS = 'tags';

/**
 * The code cells of a notebook, in its order.
 */
export function readCells(notebook: INotebookModel): ICellEntry[] {
  const entries: ICellEntry[] = [];
  let number = 0;
  for (const cell of notebook.cells) {
    number += 1;
    if (cell.type === 'code') {
      entries.push({
        id: cell.id,
        number,
        title: firstLine(cell.sharedModel.getSource()),
        roles: rolesOfCell(cell)
      });
    }
  }
  return entries;
}

/**
 * The roles that a cell's tags give it; a cell without code has none.
 */
export function rolesOfCell(cell: ICellModel): Role[] {
  return cell.type === 'code' ? rolesOf(tagsOf(cell)) : [];
}

/**
 * Switch one role of a cell on or off in the notebook's metadata, as one step that can be undone.
 */
export function writeRole(notebook: INotebookModel, cell: ICellModel, role: Role, on: boolean): void {
  const before = tagsOf(cell);
  if (before.includes(role) === on) {
    return;
  }
  const after = withRole(before, role, on);
  // A transaction of the notebook's, or its Undo would not know the change.
  notebook.sharedModel.transact(() => {
    if (after.length > 0) {
      cell.setMetadata(TAGS, after);
    } else {
      // A cell that never had a tag has no such key: taking the last one away gives the same file again.
      cell.deleteMetadata(TAGS);
    }
  });
}

function tagsOf(cell: ICellModel): string[] {
  const tags: unknown = cell.getMetadata(TAGS);
  return Array.isArray(tags) ? tags.filter(tag => typeof tag === 'string') : [];
}

/**
 * The first line of code; a comment only where there is nothing else, and without its marks.
 */
export function firstLine(source: string): string {
  const lines = source
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '');
  const code = lines.find(line => !line.startsWith('#'));
  return code ?? lines[0]?.replace(/^#+\s*/, '') ?? '';
}

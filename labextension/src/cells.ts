import type { ICellModel } from '@jupyterlab/cells';
import type { INotebookModel } from '@jupyterlab/notebook';
import type { JSONObject } from '@lumino/coreutils';

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
 * Switch one role of cells on or off in the notebook's metadata, as one step that can be undone.
 */
export function writeRole(notebook: INotebookModel, cells: readonly ICellModel[], role: Role, on: boolean): void {
  const changed = cells.filter(cell => cell.type === 'code' && tagsOf(cell).includes(role) !== on);
  edit(notebook, changed, cell => {
    writeTags(cell, withRole(tagsOf(cell), role, on));
  });
}

/**
 * Change cells as one step that can be undone; nothing at all for no cells.
 */
export function edit(notebook: INotebookModel, cells: readonly ICellModel[], change: (cell: ICellModel) => void): void {
  if (cells.length === 0) {
    return;
  }
  // A transaction of the notebook's, or its Undo would not know the change.
  notebook.sharedModel.transact(() => {
    cells.forEach(change);
  });
}

/**
 * Give a cell exactly these tags; call it within `edit`.
 */
export function writeTags(cell: ICellModel, tags: readonly string[]): void {
  if (tags.length > 0) {
    cell.setMetadata(TAGS, [...tags]);
  } else {
    // A cell that never had a tag has no such key: taking the last one away gives the same file again.
    cell.deleteMetadata(TAGS);
  }
}

export function tagsOf(cell: ICellModel): string[] {
  const tags: unknown = cell.getMetadata(TAGS);
  return Array.isArray(tags) ? tags.filter(tag => typeof tag === 'string') : [];
}

/**
 * What the server needs to know of a notebook: kernel, sources and tags. Outputs, which may be large, stay here.
 */
export function documentOf(notebook: INotebookModel): JSONObject {
  const metadata: JSONObject = {};
  for (const key of ['kernelspec', 'language_info']) {
    const value: unknown = notebook.getMetadata(key);
    if (value !== undefined && value !== null) {
      metadata[key] = value as JSONObject;
    }
  }
  const cells = [...notebook.cells].map((cell): JSONObject => {
    const tags = tagsOf(cell);
    return {
      cell_type: cell.type,
      id: cell.id,
      metadata: tags.length > 0 ? { tags } : {},
      source: cell.sharedModel.getSource()
    };
  });
  return { nbformat: notebook.nbformat, nbformat_minor: notebook.nbformatMinor, metadata, cells };
}

/**
 * The language of a notebook that is not Python's, as it names it; null for Python, and where nothing says.
 */
export function foreignLanguage(notebook: INotebookModel): string | null {
  const spec = notebook.getMetadata('kernelspec') as { language?: unknown } | undefined;
  const info = notebook.getMetadata('language_info') as { name?: unknown } | undefined;
  const named = [spec?.language, info?.name].find((name): name is string => typeof name === 'string' && name !== '');
  return named === undefined || /^i?python\d*$/i.test(named) ? null : named;
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

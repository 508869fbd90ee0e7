import { PathExt, ActivityMonitor } from '@jupyterlab/coreutils';
import { type INotebookModel, NotebookActions, type NotebookPanel } from '@jupyterlab/notebook';
import { JSONExt, type ReadonlyPartialJSONValue } from '@lumino/coreutils';
import { type ISignal, Signal } from '@lumino/signaling';

import { foreignLanguage, readCells, writeRole } from './cells';
import type { Role } from './roles';
import type { ICellEntry, ISectionsModel } from './tokens';

/** Wait for a pause in typing before the titles are read again, in milliseconds. */
const PAUSE = 150;

/**
 * The sections of one open notebook.
 */
export class SectionsModel implements ISectionsModel {
  constructor(panel: NotebookPanel) {
    this._panel = panel;
    this._monitor = new ActivityMonitor({ signal: panel.context.model.contentChanged, timeout: PAUSE });
    this._monitor.activityStopped.connect(this._refresh, this);
    panel.content.activeCellChanged.connect(this._refresh, this);
    panel.context.pathChanged.connect(this._refresh, this);
    panel.disposed.connect(this.dispose, this);
    void panel.context.ready.then(() => {
      this._refresh();
    });
  }

  get key(): string {
    return this._panel.id;
  }

  get title(): string {
    return PathExt.basename(this._panel.context.localPath);
  }

  get language(): string | null {
    return this._notebook === null ? null : foreignLanguage(this._notebook);
  }

  get cells(): readonly ICellEntry[] {
    return this._cells;
  }

  get activeCell(): ICellEntry | null {
    return this._cells.find(cell => cell.id === this._activeId) ?? null;
  }

  get changed(): ISignal<ISectionsModel, void> {
    return this._changed;
  }

  get isActive(): boolean {
    return this._isActive;
  }

  set isActive(value: boolean) {
    this._isActive = value;
    this._refresh();
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this._monitor.dispose();
    Signal.clearData(this);
  }

  async jumpTo(cell: ICellEntry): Promise<void> {
    const index = this._indexOf(cell);
    if (index >= 0) {
      await this._goTo(index, null);
    }
  }

  async goTo(number: number, line: number | null): Promise<void> {
    if (number >= 1 && number <= this._panel.content.widgets.length) {
      await this._goTo(number - 1, line);
    }
  }

  private async _goTo(index: number, line: number | null): Promise<void> {
    const notebook = this._panel.content;
    notebook.deselectAll();
    notebook.activeCellIndex = index;
    const cell = notebook.widgets[index];
    // JupyterLab draws the cells of a long notebook one after the other: one can be scrolled to once it is there.
    while (cell !== undefined && !cell.isAttached && !cell.isDisposed && notebook.activeCellIndex === index) {
      await new Promise(resolve => setTimeout(resolve, PAUSE));
    }
    if (cell === undefined || cell.isDisposed || notebook.activeCellIndex !== index) {
      return;
    }
    await notebook.scrollToItem(index, 'smart');
    await cell.ready;
    if (line !== null && cell.editor && line <= cell.editor.lineCount) {
      cell.editor.setCursorPosition({ line: line - 1, column: 0 });
      cell.editor.revealPosition({ line: line - 1, column: 0 });
    }
    await NotebookActions.focusActiveCell(notebook);
  }

  setRole(cell: ICellEntry, role: Role, on: boolean): void {
    const notebook = this._notebook;
    const index = this._indexOf(cell);
    if (notebook !== null && index >= 0) {
      writeRole(notebook, [notebook.cells.get(index)], role, on);
      this._refresh();
    }
  }

  private get _notebook(): INotebookModel | null {
    return this._panel.isDisposed ? null : this._panel.content.model;
  }

  private _indexOf(cell: ICellEntry): number {
    // Cells move: the number an entry was read with may be old.
    return this._panel.content.widgets.findIndex(widget => widget.model.id === cell.id);
  }

  private _refresh(): void {
    const notebook = this._notebook;
    if (!this._isActive || this._isDisposed || notebook === null || !this._panel.context.isReady) {
      return;
    }
    const known = new Map(this._cells.map(cell => [cell.id, cell]));
    // What is the same stays the same object: in a long notebook only the rows that changed are drawn.
    const cells = readCells(notebook).map(cell => {
      const before = known.get(cell.id);
      return before !== undefined && isSame(before, cell) ? before : cell;
    });
    const shown = { cells, activeId: this._panel.content.activeCell?.model.id ?? null, title: this.title, language: this.language };
    const value = shown as unknown as ReadonlyPartialJSONValue;
    if (JSONExt.deepEqual(value, this._shown)) {
      return;
    }
    this._shown = value;
    this._cells = cells;
    this._activeId = shown.activeId;
    this._changed.emit();
  }

  private readonly _panel: NotebookPanel;
  private readonly _monitor: ActivityMonitor<INotebookModel, void>;
  private readonly _changed = new Signal<ISectionsModel, void>(this);
  private _cells: readonly ICellEntry[] = [];
  private _activeId: string | null = null;
  private _shown: ReadonlyPartialJSONValue = null;
  private _isActive = false;
  private _isDisposed = false;
}

function isSame(one: ICellEntry, other: ICellEntry): boolean {
  return (
    one.number === other.number && one.title === other.title && one.roles.join() === other.roles.join()
  );
}

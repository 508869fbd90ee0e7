import type { ICellModel } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { Debouncer } from '@lumino/polling';
import { type ISignal, Signal } from '@lumino/signaling';

import { ApiError } from './api';
import { documentOf, edit, foreignLanguage, rolesOfCell, tagsOf, writeTags } from './cells';
import type { Client } from './client';
import type { ICheck, IDiagnostic, IFix, IProposal, IProposedTag } from './documents';
import type { Settings } from './settings';

/** How a check stands. `stale`: the notebook was edited since. */
export type CheckState =
  | { readonly kind: 'none' }
  | { readonly kind: 'checking' }
  | { readonly kind: 'checked'; readonly stale: boolean }
  | { readonly kind: 'failed'; readonly message: string; readonly hint: string; readonly offline: boolean };

/**
 * What the server makes of one open notebook as it is being edited: the forecast, and tags that it proposes.
 */
export class CheckModel {
  constructor(
    private readonly _panel: NotebookPanel,
    private readonly _client: Client,
    private readonly _settings: Settings
  ) {
    this._debouncer = new Debouncer(() => this.check(), _settings.values.checkDelay);
    _panel.context.model.contentChanged.connect(this._onContentChanged, this);
    _panel.context.pathChanged.connect(this._onContentChanged, this);
    _settings.changed.connect(this._onSettingsChanged, this);
    _panel.disposed.connect(this.dispose, this);
    void _panel.context.ready.then(() => {
      this._onContentChanged();
    });
  }

  get state(): CheckState {
    return this._state;
  }

  /** The last check's outcome, kept while the next one runs. */
  get found(): ICheck | null {
    return this._check;
  }

  /** What the last check found in a cell, wherever the cell has moved since. */
  problemsOf(id: string): readonly IDiagnostic[] {
    const number = this._checkedIds.indexOf(id) + 1;
    const all = number === 0 ? [] : (this._check?.diagnostics ?? []);
    return all.filter(item => item.cell === number && item.severity !== 'info');
  }

  /** Tags that were proposed and that their cells do not have yet; null where nothing was asked, or nothing is left. */
  get proposal(): IProposal | null {
    const proposal = this._proposal;
    if (proposal === null || proposal.tags.length === 0) {
      return proposal;
    }
    const tags = proposal.tags.filter(tag => !this._hasTag(tag));
    return tags.length === 0 ? null : { ...proposal, tags };
  }

  /** Why there is no proposal, where it was asked for in vain. */
  get suggestError(): string | null {
    return this._suggestError;
  }

  get changed(): ISignal<CheckModel, void> {
    return this._changed;
  }

  /** Whether its notebook is looked at: nothing is asked while it is not. */
  set isActive(value: boolean) {
    this._isActive = value;
    if (value) {
      this._onContentChanged();
    }
  }

  /** Whether the panel shows it: then a notebook without any role is checked too. */
  set isShown(value: boolean) {
    this._isShown = value;
    if (value) {
      this._onContentChanged();
    }
  }

  get hasRoles(): boolean {
    const notebook = this._panel.content.model;
    return notebook !== null && foreignLanguage(notebook) === null && [...notebook.cells].some(cell => rolesOfCell(cell).length > 0);
  }

  get hasPredict(): boolean {
    const notebook = this._panel.content.model;
    return notebook !== null && [...notebook.cells].some(cell => rolesOfCell(cell).includes('predict'));
  }

  /** Ask the server now, unless it knows this very document already. */
  async check(force = false): Promise<void> {
    const asked = this._read();
    if (asked === null || (!force && asked.key === this._askedKey)) {
      this._setStale(false);
      return;
    }
    this._askedKey = asked.key;
    // Of two checks the one that was asked for last counts, whichever is answered first: what stands beside the notebook may have changed.
    const turn = ++this._turn;
    this._set({ kind: 'checking' });
    try {
      const check = await this._client.check(asked.path, asked.content);
      if (this._turn === turn) {
        this._check = check;
        this._checkedIds = asked.ids;
        this._set({ kind: 'checked', stale: false });
      }
    } catch (reason) {
      if (this._turn === turn) {
        this._askedKey = null;
        this._set(failed(reason));
      }
    }
  }

  async suggest(): Promise<void> {
    // The panel shows a notebook that is still being loaded: who asks then waits for it.
    await this._panel.context.ready;
    const asked = this._read();
    if (asked === null) {
      return;
    }
    this._suggestError = null;
    try {
      const proposal = await this._client.suggest(asked.path, asked.content);
      // Numbers move with the cells: keep which cells were meant.
      this._proposedIds = new Map(asked.ids.map((id, index) => [index + 1, id]));
      this._proposal = { ...proposal, tags: proposal.tags.filter(tag => tag.new) };
    } catch (reason) {
      this._suggestError = reason instanceof Error ? reason.message : String(reason);
    }
    this._changed.emit();
  }

  /** Tag cells as proposed, as one step that can be undone. */
  accept(tags: readonly IProposedTag[]): void {
    const notebook = this._panel.content.model;
    if (notebook === null) {
      return;
    }
    const wanted = new Map<ICellModel, string[]>();
    for (const { cell: number, tag } of tags) {
      const cell = this._proposedCell(number);
      if (cell !== undefined) {
        wanted.set(cell, [...(wanted.get(cell) ?? []), tag]);
      }
    }
    edit(notebook, [...wanted.keys()], cell => {
      writeTags(cell, [...new Set([...tagsOf(cell), ...(wanted.get(cell) ?? [])])]);
    });
    this.dismiss(tags);
  }

  /** Take proposals off the list; with the last one the list goes too. */
  dismiss(tags: readonly IProposedTag[]): void {
    const left = this._proposal?.tags.filter(tag => !tags.includes(tag)) ?? [];
    this._proposal = left.length > 0 && this._proposal !== null ? { ...this._proposal, tags: left } : null;
    this._changed.emit();
  }

  /** The number of the cell that a proposal was made for, as the notebook is now; null where it is gone. */
  numberOf(tag: IProposedTag): number | null {
    const id = this._proposedIds.get(tag.cell);
    const index = [...(this._panel.content.model?.cells ?? [])].findIndex(cell => cell.id === id);
    return index < 0 ? null : index + 1;
  }

  /** Make a quick fix's change, as one step that can be undone. */
  apply(fix: IFix): void {
    const notebook = this._panel.content.model;
    const cell = notebook?.cells.get(fix.cell - 1);
    if (notebook && cell) {
      edit(notebook, [cell], () => {
        if (fix.source !== null) {
          cell.sharedModel.setSource(fix.source);
        }
        if (fix.tags !== null) {
          writeTags(cell, fix.tags);
        }
      });
    }
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      this._debouncer.dispose();
      Signal.clearData(this);
    }
  }

  private _hasTag({ cell: number, tag }: IProposedTag): boolean {
    const cell = this._proposedCell(number);
    return cell !== undefined && tagsOf(cell).includes(tag);
  }

  /** The cell that a proposal was made for; its number is that of then. */
  private _proposedCell(number: number): ICellModel | undefined {
    const id = this._proposedIds.get(number);
    return [...(this._panel.content.model?.cells ?? [])].find(cell => cell.id === id);
  }

  private _read(): { key: string; path: string; content: ReturnType<typeof documentOf>; ids: string[] } | null {
    const notebook = this._panel.isDisposed ? null : this._panel.content.model;
    if (notebook === null || !this._panel.context.isReady || foreignLanguage(notebook) !== null) {
      return null;
    }
    const path = this._panel.context.localPath;
    const content = documentOf(notebook);
    return { key: JSON.stringify([path, content]), path, content, ids: [...notebook.cells].map(cell => cell.id) };
  }

  private _onContentChanged(): void {
    if (this._isDisposed || !this._isActive || !(this._isShown || this.hasRoles)) {
      return;
    }
    if (this._settings.values.autoCheck) {
      void this._debouncer.invoke();
    } else {
      this._setStale(this._read()?.key !== this._askedKey);
    }
  }

  private _onSettingsChanged(): void {
    this._debouncer.dispose();
    this._debouncer = new Debouncer(() => this.check(), this._settings.values.checkDelay);
    this._onContentChanged();
  }

  private _setStale(stale: boolean): void {
    if (this._state.kind === 'checked' && this._state.stale !== stale) {
      this._set({ kind: 'checked', stale });
    }
  }

  private _set(state: CheckState): void {
    this._state = state;
    this._changed.emit();
  }

  private readonly _changed = new Signal<CheckModel, void>(this);
  private _debouncer: Debouncer;
  private _state: CheckState = { kind: 'none' };
  private _check: ICheck | null = null;
  private _checkedIds: readonly string[] = [];
  private _askedKey: string | null = null;
  private _turn = 0;
  private _proposal: IProposal | null = null;
  private _proposedIds = new Map<number, string>();
  private _suggestError: string | null = null;
  private _isActive = false;
  private _isShown = false;
  private _isDisposed = false;
}

function failed(reason: unknown): CheckState {
  if (reason instanceof ApiError) {
    return { kind: 'failed', message: reason.message, hint: reason.hint, offline: reason.status === null };
  }
  return { kind: 'failed', message: String(reason), hint: '', offline: false };
}

import { ActivityMonitor } from '@jupyterlab/coreutils';
import type { INotebookModel, NotebookPanel } from '@jupyterlab/notebook';
import { type ISignal, Signal } from '@lumino/signaling';

import { documentOf } from './cells';
import type { Client } from './client';
import type { IKernelOutlook } from './documents';

/** A pause in the changes of a notebook before it is looked for new imports, in milliseconds. */
const PAUSE = 1000;
const IMPORT = /^\s*(?:import|from)\s+\S/;

/**
 * Which kernel a build of one notebook would run; asked when the notebook comes into sight and when its kernel or its imports change.
 */
export class KernelModel {
  constructor(
    private readonly _panel: NotebookPanel,
    private readonly _client: Client
  ) {
    this._monitor = new ActivityMonitor({ signal: _panel.context.model.contentChanged, timeout: PAUSE });
    this._monitor.activityStopped.connect(() => void this._ask());
    _panel.disposed.connect(this.dispose, this);
    void _panel.context.ready.then(() => this._ask());
  }

  /** null until it is known, and where the server can't tell. */
  get outlook(): IKernelOutlook | null {
    return this._outlook;
  }

  get changed(): ISignal<KernelModel, void> {
    return this._changed;
  }

  /** Whether the panel shows it: nothing is asked while it does not. */
  set isShown(value: boolean) {
    this._isShown = value;
    void this._ask();
  }

  dispose(): void {
    if (!this._monitor.isDisposed) {
      this._monitor.dispose();
      Signal.clearData(this);
    }
  }

  private async _ask(): Promise<void> {
    const notebook = this._panel.isDisposed ? null : this._panel.content.model;
    if (!this._isShown || notebook === null || !this._panel.context.isReady) {
      return;
    }
    const key = `${this._panel.context.localPath}\n${environmentKey(notebook)}`;
    if (key === this._key) {
      return;
    }
    this._key = key;
    const outlook = await this._client.kernel(this._panel.context.localPath, documentOf(notebook)).catch(() => null);
    if (this._key === key) {
      this._outlook = outlook;
      if (outlook === null) {
        this._key = ''; // ask again at the next change
      }
      this._changed.emit();
    }
  }

  private readonly _monitor: ActivityMonitor<INotebookModel, void>;
  private readonly _changed = new Signal<KernelModel, void>(this);
  private _outlook: IKernelOutlook | null = null;
  private _key = '';
  private _isShown = false;
}

/** What the environment of a build depends on: the kernel's name, and the lines that import. */
export function environmentKey(notebook: INotebookModel): string {
  const spec = notebook.getMetadata('kernelspec') as { name?: string } | undefined;
  const lines = [...notebook.cells]
    .filter(cell => cell.type === 'code')
    .flatMap(cell => cell.sharedModel.getSource().split('\n').filter(line => IMPORT.test(line)));
  return [spec?.name ?? '', ...lines.map(line => line.trim()).sort()].join('\n');
}

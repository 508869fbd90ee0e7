import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { type ISignal, Signal } from '@lumino/signaling';

import type { BuildsModel } from './builds';
import { CheckModel } from './checks';
import type { Client } from './client';
import { EvidenceModel } from './evidence';
import { KernelModel } from './kernel';
import { SectionsModel } from './model';
import type { Settings } from './settings';
import type { ISectionsModel, ISectionsTracker } from './tokens';

/**
 * All that is known of one open notebook.
 */
export interface INotebookModels {
  readonly panel: NotebookPanel;
  readonly sections: ISectionsModel;
  readonly check: CheckModel;
  readonly evidence: EvidenceModel;
  readonly kernel: KernelModel;
}

interface IOptions {
  readonly notebooks: INotebookTracker;
  readonly client: Client;
  readonly builds: BuildsModel;
  readonly settings: Settings;
}

/**
 * Makes the models of each open notebook and says which notebook is in front.
 */
export class ModelsTracker {
  constructor(private readonly _options: IOptions) {
    const { notebooks } = _options;
    notebooks.currentChanged.connect((_, panel) => {
      this._setCurrent(panel);
    });
    this._setCurrent(notebooks.currentWidget);
  }

  get current(): INotebookModels | null {
    return this._current;
  }

  get currentChanged(): ISignal<ModelsTracker, INotebookModels | null> {
    return this._currentChanged;
  }

  of(panel: NotebookPanel): INotebookModels {
    const known = this._models.get(panel);
    if (known) {
      return known;
    }
    const { client, builds, settings } = this._options;
    const check = new CheckModel(panel, client, settings);
    const evidence = new EvidenceModel(panel, client, check, builds);
    const kernel = new KernelModel(panel, client);
    const models = { panel, sections: new SectionsModel(panel), check, evidence, kernel };
    this._models.set(panel, models);
    return models;
  }

  private _setCurrent(panel: NotebookPanel | null): void {
    const models = panel === null ? null : this.of(panel);
    if (models === this._current) {
      return;
    }
    if (this._current !== null) {
      this._current.check.isActive = false;
    }
    this._current = models;
    if (models !== null) {
      models.check.isActive = true;
    }
    this._currentChanged.emit(models);
  }

  private readonly _models = new WeakMap<NotebookPanel, INotebookModels>();
  private readonly _currentChanged = new Signal<ModelsTracker, INotebookModels | null>(this);
  private _current: INotebookModels | null = null;
}

/**
 * The sections alone, as other extensions may ask for them.
 */
export class SectionsTracker implements ISectionsTracker {
  constructor(private readonly _models: ModelsTracker) {
    _models.currentChanged.connect((_, models) => {
      this._currentChanged.emit(models?.sections ?? null);
    });
  }

  get current(): ISectionsModel | null {
    return this._models.current?.sections ?? null;
  }

  get currentChanged(): ISignal<ISectionsTracker, ISectionsModel | null> {
    return this._currentChanged;
  }

  private readonly _currentChanged = new Signal<ISectionsTracker, ISectionsModel | null>(this);
}

import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { type ISignal, Signal } from '@lumino/signaling';

import { SectionsModel } from './model';
import type { ISectionsModel, ISectionsTracker } from './tokens';

/**
 * Makes one model for each open notebook and says which is in front.
 */
export class SectionsTracker implements ISectionsTracker {
  constructor(notebooks: INotebookTracker) {
    notebooks.currentChanged.connect((_, panel) => {
      this._setCurrent(panel);
    });
    this._setCurrent(notebooks.currentWidget);
  }

  get current(): ISectionsModel | null {
    return this._current;
  }

  get currentChanged(): ISignal<ISectionsTracker, ISectionsModel | null> {
    return this._currentChanged;
  }

  private _setCurrent(panel: NotebookPanel | null): void {
    const model = panel === null ? null : this._modelOf(panel);
    if (model !== this._current) {
      this._current = model;
      this._currentChanged.emit(model);
    }
  }

  private _modelOf(panel: NotebookPanel): ISectionsModel {
    const known = this._models.get(panel);
    if (known) {
      return known;
    }
    const model = new SectionsModel(panel);
    this._models.set(panel, model);
    return model;
  }

  private readonly _models = new WeakMap<NotebookPanel, ISectionsModel>();
  private readonly _currentChanged = new Signal<ISectionsTracker, ISectionsModel | null>(this);
  private _current: ISectionsModel | null = null;
}

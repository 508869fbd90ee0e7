import type { Cell } from '@jupyterlab/cells';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import type { INotebookModel, NotebookPanel } from '@jupyterlab/notebook';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import { DisposableDelegate, type IDisposable } from '@lumino/disposable';
import type { PanelLayout } from '@lumino/widgets';
import * as React from 'react';

import { DiagnosticItem } from './components/DiagnosticItem';
import type { IDiagnostic, IFix } from './documents';
import type { INotebookModels, ModelsTracker } from './factory';
import type { ILineMark, LineMarks } from './lineMarks';
import type { PathHighlight } from './pathHighlight';
import type { Settings } from './settings';

interface IOptions {
  readonly models: ModelsTracker;
  readonly marks: LineMarks;
  readonly highlight: PathHighlight;
  readonly settings: Settings;
  readonly trans: TranslationBundle;
}

/**
 * Writes the check's problems under the cells that they are of, underlines their lines, and marks the serving path.
 */
export class CellProblems implements DocumentRegistry.IWidgetExtension<NotebookPanel, INotebookModel> {
  constructor(private readonly _options: IOptions) {}

  createNew(panel: NotebookPanel): IDisposable {
    const { models, highlight, settings } = this._options;
    const own = models.of(panel);
    const draw = (): void => {
      if (!panel.isDisposed && panel.content.model !== null) {
        this._draw(own);
      }
    };
    const drawPath = (_: PathHighlight, of: object): void => {
      if (of === panel) {
        draw();
      }
    };
    // Cells that come anew, as by undo or revert, may be known to the check already.
    const drawNew = (): void => {
      requestAnimationFrame(draw);
    };
    void panel.context.ready.then(() => {
      panel.content.model?.cells.changed.connect(drawNew);
    });
    own.check.changed.connect(draw);
    settings.changed.connect(draw);
    highlight.changed.connect(drawPath);
    return new DisposableDelegate(() => {
      panel.content.model?.cells.changed.disconnect(drawNew);
      own.check.changed.disconnect(draw);
      settings.changed.disconnect(draw);
      highlight.changed.disconnect(drawPath);
    });
  }

  private _draw({ panel, check }: INotebookModels): void {
    const { marks, highlight, settings } = this._options;
    // Who has tagged nothing builds nothing: the cells of such a notebook are left alone.
    const isWanted = settings.values.cellDiagnostics && check.hasRoles;
    const path = highlight.lines(panel);
    panel.content.widgets.forEach((cell, index) => {
      const own = isWanted ? check.problemsOf(cell.model.id) : [];
      const problems = own.flatMap((item): ILineMark[] =>
        item.line === null ? [] : [{ line: item.line, kind: item.severity === 'error' ? 'error' : 'warning' }]
      );
      const lines = (path.get(index + 1) ?? []).map((line): ILineMark => ({ line, kind: 'path' }));
      marks.set(cell.model.sharedModel, [...lines, ...problems]);
      this._show(cell, own, fix => {
        check.apply(fix);
      });
    });
  }

  private _show(cell: Cell, items: readonly IDiagnostic[], onFix: (fix: IFix) => void): void {
    let widget = this._widgets.get(cell);
    if (widget === undefined && items.length > 0) {
      widget = new ProblemsWidget(this._options.trans);
      this._widgets.set(cell, widget);
      const added = widget;
      // The parts of a cell far from the screen are made when it is scrolled to.
      void cell.ready.then(() => {
        if (!cell.isDisposed && !added.isDisposed) {
          insertAfterInput(cell, added);
        }
      });
    }
    widget?.display(items, onFix);
  }

  private readonly _widgets = new WeakMap<Cell, ProblemsWidget>();
}

function insertAfterInput(cell: Cell, widget: ProblemsWidget): void {
  const layout = cell.layout as PanelLayout;
  const input = layout.widgets.findIndex(item => item.hasClass('jp-Cell-inputWrapper'));
  layout.insertWidget(input + 1, widget);
}

/**
 * The problems of one cell.
 */
class ProblemsWidget extends ReactWidget {
  constructor(private readonly _trans: TranslationBundle) {
    super();
    this.addClass('nb2prod-CellProblems');
    this.node.setAttribute('role', 'group');
    this.node.setAttribute('aria-label', _trans.__('Problems of this cell'));
  }

  display(items: readonly IDiagnostic[], onFix: (fix: IFix) => void): void {
    const isSame = JSON.stringify(items) === JSON.stringify(this._items);
    this._items = items;
    this._onFix = onFix;
    this.setHidden(items.length === 0);
    if (!isSame) {
      this.update();
    }
  }

  protected override render(): React.JSX.Element {
    return (
      <>
        {this._items.map((item, index) => (
          <DiagnosticItem
            key={index}
            item={item}
            trans={this._trans}
            onGo={null}
            onFix={fix => {
              this._onFix(fix);
            }}
          />
        ))}
      </>
    );
  }

  private _items: readonly IDiagnostic[] = [];
  private _onFix: (fix: IFix) => void = () => undefined;
}

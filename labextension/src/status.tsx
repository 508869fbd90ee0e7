import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { IContext } from './context';
import type { INotebookModels } from './factory';

/**
 * In the status bar: how the notebook in front stands, in a word or two. A click shows the panel.
 */
export class StatusItem extends ReactWidget {
  constructor(
    private readonly _context: IContext,
    private readonly _onShow: () => void
  ) {
    super();
    this.addClass('nb2prod-Status');
    const { models, builds } = _context;
    models.currentChanged.connect((_, current) => {
      this._follow(current);
    });
    builds.changed.connect(this._redraw, this);
    this._follow(models.current);
  }

  protected override render(): React.JSX.Element | null {
    const text = this._text();
    if (text === null) {
      return null;
    }
    return (
      <button className="nb2prod-Status-button" title={this._context.trans.__('Show the nb2prod panel')} onClick={this._onShow}>
        {text}
      </button>
    );
  }

  private _follow(current: INotebookModels | null): void {
    this._followed?.check.changed.disconnect(this._redraw, this);
    this._followed = current;
    current?.check.changed.connect(this._redraw, this);
    this._redraw();
  }

  private _redraw(): void {
    this.setHidden(this._text() === null);
    this.update();
  }

  private _text(): string | null {
    const { models, trans } = this._context;
    const current = models.current;
    if (!current?.check.hasRoles) {
      return null;
    }
    const { build } = current.evidence;
    if (build !== null && ['queued', 'running', 'proving'].includes(build.state)) {
      const cells = build.stages[build.stages.length - 1]?.name === 'record' ? build.cells : null;
      return cells === null
        ? trans.__('nb2prod: building')
        : trans.__('nb2prod: building, cell %1 of %2', Math.min(cells[0] + 1, cells[1]), cells[1]);
    }
    const found = current.check.found?.diagnostics ?? null;
    if (found === null) {
      return null;
    }
    const errors = found.filter(item => item.severity === 'error').length;
    const warnings = found.filter(item => item.severity === 'warning').length;
    if (errors > 0) {
      return trans._n('nb2prod: %1 error', 'nb2prod: %1 errors', errors);
    }
    return warnings > 0 ? trans._n('nb2prod: %1 warning', 'nb2prod: %1 warnings', warnings) : trans.__('nb2prod: no problems');
  }

  private _followed: INotebookModels | null = null;
}

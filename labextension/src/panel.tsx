import { ReactWidget, SidePanel, UseSignal } from '@jupyterlab/ui-components';
import type { ITranslator } from '@jupyterlab/translation';
import type { Message } from '@lumino/messaging';
import { Panel, Widget } from '@lumino/widgets';
import * as React from 'react';

import { NotebookView } from './components/NotebookView';
import { NoNotebook } from './components/SectionsView';
import { ServerNotice } from './components/ServerNotice';
import type { IContext } from './context';
import type { INotebookModels } from './factory';
import { nb2prodIcon } from './icons';

/**
 * The sidebar: the notebook in front on its way to a service, and what the server says.
 */
export class Nb2prodPanel extends SidePanel {
  constructor(
    private readonly _context: IContext,
    translator: ITranslator
  ) {
    super({ content: new Panel(), translator });
    const { trans, models, server, builds } = _context;
    this._noTitle = trans.__('nb2prod');
    this._heading = new Heading();

    this.id = 'nb2prod-panel';
    this.addClass('nb2prod-Panel');
    this.title.icon = nb2prodIcon;
    this.title.caption = trans.__('nb2prod');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('nb2prod'));
    this.header.addWidget(new PanelName(this._noTitle));
    this.header.addWidget(this._heading);
    this.content.addWidget(new PanelBody(_context));

    models.currentChanged.connect((_, current) => {
      this._show(current);
    });
    server.changed.connect((_, state) => {
      if (state.kind === 'ready') {
        builds.listen();
        this._setActive(this.isVisible);
      }
    });
    this._show(models.current);
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._setActive(true);
    if (this._context.server.state.kind !== 'ready') {
      void this._context.server.refresh();
    }
  }

  protected override onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this._setActive(false);
  }

  private _show(current: INotebookModels | null): void {
    if (this._shown !== null && this._shown !== current) {
      this._shown.sections.isActive = false;
      this._shown.check.isShown = false;
      this._shown.kernel.isShown = false;
      this._shown.sections.changed.disconnect(this._onChanged, this);
    }
    this._shown = current;
    current?.sections.changed.connect(this._onChanged, this);
    this._setActive(this.isVisible);
    this._onChanged();
  }

  private _setActive(active: boolean): void {
    const { models, deployments, server } = this._context;
    if (models.current !== null) {
      models.current.sections.isActive = active;
      models.current.check.isShown = active;
      models.current.kernel.isShown = active && server.state.kind === 'ready';
    }
    deployments.isActive = active && server.state.kind === 'ready';
  }

  private _onChanged(): void {
    const { trans } = this._context;
    this._heading.text = this._context.models.current?.sections.title ?? trans.__('No notebook');
  }

  private readonly _noTitle: string;
  private readonly _heading: Heading;
  private _shown: INotebookModels | null = null;
}

/**
 * Draws the panel's inside; knows the models, while most components below know only what they are given.
 */
class PanelBody extends ReactWidget {
  constructor(private readonly _context: IContext) {
    super();
    this.addClass('nb2prod-Body');
  }

  protected override render(): React.JSX.Element {
    const { models, server, trans } = this._context;
    return (
      <UseSignal signal={server.changed}>
        {() => (
          <>
            <ServerNotice state={server.state} trans={trans} onRetry={() => void server.refresh()} />
            <UseSignal signal={models.currentChanged}>
              {() =>
                models.current === null ? (
                  <NoNotebook trans={trans} />
                ) : (
                  <NotebookView key={models.current.sections.key} context={this._context} models={models.current} />
                )
              }
            </UseSignal>
          </>
        )}
      </UseSignal>
    );
  }
}

/**
 * What the panel is called, wherever it is spoken of.
 */
class PanelName extends Widget {
  constructor(name: string) {
    super({ node: document.createElement('span') });
    this.addClass('nb2prod-Panel-name');
    this.node.textContent = name;
  }
}

/**
 * The notebook's name above the panel, as JupyterLab's own side panels have it.
 */
class Heading extends Widget {
  constructor() {
    super({ node: document.createElement('h2') });
    this.addClass('jp-text-truncated');
  }

  set text(value: string) {
    this.node.textContent = value;
    this.node.title = value;
  }
}

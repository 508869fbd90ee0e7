import { ReactWidget, SidePanel, UseSignal } from '@jupyterlab/ui-components';
import type { ITranslator, TranslationBundle } from '@jupyterlab/translation';
import type { Message } from '@lumino/messaging';
import { Panel, Widget } from '@lumino/widgets';
import * as React from 'react';

import { NoNotebook, SectionsView } from './components/SectionsView';
import { ServerNotice } from './components/ServerNotice';
import { nb2prodIcon } from './icons';
import type { IServerModel, ISectionsModel, ISectionsTracker } from './tokens';

const DOMAIN = 'nb2prod';

interface IOptions {
  readonly sections: ISectionsTracker;
  readonly server: IServerModel;
  readonly translator: ITranslator;
}

/**
 * The sidebar: the sections of the notebook in front, and what the server says.
 */
export class Nb2prodPanel extends SidePanel {
  constructor({ sections, server, translator }: IOptions) {
    super({ content: new Panel(), translator });
    const trans = translator.load(DOMAIN);
    this._sections = sections;
    this._server = server;
    this._noTitle = trans.__('nb2prod');
    this._heading = new Heading();

    this.id = 'nb2prod-panel';
    this.addClass('nb2prod-Panel');
    this.title.icon = nb2prodIcon;
    this.title.caption = trans.__('From notebook to service');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('nb2prod: from notebook to service'));
    this.header.addWidget(this._heading);
    this.content.addWidget(new PanelBody(sections, server, trans));

    sections.currentChanged.connect((_, current) => {
      this._show(current);
    });
    this._show(sections.current);
  }

  protected override onBeforeShow(message: Message): void {
    super.onBeforeShow(message);
    this._setActive(true);
    if (this._server.state.kind !== 'ready') {
      void this._server.refresh();
    }
  }

  protected override onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this._setActive(false);
  }

  private _show(current: ISectionsModel | null): void {
    if (this._shown !== null && this._shown !== current) {
      this._shown.isActive = false;
      this._shown.changed.disconnect(this._onChanged, this);
    }
    this._shown = current;
    current?.changed.connect(this._onChanged, this);
    this._setActive(this.isVisible);
    this._onChanged();
  }

  private _setActive(active: boolean): void {
    if (this._sections.current !== null) {
      this._sections.current.isActive = active;
    }
  }

  private _onChanged(): void {
    this._heading.text = this._sections.current?.title ?? this._noTitle;
  }

  private readonly _sections: ISectionsTracker;
  private readonly _server: IServerModel;
  private readonly _noTitle: string;
  private readonly _heading: Heading;
  private _shown: ISectionsModel | null = null;
}

/**
 * Draws the panel's inside; knows the models, while the components below know only what they are given.
 */
class PanelBody extends ReactWidget {
  constructor(
    private readonly _sections: ISectionsTracker,
    private readonly _server: IServerModel,
    private readonly _trans: TranslationBundle
  ) {
    super();
    this.addClass('nb2prod-Body');
  }

  protected override render(): React.JSX.Element {
    const trans = this._trans;
    return (
      <>
        <UseSignal signal={this._server.changed}>
          {() => (
            <ServerNotice state={this._server.state} trans={trans} onRetry={() => void this._server.refresh()} />
          )}
        </UseSignal>
        <UseSignal signal={this._sections.currentChanged}>{() => this._renderCurrent()}</UseSignal>
      </>
    );
  }

  private _renderCurrent(): React.JSX.Element {
    const model = this._sections.current;
    if (model === null) {
      return <NoNotebook trans={this._trans} />;
    }
    return (
      <UseSignal signal={model.changed} key={model.key}>
        {() => (
          <SectionsView
            cells={model.cells}
            activeCell={model.activeCell}
            trans={this._trans}
            onJump={cell => void model.jumpTo(cell)}
            onSetRole={(cell, role, on) => {
              model.setRole(cell, role, on);
            }}
          />
        )}
      </UseSignal>
    );
  }
}

/**
 * The name above the panel, as JupyterLab's own side panels have it.
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

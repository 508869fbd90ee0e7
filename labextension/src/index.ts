import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { EditorExtensionRegistry, IEditorExtensionRegistry } from '@jupyterlab/codemirror';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { Token } from '@lumino/coreutils';

import { notifyOfBuilds } from './actions';
import { RoleBadges } from './badges';
import { BuildsModel } from './builds';
import { CellProblems } from './cellProblems';
import { Client } from './client';
import { addCommands, addToPalette } from './commands';
import type { IContext } from './context';
import { DeploymentsModel } from './deployments';
import { ModelsTracker, SectionsTracker } from './factory';
import { LineMarks, lineMarksExtension } from './lineMarks';
import { Nb2prodPanel } from './panel';
import { PathHighlight } from './pathHighlight';
import { ServerModel } from './server';
import { Settings } from './settings';
import { StatusItem } from './status';
import { ISectionsTracker } from './tokens';

const PANEL = 'nb2prod:panel';

/** For the plugins of this package alone. */
const IContextToken = new Token<IContext>('nb2prod:IContext', 'What the plugins of nb2prod share.');

const context: JupyterFrontEndPlugin<IContext> = {
  id: 'nb2prod:context',
  description: 'The models behind the nb2prod sidebar.',
  autoStart: true,
  provides: IContextToken,
  requires: [INotebookTracker],
  optional: [ITranslator, ISettingRegistry],
  activate: (
    app: JupyterFrontEnd,
    notebooks: INotebookTracker,
    translator: ITranslator | null,
    registry: ISettingRegistry | null
  ) => {
    const settings = new Settings();
    registry?.load(PANEL).then(
      found => {
        settings.follow(found);
      },
      (reason: unknown) => {
        console.error(`nb2prod: its settings can't be read, the defaults hold: ${String(reason)}`);
      }
    );
    const client = new Client(app.serviceManager.serverSettings);
    const builds = new BuildsModel(client);
    const server = new ServerModel(client);
    builds.connection.connect(() => void server.refresh());
    return {
      app,
      client,
      builds,
      settings,
      server,
      models: new ModelsTracker({ notebooks, client, builds, settings }),
      deployments: new DeploymentsModel(client, settings),
      marks: new LineMarks(),
      highlight: new PathHighlight(),
      trans: (translator ?? nullTranslator).load('nb2prod')
    };
  }
};

const sections: JupyterFrontEndPlugin<ISectionsTracker> = {
  id: 'nb2prod:sections',
  description: 'The cells of the current notebook by nb2prod role.',
  autoStart: true,
  provides: ISectionsTracker,
  requires: [IContextToken],
  activate: (_: JupyterFrontEnd, shared: IContext) => new SectionsTracker(shared.models)
};

const panel: JupyterFrontEndPlugin<void> = {
  id: PANEL,
  description: 'The nb2prod sidebar.',
  autoStart: true,
  requires: [IContextToken, INotebookTracker],
  optional: [ITranslator, ILayoutRestorer, ICommandPalette, IStatusBar],
  activate: (
    app: JupyterFrontEnd,
    shared: IContext,
    notebooks: INotebookTracker,
    translator: ITranslator | null,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    statusBar: IStatusBar | null
  ) => {
    const widget = new Nb2prodPanel(shared, translator ?? nullTranslator);
    const show = (): void => {
      app.shell.activateById(widget.id);
    };
    app.shell.add(widget, 'left', { rank: 450, type: 'nb2prod' });
    restorer?.add(widget, widget.id);
    addCommands(shared, notebooks, widget.id);
    if (palette !== null) {
      addToPalette(shared, palette);
    }
    void app.restored.then(() => shared.server.refresh());
    statusBar?.registerStatusItem('nb2prod:status', { item: new StatusItem(shared, show), align: 'left', rank: 50 });
    notifyOfBuilds(shared, show);
  }
};

const decorations: JupyterFrontEndPlugin<void> = {
  id: 'nb2prod:badges',
  description: 'On the cells themselves: their roles, their problems, and the serving path.',
  autoStart: true,
  requires: [IContextToken, IEditorExtensionRegistry],
  activate: (app: JupyterFrontEnd, shared: IContext, editors: IEditorExtensionRegistry) => {
    const { trans, marks, settings } = shared;
    const drawBadges = (): void => {
      document.body.dataset.nb2prodBadges = settings.values.badges ? 'on' : 'off';
    };
    settings.changed.connect(drawBadges);
    drawBadges();
    app.docRegistry.addWidgetExtension('Notebook', new RoleBadges(trans));
    app.docRegistry.addWidgetExtension('Notebook', new CellProblems(shared));
    editors.addExtension({
      name: 'nb2prod-lines',
      factory: options =>
        options.inline
          ? EditorExtensionRegistry.createImmutableExtension(lineMarksExtension(marks, options.model.sharedModel))
          : null
    });
  }
};

export * from './tokens';
export default [context, sections, panel, decorations];

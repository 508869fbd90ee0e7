import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { RoleBadges } from './badges';
import { addCommands } from './commands';
import { SectionsTracker } from './factory';
import { Nb2prodPanel } from './panel';
import { ServerModel } from './server';
import { ISectionsTracker } from './tokens';

const sections: JupyterFrontEndPlugin<ISectionsTracker> = {
  id: 'nb2prod:sections',
  description: 'The cells of the current notebook by nb2prod role.',
  autoStart: true,
  provides: ISectionsTracker,
  requires: [INotebookTracker],
  activate: (_: JupyterFrontEnd, notebooks: INotebookTracker) => new SectionsTracker(notebooks)
};

const panel: JupyterFrontEndPlugin<void> = {
  id: 'nb2prod:panel',
  description: 'The nb2prod sidebar.',
  autoStart: true,
  requires: [ISectionsTracker],
  optional: [ITranslator, ILayoutRestorer, ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    tracker: ISectionsTracker,
    translator: ITranslator | null,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null
  ) => {
    const server = new ServerModel(app.serviceManager.serverSettings);
    const words = translator ?? nullTranslator;
    const widget = new Nb2prodPanel({ sections: tracker, server, translator: words });
    app.shell.add(widget, 'left', { rank: 450, type: 'nb2prod' });
    restorer?.add(widget, widget.id);
    addCommands({ app, tracker, panelId: widget.id, palette, trans: words.load('nb2prod') });
  }
};

const badges: JupyterFrontEndPlugin<void> = {
  id: 'nb2prod:badges',
  description: 'The roles of a cell, written on the cell.',
  autoStart: true,
  optional: [ITranslator],
  activate: (app: JupyterFrontEnd, translator: ITranslator | null) => {
    const trans = (translator ?? nullTranslator).load('nb2prod');
    app.docRegistry.addWidgetExtension('Notebook', new RoleBadges(trans));
  }
};

export * from './tokens';
export default [sections, panel, badges];

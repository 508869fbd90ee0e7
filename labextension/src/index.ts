import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

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

export * from './tokens';
export default [sections, panel];

import { Dialog, MainAreaWidget, Notification, showDialog, showErrorMessage } from '@jupyterlab/apputils';
import { Widget } from '@lumino/widgets';

import { ApiError } from './api';
import { needsWord, stateWord } from './components/BuildBar';
import type { IContext } from './context';
import type { IBuild } from './documents';
import type { INotebookModels } from './factory';
import { nb2prodIcon } from './icons';

/**
 * Build a notebook as it is saved; with unsaved changes, ask first (a setting skips the question).
 */
export async function build(context: IContext, { panel, evidence }: INotebookModels): Promise<void> {
  const { builds, trans } = context;
  if (panel.context.model.dirty) {
    if (!(await maySave(context))) {
      return;
    }
    await panel.context.save();
    if (isDirty(panel)) {
      return; // saving failed, and JupyterLab has said why
    }
  }
  try {
    await builds.start(evidence.path);
  } catch (reason) {
    await showFailure(trans.__('The build was not started'), reason);
  }
}

export async function cancelBuild(context: IContext, running: IBuild): Promise<void> {
  try {
    await context.builds.cancel(running);
  } catch (reason) {
    await showFailure(context.trans.__('The build could not be cancelled'), reason);
  }
}

/** Open a build's log beside the notebook. */
export async function openText(context: IContext, path: string, title: string): Promise<void> {
  try {
    const text = await context.client.text(path);
    const node = document.createElement('pre');
    node.textContent = text === '' ? context.trans.__('Nothing was written yet.') : text;
    node.tabIndex = 0;
    open(context, `nb2prod-log-${path}`, title, new Widget({ node }), 'nb2prod-Log');
  } catch (reason) {
    await showFailure(title, reason);
  }
}

/** Open the page at this path below the server's own, such as a parity report. */
export async function openPage(context: IContext, path: string, title: string): Promise<void> {
  try {
    const page = await context.client.text(`${path}?format=html`);
    const frame = document.createElement('iframe');
    frame.title = title;
    // A page made of a notebook's outputs: it may draw, but not act as the user.
    frame.setAttribute('sandbox', '');
    frame.srcdoc = page;
    open(context, `nb2prod-page-${path}`, title, new Widget({ node: frame }), 'nb2prod-Report');
  } catch (reason) {
    await showFailure(title, reason);
  }
}

/** Say how builds end, to whoever looks elsewhere meanwhile. */
export function notifyOfBuilds(context: IContext, showPanel: () => void): void {
  const { builds, trans } = context;
  const notes = new Map<string, string>();
  builds.changed.connect((_, build) => {
    const isOver = ['proved', 'refused', 'cancelled', 'failed'].includes(build.state);
    if (isOver || notes.has(build.id)) {
      return;
    }
    const message = trans.__('Building %1', build.notebook);
    notes.set(build.id, Notification.emit(message, 'in-progress', { autoClose: false }));
  });
  builds.ended.connect((_, build) => {
    const id = notes.get(build.id);
    const type = { proved: 'success', cancelled: 'info' }[build.state as string] ?? 'error';
    const note = {
      message: `${build.notebook}: ${needsWord(build) ? `${stateWord(build.state, trans)} ` : ''}${build.summary}`.slice(0, 240),
      type: type as 'success' | 'info' | 'error',
      autoClose: build.state === 'proved' || build.state === 'cancelled' ? 8000 : 20_000,
      actions: [{ label: trans.__('Show'), callback: showPanel }]
    };
    if (id !== undefined) {
      Notification.update({ id, ...note });
    }
  });
}

function isDirty(panel: INotebookModels['panel']): boolean {
  return panel.context.model.dirty;
}

async function maySave({ settings, trans }: IContext): Promise<boolean> {
  if (settings.values.saveBeforeBuild) {
    return true;
  }
  const answer = await showDialog({
    title: trans.__('Save and build?'),
    body: trans.__('A build runs the notebook as it is saved. This one has unsaved changes.'),
    checkbox: { label: trans.__('Always save before a build') },
    buttons: [Dialog.cancelButton(), Dialog.okButton({ label: trans.__('Save and Build') })]
  });
  if (answer.button.accept && answer.isChecked === true) {
    await settings.set('saveBeforeBuild', true);
  }
  return answer.button.accept;
}

export async function showFailure(title: string, reason: unknown): Promise<void> {
  const hint = reason instanceof ApiError && reason.hint !== '' ? `\n\n${reason.hint}` : '';
  await showErrorMessage(title, `${reason instanceof Error ? reason.message : String(reason)}${hint}`);
}

function open({ app }: IContext, id: string, title: string, content: Widget, className: string): void {
  for (const widget of app.shell.widgets('main')) {
    if (widget.id === id) {
      widget.dispose();
      break;
    }
  }
  const widget = new MainAreaWidget({ content });
  widget.id = id;
  content.addClass(className);
  widget.title.label = title;
  widget.title.icon = nb2prodIcon;
  widget.title.closable = true;
  app.shell.add(widget, 'main', { mode: 'tab-after' });
  app.shell.activateById(id);
}

import type { DocumentRegistry } from '@jupyterlab/docregistry';
import { ActivityMonitor } from '@jupyterlab/coreutils';
import type { INotebookModel, NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import { DisposableDelegate, type IDisposable } from '@lumino/disposable';

import { rolesOfCell } from './cells';
import type { Role } from './roles';
import { roleWords } from './words';

/** Tags change by a click: wait only long enough to draw several changes at once, in milliseconds. */
const PAUSE = 50;

/** What the style sheet writes on the cell: a property is inherited down to where the label hangs. */
const LABEL = '--nb2prod-label';

/**
 * Writes each cell's roles on the cell itself. The style sheet draws them from what is set on
 * the cell's node, so that a cell that scrolls out of the window and back needs nothing done.
 */
export class RoleBadges implements DocumentRegistry.IWidgetExtension<NotebookPanel, INotebookModel> {
  constructor(private readonly _trans: TranslationBundle) {}

  createNew(panel: NotebookPanel): IDisposable {
    const words = roleWords(this._trans);
    const draw = (): void => {
      for (const cell of panel.content.widgets) {
        const roles = rolesOfCell(cell.model);
        drawOn(cell.node, roles[0], roles.map(role => words[role].tag).join(' · '));
      }
    };
    const monitor = new ActivityMonitor({ signal: panel.context.model.contentChanged, timeout: PAUSE });
    monitor.activityStopped.connect(draw);
    void panel.context.ready.then(() => {
      if (!panel.isDisposed) {
        draw();
      }
    });
    return new DisposableDelegate(() => {
      monitor.dispose();
    });
  }
}

function drawOn(node: HTMLElement, role: Role | undefined, label: string): void {
  // The style sheet takes the label as a CSS string.
  const text = role === undefined ? '' : JSON.stringify(label);
  if (node.style.getPropertyValue(LABEL) === text) {
    return;
  }
  if (role === undefined) {
    delete node.dataset.nb2prodRole;
    node.style.removeProperty(LABEL);
  } else {
    node.dataset.nb2prodRole = role;
    node.style.setProperty(LABEL, text);
  }
}

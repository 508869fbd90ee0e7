import type { ICommandPalette } from '@jupyterlab/apputils';
import type { Cell } from '@jupyterlab/cells';
import type { INotebookTracker } from '@jupyterlab/notebook';

import { build } from './actions';
import { CommandIDs, NO_ARGUMENTS, roleCommand } from './commandIds';
import { foreignLanguage, rolesOfCell, writeRole } from './cells';
import type { IContext } from './context';
import { nb2prodIcon, roleIcons } from './icons';
import { forecastPlan, recordedPlan } from './plan';
import { addReleaseCommands } from './releaseCommands';
import { isRole, type Role, ROLES } from './roles';
import { roleWords } from './words';

/**
 * Everything that can be done without the mouse. `schema/panel.json` puts it into menus, toolbars and on keys.
 */
export function addCommands(context: IContext, notebooks: INotebookTracker, panelId: string): void {
  const { app, models, builds, highlight, trans } = context;
  const { commands } = app;
  const showPanel = (): void => {
    app.shell.activateById(panelId);
  };
  const hasNotebook = (): boolean => models.current !== null && models.current.sections.language === null;

  commands.addCommand(CommandIDs.showPanel, {
    label: trans.__('Show nb2prod'),
    icon: nb2prodIcon,
    describedBy: NO_ARGUMENTS,
    execute: showPanel
  });
  addToggleRole(context, notebooks);
  addReleaseCommands(context, showPanel);
  commands.addCommand(CommandIDs.suggest, {
    label: trans.__('Suggest Tags'),
    describedBy: NO_ARGUMENTS,
    isEnabled: hasNotebook,
    execute: async () => {
      showPanel();
      await models.current?.check.suggest();
    }
  });
  commands.addCommand(CommandIDs.check, {
    label: trans.__('Check the Notebook'),
    describedBy: NO_ARGUMENTS,
    isEnabled: hasNotebook,
    execute: async () => {
      showPanel();
      await models.current?.check.check(true);
    }
  });
  commands.addCommand(CommandIDs.build, {
    label: trans.__('Build and Prove'),
    describedBy: NO_ARGUMENTS,
    isEnabled: hasNotebook,
    execute: async () => {
      showPanel();
      if (models.current !== null) {
        await build(context, models.current);
      }
    }
  });
  commands.addCommand(CommandIDs.cancel, {
    label: trans.__('Cancel the Build'),
    describedBy: NO_ARGUMENTS,
    isEnabled: () => ['queued', 'running', 'proving'].includes(models.current?.evidence.build?.state ?? ''),
    execute: async () => {
      const running = models.current?.evidence.build;
      if (running) {
        await builds.cancel(running);
      }
    }
  });
  commands.addCommand(CommandIDs.togglePath, {
    label: trans.__('Highlight the Serving Path'),
    describedBy: NO_ARGUMENTS,
    isEnabled: hasNotebook,
    isToggled: () => models.current !== null && highlight.isShown(models.current.panel),
    execute: () => {
      const current = models.current;
      if (current === null) {
        return;
      }
      const { release, hasChanged } = current.evidence;
      const recorded = release?.plan && hasChanged !== true ? recordedPlan(release.plan) : null;
      const forecast = current.check.found === null ? null : forecastPlan(current.check.found);
      highlight.show(current.panel, highlight.isShown(current.panel) ? null : (recorded ?? forecast));
    }
  });
}

export function addToPalette({ trans }: IContext, palette: ICommandPalette): void {
  const category = trans.__('nb2prod');
  for (const command of Object.values(CommandIDs).filter(id => id !== CommandIDs.toggleRole)) {
    palette.addItem({ command, category });
  }
  for (const role of ROLES) {
    palette.addItem({ command: roleCommand(role), category });
  }
}

function addToggleRole({ app, trans }: IContext, notebooks: INotebookTracker): void {
  const words = roleWords(trans);
  app.commands.addCommand(CommandIDs.toggleRole, {
    label: args => {
      const role = roleArgument(args.role);
      if (args.isMenu === true && role !== null) {
        return words[role].tag;
      }
      return role === null ? trans.__('Tag the Selected Cell') : trans.__('Tag the Selected Cell: %1', words[role].tag);
    },
    caption: args => {
      const role = roleArgument(args.role);
      return role === null ? '' : trans.__('%1: %2', words[role].tag, words[role].meaning);
    },
    icon: args => {
      const role = roleArgument(args.role);
      return role === null || args.isMenu === true ? undefined : roleIcons[role];
    },
    describedBy: {
      args: {
        type: 'object',
        required: ['role'],
        properties: { role: { type: 'string', enum: [...ROLES] }, isMenu: { type: 'boolean' } }
      }
    },
    isEnabled: () => selectedCells(notebooks).length > 0,
    isVisible: () => {
      const notebook = notebooks.currentWidget?.content.model;
      return !notebook || foreignLanguage(notebook) === null;
    },
    isToggled: args => {
      const role = roleArgument(args.role);
      const active = notebooks.activeCell;
      return role !== null && active !== null && rolesOfCell(active.model).includes(role);
    },
    execute: args => {
      const role = roleArgument(args.role);
      const notebook = notebooks.currentWidget?.content.model;
      const active = notebooks.activeCell;
      if (role !== null && notebook && active !== null) {
        const cells = selectedCells(notebooks).map(cell => cell.model);
        // What the active cell does, the other selected ones do with it.
        const on = !rolesOfCell((active.model.type === 'code' ? active.model : cells[0]) ?? active.model).includes(role);
        writeRole(notebook, cells, role, on);
        changed();
      }
    }
  });
  // JupyterLab finds the keys of a toolbar's button by the command alone: each role has one of its own.
  for (const role of ROLES) {
    app.commands.addCommand(roleCommand(role), {
      label: trans.__('Tag the Selected Cell: %1', words[role].tag),
      caption: trans.__('%1: %2', words[role].tag, words[role].meaning),
      icon: roleIcons[role],
      describedBy: NO_ARGUMENTS,
      isEnabled: () => app.commands.isEnabled(CommandIDs.toggleRole, { role }),
      isVisible: () => app.commands.isVisible(CommandIDs.toggleRole, { role }),
      isToggled: () => app.commands.isToggled(CommandIDs.toggleRole, { role }),
      execute: () => app.commands.execute(CommandIDs.toggleRole, { role })
    });
  }
  const changed = (): void => {
    app.commands.notifyCommandChanged(CommandIDs.toggleRole);
    for (const role of ROLES) {
      app.commands.notifyCommandChanged(roleCommand(role));
    }
  };
  // Tags come from the panel, from suggestions and from Undo too: what shows them follows the cell itself.
  let followed: Cell['model'] | null = null;
  notebooks.activeCellChanged.connect((_, cell) => {
    followed?.metadataChanged.disconnect(changed);
    followed = cell?.model ?? null;
    followed?.metadataChanged.connect(changed);
    changed();
  });
  notebooks.currentChanged.connect(changed);
}

function selectedCells(notebooks: INotebookTracker): Cell[] {
  const notebook = notebooks.currentWidget?.content;
  return notebook?.widgets.filter(cell => cell.model.type === 'code' && notebook.isSelectedOrActive(cell)) ?? [];
}

function roleArgument(value: unknown): Role | null {
  return typeof value === 'string' && isRole(value) ? value : null;
}

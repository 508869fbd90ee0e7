import type { ICommandPalette } from '@jupyterlab/apputils';
import type { Cell } from '@jupyterlab/cells';
import type { INotebookTracker } from '@jupyterlab/notebook';

import { build } from './actions';
import { rolesOfCell, writeRole } from './cells';
import type { IContext } from './context';
import { nb2prodIcon, roleIcons } from './icons';
import { forecastPlan, recordedPlan } from './plan';
import { isRole, type Role, ROLES } from './roles';
import { roleWords } from './words';

export const CommandIDs = {
  showPanel: 'nb2prod:show-panel',
  /** Takes `{ role }`: switches that role of the selected cells. */
  toggleRole: 'nb2prod:toggle-role',
  suggest: 'nb2prod:suggest-tags',
  check: 'nb2prod:check',
  build: 'nb2prod:build',
  cancel: 'nb2prod:cancel-build',
  togglePath: 'nb2prod:toggle-path'
} as const;

const NO_ARGUMENTS = { args: { type: 'object', properties: {} } } as const;

/**
 * Everything that can be done without the mouse. `schema/panel.json` puts it into menus, toolbars and on keys.
 */
export function addCommands(context: IContext, notebooks: INotebookTracker, panelId: string): void {
  const { app, models, builds, highlight, trans } = context;
  const { commands } = app;
  const showPanel = (): void => {
    app.shell.activateById(panelId);
  };
  const hasNotebook = (): boolean => models.current !== null;

  commands.addCommand(CommandIDs.showPanel, {
    label: trans.__('Show the nb2prod Panel'),
    icon: nb2prodIcon,
    describedBy: NO_ARGUMENTS,
    execute: showPanel
  });
  addToggleRole(context, notebooks);
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
  const { toggleRole, ...others } = CommandIDs;
  for (const command of Object.values(others)) {
    palette.addItem({ command, category });
  }
  for (const role of ROLES) {
    palette.addItem({ command: toggleRole, category, args: { role } });
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
        app.commands.notifyCommandChanged(CommandIDs.toggleRole);
      }
    }
  });
  const changed = (): void => {
    app.commands.notifyCommandChanged(CommandIDs.toggleRole);
  };
  notebooks.activeCellChanged.connect(changed);
  notebooks.currentChanged.connect(changed);
}

function selectedCells(notebooks: INotebookTracker): Cell[] {
  const notebook = notebooks.currentWidget?.content;
  return notebook?.widgets.filter(cell => cell.model.type === 'code' && notebook.isSelectedOrActive(cell)) ?? [];
}

function roleArgument(value: unknown): Role | null {
  return typeof value === 'string' && isRole(value) ? value : null;
}

import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { ICommandPalette } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

import { isRole, type Role, ROLES } from './roles';
import type { ISectionsTracker } from './tokens';
import { roleWords } from './words';

export const CommandIDs = {
  showPanel: 'nb2prod:show-panel',
  /** Takes `{ role }`: switches that role of the selected cell. */
  toggleRole: 'nb2prod:toggle-role'
} as const;

interface IOptions {
  readonly app: JupyterFrontEnd;
  readonly tracker: ISectionsTracker;
  readonly panelId: string;
  readonly palette: ICommandPalette | null;
  readonly trans: TranslationBundle;
}

export function addCommands({ app, tracker, panelId, palette, trans }: IOptions): void {
  const words = roleWords(trans);
  const category = trans.__('nb2prod');

  app.commands.addCommand(CommandIDs.showPanel, {
    label: trans.__('Show the nb2prod Panel'),
    describedBy: { args: { type: 'object', properties: {} } },
    execute: () => {
      app.shell.activateById(panelId);
    }
  });
  palette?.addItem({ command: CommandIDs.showPanel, category });

  app.commands.addCommand(CommandIDs.toggleRole, {
    label: args => {
      const role = roleArgument(args.role);
      return role === null ? trans.__('Tag the Selected Cell') : trans.__('Tag the Selected Cell: %1', words[role].tag);
    },
    describedBy: {
      args: { type: 'object', required: ['role'], properties: { role: { type: 'string', enum: [...ROLES] } } }
    },
    isEnabled: () => tracker.current?.activeCell != null,
    isToggled: args => {
      const role = roleArgument(args.role);
      return role !== null && (tracker.current?.activeCell?.roles.includes(role) ?? false);
    },
    execute: args => {
      const role = roleArgument(args.role);
      const cell = tracker.current?.activeCell ?? null;
      if (role !== null && cell !== null) {
        tracker.current?.setRole(cell, role, !cell.roles.includes(role));
      }
    }
  });
  for (const role of ROLES) {
    palette?.addItem({ command: CommandIDs.toggleRole, category, args: { role } });
  }
}

function roleArgument(value: unknown): Role | null {
  return typeof value === 'string' && isRole(value) ? value : null;
}

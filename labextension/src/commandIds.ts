import type { Role } from './roles';

/** The names under which JupyterLab knows what can be done here. */
export const CommandIDs = {
  showPanel: 'nb2prod:show-panel',
  /** Takes `{ role }`: switches that role of the selected cells. */
  toggleRole: 'nb2prod:toggle-role',
  suggest: 'nb2prod:suggest-tags',
  check: 'nb2prod:check',
  build: 'nb2prod:build',
  cancel: 'nb2prod:cancel-build',
  togglePath: 'nb2prod:toggle-path',
  openReport: 'nb2prod:open-report',
  deploy: 'nb2prod:deploy',
  tryIt: 'nb2prod:try',
  start: 'nb2prod:start',
  rollBack: 'nb2prod:roll-back',
  stop: 'nb2prod:stop'
} as const;

/** For a command that takes none. */
export const NO_ARGUMENTS = { args: { type: 'object', properties: {} } } as const;

/** Switches one role of the selected cells; for keys and toolbars. */
export function roleCommand(role: Role): string {
  return `nb2prod:toggle-${role}`;
}

import type { IContext } from './context';
import type { INotebookModels } from './factory';
import type { IStanding } from './way';

/** How a notebook stands on its way, from all that is known of it. */
export function standingOf({ deployments }: IContext, { check, evidence }: INotebookModels): IStanding {
  return {
    hasRoles: check.hasRoles,
    hasPredict: check.hasPredict,
    proposal: check.proposal,
    state: check.state,
    check: check.found,
    build: evidence.build,
    release: evidence.release,
    hasChanged: evidence.hasChanged,
    deployments: deployments.deployments ?? []
  };
}

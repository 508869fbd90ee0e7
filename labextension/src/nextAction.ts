import { build } from './actions';
import type { IContext } from './context';
import { deploymentActions } from './deploymentActions';
import type { INotebookModels } from './factory';
import type { NextAction } from './way';

/** Do what the way's button says. */
export async function doNext(context: IContext, models: INotebookModels, action: NextAction): Promise<void> {
  const { check, sections } = models;
  const deploying = deploymentActions(context);
  switch (action.kind) {
    case 'suggest':
      await check.suggest();
      break;
    case 'accept':
      check.accept(check.proposal?.tags ?? []);
      break;
    case 'check':
      await check.check(true);
      break;
    case 'show':
      document.querySelector('.nb2prod-Panel [data-severity="error"].nb2prod-Diagnostic')?.scrollIntoView({ block: 'center' });
      if (action.item.cell !== null) {
        await sections.goTo(action.item.cell, action.item.line);
      }
      break;
    case 'build':
      await build(context, models);
      break;
    case 'deploy':
      deploying.onDeploy(action.bento);
      break;
    case 'start':
      deploying.onAct(action.deployment, 'restart');
      break;
    case 'try':
      deploying.onTried(action.deployment, true);
      requestAnimationFrame(() => {
        document.querySelector('.nb2prod-Panel [data-group="deployments"]')?.scrollIntoView({ block: 'start' });
      });
      break;
  }
}

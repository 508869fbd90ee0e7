import { openPage } from './actions';
import { CommandIDs, NO_ARGUMENTS } from './commandIds';
import type { IContext } from './context';
import { deploymentActions } from './deploymentActions';
import type { IDeployment } from './documents';
import { doNext } from './nextAction';
import { isDown } from './way';

/**
 * What can be done with the newest release of the notebook in front, and with the deployment that runs it.
 */
export function addReleaseCommands(context: IContext, showPanel: () => void): void {
  const { app, models, deployments, trans } = context;
  const actions = deploymentActions(context);
  const deployment = (): IDeployment | null => {
    const release = models.current?.evidence.release ?? null;
    const own = deployments.deployments?.filter(item => item.release === release?.name) ?? [];
    return own.find(item => !isDown(item)) ?? own[0] ?? null;
  };
  const add = (id: string, label: string, isEnabled: () => boolean, execute: () => void): void => {
    app.commands.addCommand(id, { label, describedBy: NO_ARGUMENTS, isEnabled, execute });
  };
  const withDeployment = (work: (found: IDeployment) => void) => (): void => {
    showPanel();
    // While the panel was closed nobody looked at the deployments.
    void deployments.refresh().catch(() => undefined).then(() => {
      const found = deployment();
      if (found !== null) {
        work(found);
      }
    });
  };
  const unless = (isImpossible: (found: IDeployment) => boolean) => (): boolean => {
    const found = deployment();
    return found === null ? deployments.deployments === null && Boolean(models.current?.evidence.release) : !isImpossible(found);
  };

  add(CommandIDs.openReport, trans.__('Open the Parity Report'), () => Boolean(models.current?.evidence.reportSource), () => {
    const source = models.current?.evidence.reportSource ?? null;
    if (models.current !== null && source !== null) {
      void openPage(context, `${source}/report`, trans.__('Parity of %1', models.current.sections.title));
    }
  });
  add(CommandIDs.deploy, trans.__('Deploy the Newest Release'), () => Boolean(models.current?.evidence.release), () => {
    const release = models.current?.evidence.release ?? null;
    showPanel();
    if (release !== null) {
      actions.onDeploy(release.bento);
    }
  });
  add(CommandIDs.tryIt, trans.__('Try the Deployment'), unless(isDown), withDeployment(found => {
    if (models.current !== null) {
      void doNext(context, models.current, { kind: 'try', deployment: found.name });
    }
  }));
  add(CommandIDs.start, trans.__('Start the Deployment'), unless(found => !isDown(found)), withDeployment(found => {
    actions.onAct(found.name, 'restart');
  }));
  add(CommandIDs.rollBack, trans.__('Roll Back the Deployment'), unless(found => found.previous === null), withDeployment(found => {
    actions.onAct(found.name, 'rollback');
  }));
  add(CommandIDs.stop, trans.__('Stop the Deployment'), unless(isDown), withDeployment(found => {
    actions.onAct(found.name, 'stop');
  }));
}

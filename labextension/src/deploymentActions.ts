import { Clipboard, Dialog, showDialog } from '@jupyterlab/apputils';
import { Widget } from '@lumino/widgets';

import { openPage, showFailure } from './actions';
import { ApiError } from './api';
import type { IDeploymentActions } from './components/Deployments';
import type { IContext } from './context';
import type { DeploymentAction } from './documents';
import { shortName } from './components/shortName';
import { compare } from './releaseDiff';

/**
 * What the buttons of a deployment do.
 */
export function deploymentActions(context: IContext): IDeploymentActions {
  const { client, deployments } = context;
  return {
    onDeploy: bento => {
      void deploy(context, bento);
    },
    onAct: (name, action) => {
      void act(context, name, action);
    },
    onTried: (name, on) => {
      deployments.setTried(name, on);
    },
    onForm: name => client.form(name),
    onTry: (name, row, key) => client.tryIt(name, row, key),
    onCopy: text => {
      Clipboard.copyToSystem(text);
    },
    onReleases: name => client.releases(name),
    onDiff: (newer, older) => {
      void showDiff(context, newer.name, newer.version, older.version);
    },
    onWatch: name => client.watching(name),
    onAcknowledge: (name, why) => client.acknowledge(name, why),
    onWatchingPage: name => {
      void openPage(context, `watching/${name}`, context.trans.__('Watching %1', name));
    }
  };
}

/** Roll back or stop, which asks before until told not to; advance a rollout, which always asks; or what needs no question. */
async function act(context: IContext, name: string, action: DeploymentAction): Promise<void> {
  const { client, deployments, trans } = context;
  if ((action === 'rollback' || action === 'stop') && !(await mayAct(context, name, action))) {
    return;
  }
  if (action === 'advance' && !(await mayAdvance(context))) {
    return;
  }
  const words = {
    rollback: trans.__('Rolling back'),
    stop: trans.__('Answering the last requests'),
    restart: trans.__('Starting'),
    advance: trans.__('Advancing'),
    abort: trans.__('Taking the canary out'),
    pause: trans.__('Pausing'),
    resume: trans.__('Resuming')
  }[action];
  try {
    await deployments.during(name, words, () => client.act(name, action));
  } catch (reason) {
    await showFailure(trans.__('%1 could not be changed', name), reason);
  }
}

async function mayAct({ deployments, settings, trans }: IContext, name: string, action: 'rollback' | 'stop'): Promise<boolean> {
  const setting = action === 'stop' ? 'askBeforeStop' : 'askBeforeRollBack';
  if (!settings.values[setting]) {
    return true;
  }
  const previous = deployments.deployments?.find(item => item.name === name)?.previous?.slice(0, 8) ?? trans.__('the release before');
  const words = {
    stop: {
      title: trans.__('Stop %1?', name),
      body: trans.__('It answers the requests that it has, then no more. It can be started again.'),
      button: trans.__('Stop')
    },
    rollback: {
      title: trans.__('Roll %1 back?', name),
      body: trans.__('%1 takes over from the release that answers now.', previous),
      button: trans.__('Roll Back')
    }
  }[action];
  const answer = await showDialog({
    title: words.title,
    body: words.body,
    checkbox: { label: trans.__("Don't ask again") },
    buttons: [Dialog.cancelButton(), Dialog.warnButton({ label: words.button })]
  });
  if (answer.button.accept && answer.isChecked === true) {
    await settings.set(setting, false);
  }
  return answer.button.accept;
}

async function mayAdvance({ trans }: IContext): Promise<boolean> {
  const answer = await showDialog({
    title: trans.__('On to the next stage?'),
    body: trans.__('The canary gets more callers, whether or not harm would have been seen by now. That you did it is recorded.'),
    buttons: [Dialog.cancelButton(), Dialog.warnButton({ label: trans.__('Advance') })]
  });
  return answer.button.accept;
}

async function deploy(context: IContext, bento: string, withoutOwner = false): Promise<void> {
  const { client, deployments, settings, trans } = context;
  const [name = bento] = bento.split(':');
  const options = { without_owner: withoutOwner, target: settings.values.defaultTarget };
  try {
    await deployments.during(name, trans.__('Deploying %1', shortName(bento)), () => client.deploy(bento, options));
  } catch (reason) {
    if (!withoutOwner && reason instanceof ApiError && reason.message.includes('has no owner')) {
      if (await mayDeployWithoutOwner(context, bento)) {
        await deploy(context, bento, true);
      }
      return;
    }
    await showFailure(trans.__('%1 was not deployed', bento), reason);
  }
}

async function mayDeployWithoutOwner({ trans }: IContext, bento: string): Promise<boolean> {
  const answer = await showDialog({
    title: trans.__('Deploy without an owner?'),
    body: trans.__(
      'Nobody would answer for %1. Better: set owner = "..." in nb2prod.toml beside the notebook and build again.',
      bento
    ),
    buttons: [Dialog.cancelButton(), Dialog.warnButton({ label: trans.__('Deploy Anyway') })]
  });
  return answer.button.accept;
}

async function showDiff({ client, trans }: IContext, name: string, newer: string, older: string): Promise<void> {
  const title = trans.__('%1: %2 against %3', name, newer.slice(0, 8), older.slice(0, 8));
  try {
    const [now, before] = await Promise.all([client.release(name, newer), client.release(name, older)]);
    const lines = compare(before, now, trans);
    const node = document.createElement('pre');
    node.className = 'nb2prod-Diff';
    node.tabIndex = 0;
    for (const line of lines) {
      const row = document.createElement('div');
      row.dataset.kind = line.kind;
      row.textContent = line.text;
      node.append(row);
    }
    await showDialog({ title, body: new Widget({ node }), buttons: [Dialog.okButton({ label: trans.__('Close') })] });
  } catch (reason) {
    await showFailure(title, reason);
  }
}

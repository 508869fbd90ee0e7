import { Clipboard, Dialog, showDialog } from '@jupyterlab/apputils';
import { Widget } from '@lumino/widgets';

import { showFailure } from './actions';
import { ApiError } from './api';
import type { IDeploymentActions } from './components/Deployments';
import type { IContext } from './context';
import { compare } from './releaseDiff';

/**
 * What the buttons of a deployment do.
 */
export function deploymentActions(context: IContext): IDeploymentActions {
  const { client, deployments, trans } = context;
  return {
    onDeploy: bento => {
      void deploy(context, bento);
    },
    onAct: (name, action) => {
      const words = {
        rollback: trans.__('Rolling back'),
        stop: trans.__('Answering the last requests'),
        restart: trans.__('Starting')
      }[action];
      const failure = trans.__('%1 could not be changed', name);
      deployments.during(name, words, () => client.act(name, action)).catch((reason: unknown) => showFailure(failure, reason));
    },
    onForm: name => client.form(name),
    onTry: (name, row, key) => client.tryIt(name, row, key),
    onCopy: text => {
      Clipboard.copyToSystem(text);
    },
    onReleases: name => client.releases(name),
    onDiff: (newer, older) => {
      void showDiff(context, newer.name, newer.version, older.version);
    }
  };
}

async function deploy(context: IContext, bento: string, withoutOwner = false): Promise<void> {
  const { client, deployments, settings, trans } = context;
  const [name = bento] = bento.split(':');
  const options = { without_owner: withoutOwner, target: settings.values.defaultTarget };
  try {
    await deployments.during(name, trans.__('Deploying %1', bento), () => client.deploy(bento, options));
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

import { refreshIcon, stopIcon, undoIcon } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { JSONObject } from '@lumino/coreutils';
import * as React from 'react';

import type { ISample } from '../deployments';
import type { DeploymentAction, IDeployment, IForm, IRelease, ITried } from '../documents';
import type { IWatching } from '../watching';
import { isDown } from '../way';
import { Breakable } from './Breakable';
import { Group } from './Group';
import { History } from './History';
import { RolloutView } from './RolloutView';
import { Sparkline } from './Sparkline';
import { TryIt } from './TryIt';
import { Watching } from './Watching';
import { shortName } from './shortName';

export interface IDeploymentActions {
  readonly onDeploy: (bento: string) => void;
  readonly onAct: (name: string, action: DeploymentAction) => void;
  /** Open or close the form to ask a deployment. */
  readonly onTried: (name: string, on: boolean) => void;
  readonly onForm: (name: string) => Promise<IForm>;
  readonly onTry: (name: string, row: JSONObject, key: string) => Promise<ITried>;
  readonly onCopy: (text: string) => void;
  readonly onReleases: (name: string) => Promise<readonly IRelease[]>;
  readonly onDiff: (newer: IRelease, older: IRelease) => void;
  readonly onWatch: (name: string) => Promise<IWatching>;
  readonly onAcknowledge: (name: string, why: string) => Promise<IWatching>;
  readonly onWatchingPage: (name: string) => void;
}

interface IProps {
  readonly deployments: readonly IDeployment[] | null;
  readonly error: string | null;
  /** The notebook's newest release. */
  readonly release: IRelease | null;
  readonly hasChanged: boolean | null;
  readonly busy: ReadonlyMap<string, string>;
  readonly samples: (name: string) => readonly ISample[];
  /** Whether the form to ask it is open. */
  readonly isTried: (name: string) => boolean;
  readonly actions: IDeploymentActions;
  readonly trans: TranslationBundle;
}

/**
 * Where the notebook's releases run; the other deployments of this machine stand below, in short.
 */
export function Deployments(props: IProps): React.JSX.Element | null {
  const { deployments, error, release, busy, trans, actions } = props;
  if (release === null && (deployments === null || deployments.length === 0)) {
    return null;
  }
  const own = (deployments ?? []).filter(item => item.release === release?.name);
  const others = (deployments ?? []).filter(item => item.release !== release?.name);
  const deploying = release === null ? undefined : busy.get(release.name);
  return (
    <Group name="deployments" title={trans.__('Deployments')}>
      {error !== null && (
        <p className="nb2prod-Trouble" role="alert">
          {trans.__('The deployments can not be looked at: %1', error)}
        </p>
      )}
      {release !== null && own.length === 0 && deploying !== undefined && (
        <Head item={{ name: release.name, state: 'starting', version: release.version, bento: release.bento }} trans={trans} />
      )}
      {release !== null && own.length === 0 && deploying === undefined && (
        <>
          <p className="nb2prod-Quiet" role="status">
            {trans.__('%1 is proved and runs nowhere yet.', shortName(release.bento))}
          </p>
          <button className="nb2prod-Button" onClick={() => { actions.onDeploy(release.bento); }}>
            {trans.__('Deploy')}
          </button>
        </>
      )}
      {own.map(item => (
        <Card key={item.name} item={item} {...props} />
      ))}
      {others.length > 0 && (
        <>
          <h4 className="nb2prod-Sub">{release === null ? trans.__('On this machine') : trans.__('Others')}</h4>
          {others.map(item => (
            <Head key={item.name} item={item} trans={trans} />
          ))}
        </>
      )}
    </Group>
  );
}

type HeadItem = Pick<IDeployment, 'name' | 'state' | 'version' | 'bento'>;

function Head({ item, trans }: { readonly item: HeadItem; readonly trans: TranslationBundle }): React.JSX.Element {
  return (
    <div className="nb2prod-Deployment-head" data-state={item.state}>
      <span className="nb2prod-State" data-state={item.state}>
        {deploymentWord(item.state, trans)}
      </span>
      <strong>
        <Breakable text={item.name} />
      </strong>
      <code title={item.bento ?? ''}>{item.version?.slice(0, 8) ?? ''}</code>
    </div>
  );
}

type CardProps = IProps & { readonly item: IDeployment };

function Card(props: CardProps): React.JSX.Element {
  const { item, release, hasChanged, busy, samples, isTried, actions, trans } = props;
  const doing = busy.get(item.name);
  const isLatest = release === null || release.version === item.version;
  const isTrying = isTried(item.name) && !isDown(item);
  return (
    <article className="nb2prod-Deployment" aria-label={item.name} data-state={item.state}>
      <Head item={doing !== undefined && isDown(item) ? { ...item, state: 'starting' } : item} trans={trans} />
      {/* What is done to the deployment of that name stands beside the way's button. */}
      {doing !== undefined && item.name !== release?.name && (
        <p className="nb2prod-Quiet" role="status">
          {doing}
        </p>
      )}
      {item.state !== 'starting' && <Facts item={item} samples={samples(item.name)} trans={trans} />}
      {item.rollout !== null && (
        <RolloutView rollout={item.rollout} isBusy={doing !== undefined} trans={trans} onAct={action => { actions.onAct(item.name, action); }} />
      )}
      {hasChanged === true && isLatest && (
        <p className="nb2prod-Build-changed" role="status">
          {trans.__('The notebook has changed since this release.')}
        </p>
      )}
      {/* The notebook in front is compared as it is being edited: the note of the file on disk would say it twice. */}
      {item.notes
        .filter(note => !note.startsWith('the notebook has changed') && note !== item.rollout?.sentence)
        .map(note => (
          <p key={note} className="nb2prod-Quiet">
            {note}
          </p>
        ))}
      {(item.state !== 'starting' || item.version !== null) && <Buttons {...props} isTrying={isTrying} onTry={() => { actions.onTried(item.name, !isTrying); }} />}
      {isTrying && <Form key={item.version} item={item} actions={actions} trans={trans} />}
      {item.version !== null && <Watching key={`watching ${item.version}`} item={item} actions={actions} trans={trans} />}
      <History item={item} actions={actions} trans={trans} />
    </article>
  );
}

/** The form to ask one release: another release has another, and none of its answers. */
function Form({ item, actions, trans }: Pick<CardProps, 'item' | 'actions' | 'trans'>): React.JSX.Element | null {
  const [form, setForm] = React.useState<IForm | string | null>(null);
  const { onForm } = actions;
  React.useEffect(() => {
    let isGone = false;
    onForm(item.name).then(
      found => { if (!isGone) { setForm(found); } },
      (reason: unknown) => { if (!isGone) { setForm(reason instanceof Error ? reason.message : String(reason)); } }
    );
    return () => { isGone = true; };
  }, [item.name, onForm]);
  if (form === null) {
    return null;
  }
  if (typeof form === 'string') {
    return <p className="nb2prod-Trouble">{form}</p>;
  }
  return (
    <TryIt
      form={form}
      url={item.url}
      release={shortName(item.bento ?? item.release)}
      trans={trans}
      onTry={(row, key) => actions.onTry(item.name, row, key)}
      onCopy={actions.onCopy}
    />
  );
}

function Buttons({
  item,
  release,
  busy,
  actions,
  trans,
  isTrying,
  onTry
}: CardProps & { readonly isTrying: boolean; readonly onTry: () => void }): React.JSX.Element {
  const disabled = busy.has(item.name);
  // While a version gets its callers in stages, no other one does.
  const newer = release !== null && release.version !== item.version && item.rollout === null ? release : null;
  const act = (action: 'rollback' | 'stop' | 'restart') => (): void => {
    actions.onAct(item.name, action);
  };
  return (
    <div className="nb2prod-Deployment-actions">
      {newer !== null && (
        <button
          className="nb2prod-Button"
          disabled={disabled}
          onClick={() => {
            actions.onDeploy(newer.bento);
          }}
        >
          {trans.__('Deploy %1', newer.version.slice(0, 8))}
        </button>
      )}
      {(item.state === 'serving' || item.state === 'degraded') && (
        <button className="nb2prod-Button" aria-expanded={isTrying} onClick={onTry}>
          {trans.__('Try it')}
        </button>
      )}
      {item.previous !== null && item.rollout === null && (
        <IconAction
          icon={undoIcon}
          label={trans.__('Roll back to %1', item.previous.slice(0, 8))}
          text={trans.__('Roll back')}
          disabled={disabled}
          onClick={act('rollback')}
        />
      )}
      {isDown(item) ? (
        <IconAction icon={refreshIcon} label={trans.__('Start again')} text={trans.__('Start')} disabled={disabled} onClick={act('restart')} />
      ) : (
        <IconAction icon={stopIcon} label={trans.__('Stop %1', item.name)} text={trans.__('Stop')} disabled={disabled} onClick={act('stop')} />
      )}
    </div>
  );
}

interface IActionProps {
  readonly icon: typeof stopIcon;
  readonly label: string;
  readonly text: string;
  readonly disabled: boolean;
  readonly onClick: () => void;
}

function IconAction({ icon: Icon, label, text, disabled, onClick }: IActionProps): React.JSX.Element {
  return (
    <button className="nb2prod-Button" title={label} disabled={disabled} onClick={onClick}>
      <Icon.react tag="span" className="nb2prod-Button-icon" />
      {text}
    </button>
  );
}

/** Of fewer requests a percentile says nothing. */
const ENOUGH = 30;

function Facts({ item, samples, trans }: { readonly item: IDeployment; readonly samples: readonly ISample[]; readonly trans: TranslationBundle }): React.JSX.Element {
  const last = samples[samples.length - 1];
  const hasEnough = (item.requests ?? 0) >= ENOUGH;
  const times = (key: 'p50' | 'p99'): (number | null)[] => (hasEnough ? samples.map(sample => sample[key]) : []);
  return (
    <>
      <p className="nb2prod-Deployment-where">
        <code>
          <Breakable text={item.url} />
        </code>
        {item.uptime !== null && <span className="nb2prod-Quiet-inline">{trans.__('up %1', duration(item.uptime))}</span>}
      </p>
      {!isDown(item) && (
        <>
          <div className="nb2prod-Metrics">
            <Sparkline label={trans.__('requests/s')} value={number(last?.rate ?? null)} values={samples.map(sample => sample.rate)} />
            <Sparkline label={trans.__('errors')} value={item.errors === null ? '–' : item.errors.toLocaleString()} values={samples.map(sample => sample.errors)} />
            <Sparkline label={trans.__('p50')} value={hasEnough ? milliseconds(item.p50) : '–'} values={times('p50')} />
            <Sparkline label={trans.__('p99')} value={hasEnough ? milliseconds(item.p99) : '–'} values={times('p99')} />
          </div>
          {!hasEnough && item.requests !== null && (
            <p className="nb2prod-Quiet">
              {trans._n('%1 request so far; times from %2 on.', '%1 requests so far; times from %2 on.', item.requests, ENOUGH)}
            </p>
          )}
        </>
      )}
    </>
  );
}

export function deploymentWord(state: IDeployment['state'], trans: TranslationBundle): string {
  return {
    starting: trans.__('starting'),
    serving: trans.__('serving'),
    degraded: trans.__('degraded'),
    draining: trans.__('draining'),
    stopped: trans.__('stopped'),
    failed: trans.__('failed'),
    gone: trans.__('gone')
  }[state];
}

export function duration(seconds: number): string {
  const parts: [number, string][] = [[86_400, 'd'], [3600, 'h'], [60, 'min']];
  for (const [length, unit] of parts) {
    if (seconds >= length) {
      return `${Math.floor(seconds / length)} ${unit}`;
    }
  }
  return `${Math.floor(seconds)} s`;
}

function number(value: number | null): string {
  return value === null ? '–' : value.toFixed(value < 10 ? 1 : 0);
}

function milliseconds(seconds: number | null): string {
  if (seconds === null) {
    return '–';
  }
  return seconds < 1 ? `${(seconds * 1000).toFixed(seconds < 0.01 ? 1 : 0)} ms` : `${seconds.toFixed(1)} s`;
}

import { caretDownIcon, caretRightIcon } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IDeployment } from '../documents';
import type { ILabels, ISeries, IWatching, WatchState } from '../watching';
import { Breakable } from './Breakable';
import type { IDeploymentActions } from './Deployments';

interface IProps {
  readonly item: IDeployment;
  readonly actions: IDeploymentActions;
  readonly trans: TranslationBundle;
}

/**
 * Whether a deployment is still asked what its training showed: looked at when it is opened.
 */
export function Watching({ item, actions, trans }: IProps): React.JSX.Element {
  const [seen, setSeen] = React.useState<IWatching | string | null>(null);
  const [isOpen, setOpen] = React.useState(false);
  const Caret = isOpen ? caretDownIcon : caretRightIcon;
  const { onWatch } = actions;
  React.useEffect(() => {
    let isGone = false;
    if (isOpen) {
      onWatch(item.name).then(
        found => { if (!isGone) { setSeen(found); } },
        (reason: unknown) => { if (!isGone) { setSeen(words(reason)); } }
      );
    }
    return () => { isGone = true; };
  }, [isOpen, item.name, onWatch]);
  return (
    <div className="nb2prod-Watching">
      <button className="nb2prod-Group-toggle" aria-expanded={isOpen} onClick={() => { setOpen(!isOpen); }}>
        <Caret.react tag="span" className="nb2prod-Group-caret" />
        {trans.__('Watching')}
      </button>
      {isOpen && seen === null && (
        <p className="nb2prod-Quiet" role="status">
          {trans.__('Reading the request log…')}
        </p>
      )}
      {isOpen && typeof seen === 'string' && (
        <p className="nb2prod-Trouble" role="alert">
          {seen}
        </p>
      )}
      {isOpen && seen !== null && typeof seen !== 'string' && (
        <Look seen={seen} trans={trans} actions={actions} onSeen={setSeen} />
      )}
    </div>
  );
}

interface ILookProps {
  readonly seen: IWatching;
  readonly trans: TranslationBundle;
  readonly actions: IDeploymentActions;
  readonly onSeen: (seen: IWatching) => void;
}

function Look({ seen, trans, actions, onSeen }: ILookProps): React.JSX.Element {
  return (
    <div className="nb2prod-Watching-look">
      <p className="nb2prod-Watching-head">
        <State state={seen.state} trans={trans} />
        <span className="nb2prod-Quiet-inline">
          {trans._n('%2 rows of %1 day', '%2 rows of %1 days', seen.days.length, seen.rows.toLocaleString())}
        </span>
        <button className="nb2prod-Link" onClick={() => { actions.onWatchingPage(seen.name); }}>
          {trans.__('Open as a page')}
        </button>
      </p>
      {seen.alarms.map(alarm => (
        <p key={alarm.id} className="nb2prod-Trouble" role="alert">
          <strong>{trans.__('Alarm')}</strong> <time dateTime={alarm.raised}>{minute(alarm.raised)}</time>
          {alarm.model !== seen.model && ` (${alarm.model})`}: {alarm.text}
        </p>
      ))}
      {seen.alarms.length > 0 && <Acknowledge seen={seen} trans={trans} actions={actions} onSeen={onSeen} />}
      {seen.acknowledged.map(alarm => (
        <p key={alarm.id} className="nb2prod-Quiet">
          {trans.__('Acknowledged by %1 (%2): %3', alarm.who ?? '', alarm.why ?? '', alarm.text)}
        </p>
      ))}
      {seen.rows > 0 && (
        <ul className="nb2prod-Rows">
          {seen.series.map(series => (
            <Series key={series.name} series={series} trans={trans} />
          ))}
        </ul>
      )}
      {seen.labels !== null && <Labels labels={seen.labels} trans={trans} />}
      {[...seen.notes, ...seen.unwatched.map(item => trans.__('Not watched: %1: %2', item.name, item.reason))].map(text => (
        <p key={text} className="nb2prod-Quiet">
          <Breakable text={text} />
        </p>
      ))}
      <p className="nb2prod-Quiet">{`${seen.promise.charAt(0).toUpperCase()}${seen.promise.slice(1)}.`}</p>
    </div>
  );
}

/** Says who looks after the alarms, and takes why they need nothing more. */
function Acknowledge({ seen, trans, actions, onSeen }: ILookProps): React.JSX.Element {
  const [why, setWhy] = React.useState('');
  const [problem, setProblem] = React.useState<string | null>(null);
  const id = React.useId();
  const send = async (): Promise<void> => {
    try {
      onSeen(await actions.onAcknowledge(seen.name, why));
    } catch (reason) {
      setProblem(words(reason));
    }
  };
  return (
    <form
      className="nb2prod-Watching-seen"
      onSubmit={event => {
        event.preventDefault();
        void send();
      }}
    >
      <label htmlFor={id} className="nb2prod-Quiet">
        {trans.__('Owner: %1. Once it is seen to, why is it no matter?', seen.owner ?? trans.__('nobody'))}
      </label>
      {seen.runbook !== null && <Runbook address={seen.runbook} trans={trans} />}
      <input id={id} value={why} onChange={event => { setWhy(event.target.value); }} />
      <button className="nb2prod-Button" disabled={why.trim() === ''}>
        {trans.__('Acknowledge')}
      </button>
      {problem !== null && (
        <p className="nb2prod-Trouble" role="alert">
          {problem}
        </p>
      )}
    </form>
  );
}

/** A runbook is whatever its owner wrote: a link only where it is an address of the web. */
function Runbook({ address, trans }: { readonly address: string; readonly trans: TranslationBundle }): React.JSX.Element {
  return /^https?:\/\//.test(address) ? (
    <a className="nb2prod-Link" href={address} target="_blank" rel="noreferrer">
      {trans.__('Runbook')}
    </a>
  ) : (
    <span className="nb2prod-Quiet">{trans.__('Runbook: %1', address)}</span>
  );
}

/** A series with both distributions, which its line opens. */
function Series({ series, trans }: { readonly series: ISeries; readonly trans: TranslationBundle }): React.JSX.Element {
  const { size } = series;
  const has = size !== null;
  return (
    <li>
      <details open={series.state === 'drifted'}>
        <summary>
          <span className="nb2prod-Watching-name">
            <Breakable text={series.name} />
          </span>
          <State state={series.state} trans={trans} />
        </summary>
        {has && (
          <p className="nb2prod-Quiet">
            {trans.__('Total variation %1 (%2 to %3), evidence %4', digits(size.value), digits(size.low), digits(size.high), evidence(series.evidence))}
            {series.since !== null && `, ${trans.__('since %1', series.since)}`}
            {'. '}
            {trans.__('Grey: training; blue: now.')} {series.note}
          </p>
        )}
        {has ? <Shares series={series} /> : <p className="nb2prod-Quiet">{series.note}</p>}
      </details>
    </li>
  );
}

/** Two bars a bin: training's share above, the present one below. */
function Shares({ series }: { readonly series: ISeries }): React.JSX.Element {
  const before = shares(series.reference);
  const now = shares(series.current);
  const most = Math.max(...before, ...now, 1e-9);
  return (
    <table className="nb2prod-Shares">
      <tbody>
        {series.labels.map((label, at) => {
          const pair = [before[at] ?? 0, now[at] ?? 0] as const;
          return pair[0] === 0 && pair[1] === 0 ? null : (
            <tr key={label}>
              <th scope="row" title={label}>
                {label}
              </th>
              <td>
                <span className="nb2prod-Shares-training" style={{ width: `${100 * pair[0] / most}%` }} />
                <span className="nb2prod-Shares-now" style={{ width: `${100 * pair[1] / most}%` }} />
              </td>
              <td className="nb2prod-Shares-number">
                <span>{percent(pair[0])}</span>
                <span>{percent(pair[1])}</span>
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function Labels({ labels, trans }: { readonly labels: ILabels; readonly trans: TranslationBundle }): React.JSX.Element {
  return (
    <p className="nb2prod-Watching-labels">
      {trans.__('Labels: %1 of %2 rows (%3).', labels.labelled.toLocaleString(), labels.rows.toLocaleString(), percent(labels.coverage))}{' '}
      {labels.loss !== null && labels.low !== null && labels.high !== null && (
        <>
          {trans.__('%1: %2 (%3 to %4)', capital(labels.loss_name), figure(labels.loss), figure(labels.low), figure(labels.high))}
          {labels.notebook_loss !== null && trans.__("; the notebook's: %1", figure(labels.notebook_loss))}.
        </>
      )}
    </p>
  );
}

function State({ state, trans }: { readonly state: WatchState; readonly trans: TranslationBundle }): React.JSX.Element {
  const word = { waiting: trans.__('waiting'), quiet: trans.__('quiet'), drifting: trans.__('drifting'), drifted: trans.__('drifted') }[state];
  return (
    <span className="nb2prod-WatchState" data-state={state}>
      {word}
    </span>
  );
}

export function shares(counts: readonly number[]): number[] {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.map(count => (total === 0 ? 0 : count / total));
}

export function evidence(value: number): string {
  return value < 1_000_000 ? figure(value, 3) : '> 1,000,000';
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** A number in so many digits. */
function figure(value: number, count = 4): string {
  return Number(value.toPrecision(count)).toLocaleString();
}

function digits(value: number): string {
  return value.toFixed(3);
}

function minute(moment: string): string {
  return new Date(moment).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' });
}

function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

function words(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason);
}

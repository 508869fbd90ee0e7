import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { DeploymentAction, IRollout } from '../documents';

interface IProps {
  readonly rollout: IRollout;
  readonly isBusy: boolean;
  readonly trans: TranslationBundle;
  readonly onAct: (action: DeploymentAction) => void;
}

/**
 * A version that gets its callers in stages: where it is, what speaks against it, what is awaited, and what can be done by hand.
 */
export function RolloutView({ rollout, isBusy, trans, onAct }: IProps): React.JSX.Element {
  const at = rollout.stages.indexOf(rollout.stage);
  const isLast = at === rollout.stages.length - 1;
  return (
    <section className="nb2prod-Rollout" aria-label={trans.__('Staged rollout')}>
      <p className="nb2prod-Rollout-head">
        <strong>{trans.__('Canary')}</strong> <code title={rollout.version}>{rollout.version.slice(0, 8)}</code>{' '}
        <span className="nb2prod-Quiet-inline">{rollout.paused ? trans.__('paused') : trans.__('beside %1', rollout.stable.slice(0, 8))}</span>
      </p>
      <ol className="nb2prod-Rollout-stages">
        {rollout.stages.map((stage, position) => (
          <li key={stage} data-stage={position < at ? 'over' : position === at ? 'here' : 'ahead'} aria-current={position === at ? 'step' : undefined}>
            {stage}
          </li>
        ))}
      </ol>
      {rollout.requests > 0 && <Evidence rollout={rollout} trans={trans} />}
      {rollout.awaited !== '' && !rollout.paused && <p className="nb2prod-Quiet">{trans.__('Waits for %1.', rollout.awaited)}</p>}
      {rollout.problem !== '' && (
        <p className="nb2prod-Trouble" role="alert">
          {rollout.problem}
        </p>
      )}
      {!isLast && (
        <div className="nb2prod-Deployment-actions">
          <button className="nb2prod-Button" disabled={isBusy} onClick={() => { onAct(rollout.paused ? 'resume' : 'pause'); }}>
            {rollout.paused ? trans.__('Resume') : trans.__('Pause')}
          </button>
          <button className="nb2prod-Button" disabled={isBusy} onClick={() => { onAct('advance'); }}>
            {trans.__('Advance to %1', rollout.stages[at + 1] ?? '')}
          </button>
          <button className="nb2prod-Button" disabled={isBusy} onClick={() => { onAct('abort'); }}>
            {trans.__('Abort')}
          </button>
        </div>
      )}
    </section>
  );
}

/** How much speaks against the canary, and how often it did what the stable release does too. */
function Evidence({ rollout, trans }: Pick<IProps, 'rollout' | 'trans'>): React.JSX.Element {
  const kinds = Object.entries(rollout.rates).filter(([, [canary, stable]]) => canary > 0 || stable > 0);
  return (
    <>
      <label className="nb2prod-Rollout-evidence">
        <span>{trans.__('Evidence of harm')}</span>
        <meter min={0} max={1} value={filled(rollout.evidence, rollout.needed)} aria-label={trans.__('Evidence of harm')} />
        <span>{trans.__('%1 of %2', short(rollout.evidence), short(rollout.needed))}</span>
      </label>
      <p className="nb2prod-Quiet">
        {rollout.wanted === null
          ? trans._n('%1 request answered by the canary', '%1 requests answered by the canary', rollout.requests)
          : trans.__('%1 of %2 requests, after which harm would have been seen', rollout.requests.toLocaleString(), rollout.wanted.toLocaleString())}
      </p>
      {kinds.length > 0 && (
        <table className="nb2prod-Table">
          <thead>
            <tr>
              <th scope="col">{trans.__('of requests')}</th>
              <th scope="col">{trans.__('canary')}</th>
              <th scope="col">{trans.__('stable')}</th>
            </tr>
          </thead>
          <tbody>
            {kinds.map(([kind, [canary, stable]]) => (
              <tr key={kind}>
                <th scope="row">{kind}</th>
                <td>{percent(canary)}</td>
                <td>{percent(stable)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}

/** Evidence grows by factors: half of the bar is the square root of what is needed. */
export function filled(evidence: number, needed: number): number {
  return evidence <= 1 ? 0 : Math.min(1, Math.log(evidence) / Math.log(needed));
}

function short(value: number): string {
  return value < 10 ? value.toFixed(1) : Math.round(value).toLocaleString();
}

function percent(share: number): string {
  return `${(100 * share).toFixed(share < 0.1 ? 2 : 1)} %`;
}

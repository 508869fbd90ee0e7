import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { hasEnded } from '../builds';
import type { IBuild, IBuildOutcome, IFix } from '../documents';
import { DiagnosticItem, Hint } from './DiagnosticItem';
import type { OnGo } from './PlaceLink';

interface IProps {
  readonly build: IBuild | null;
  readonly outcome: IBuildOutcome | null;
  readonly trans: TranslationBundle;
  readonly onCancel: (build: IBuild) => void;
  readonly onLog: (build: IBuild) => void;
  readonly onGo: OnGo;
  readonly onFix: (fix: IFix) => void;
}

const STAGES = ['environment', 'record', 'plan', 'package', 'prove', 'release'] as const;

/**
 * How the newest build stands: its stages while it runs, what came of it after. Nothing where there was none.
 */
export function BuildBar(props: IProps): React.JSX.Element | null {
  const { build, trans } = props;
  if (build === null) {
    return null;
  }
  return (
    <section className="nb2prod-Build" aria-label={trans.__('Build')}>
      {hasEnded(build) ? <Ended {...props} build={build} /> : <Running {...props} build={build} />}
    </section>
  );
}

function Running({ build, trans, onCancel, onLog }: IProps & { readonly build: IBuild }): React.JSX.Element {
  const stage = build.stages[build.stages.length - 1]?.name ?? null;
  return (
    <>
      <div className="nb2prod-Build-now" role="status">
        <span>{stageText(build, stage, trans)}</span>
        <Elapsed since={build.started} />
      </div>
      <ol className="nb2prod-Stages" aria-label={trans.__('Stages')}>
        {STAGES.map(name => (
          <li key={name} data-state={stageState(build, name)} aria-current={name === stage ? 'step' : undefined} title={stageWord(name, trans)}>
            <span className="nb2prod-Stages-word">{stageWord(name, trans)}</span>
            {name === 'record' && name === stage && build.cells !== null && (
              <progress
                aria-label={trans.__('Cells that have run')}
                value={build.cells[0]}
                max={build.cells[1]}
              />
            )}
          </li>
        ))}
      </ol>
      <div className="nb2prod-Build-actions">
        <button className="nb2prod-Button" disabled={build.cancelling} onClick={() => { onCancel(build); }}>
          {build.cancelling ? trans.__('Stopping the kernel…') : trans.__('Cancel')}
        </button>
        <button className="nb2prod-Link" onClick={() => { onLog(build); }}>
          {trans.__('Log')}
        </button>
      </div>
    </>
  );
}

function Ended({ build, outcome, trans, onLog, onGo, onFix }: IProps & { readonly build: IBuild }): React.JSX.Element {
  const found = build.state === 'proved' ? [] : (outcome?.diagnostics ?? []).filter(item => item.severity === 'error');
  const hint = outcome?.error?.hint ?? '';
  return (
    <div className="nb2prod-Outcome" data-state={build.state} role="status">
      <p>
        {needsWord(build) && <strong>{stateWord(build.state, trans)} </strong>}
        {found.length === 0 ? build.summary : trans._n('%1 line stands in the way:', '%1 lines stand in the way:', found.length)}{' '}
        <button className="nb2prod-Link" onClick={() => { onLog(build); }}>
          {trans.__('Log')}
        </button>
      </p>
      {found.length === 0 && build.state === 'failed' && hint !== '' && <Hint text={hint} />}
      {found.map((item, index) => (
        <DiagnosticItem key={index} item={item} trans={trans} onGo={onGo} onFix={onFix} />
      ))}
    </div>
  );
}

function Elapsed({ since }: { readonly since: string | null }): React.JSX.Element | null {
  const [now, setNow] = React.useState(() => Date.now());
  React.useEffect(() => {
    const timer = setInterval(() => { setNow(Date.now()); }, 1000);
    return () => { clearInterval(timer); };
  }, []);
  if (since === null) {
    return null;
  }
  const seconds = Math.max(0, Math.round((now - Date.parse(since)) / 1000));
  // Read out each second it would drown everything else.
  return (
    <span className="nb2prod-Elapsed" aria-hidden="true">
      {clock(seconds)}
    </span>
  );
}

/** `4:07`, `1:02:09`. */
function clock(seconds: number): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

function stageState(build: IBuild, name: string): 'done' | 'now' | 'ahead' {
  const index = build.stages.findIndex(stage => stage.name === name);
  if (index < 0) {
    return 'ahead';
  }
  return index === build.stages.length - 1 ? 'now' : 'done';
}

function stageText(build: IBuild, stage: string | null, trans: TranslationBundle): string {
  if (build.cancelling) {
    return trans.__('Cancelling');
  }
  if (stage === null) {
    return build.state === 'queued' ? trans.__('Waiting for another build') : trans.__('Starting');
  }
  if (stage === 'record' && build.cells !== null) {
    return trans.__('Running cell %1 of %2', Math.min(build.cells[0] + 1, build.cells[1]), build.cells[1]);
  }
  const text: Record<string, string> = {
    environment: trans.__('Looking at the environment'),
    record: trans.__('Running the notebook'),
    plan: trans.__('Finding the serving path'),
    package: trans.__('Making the Bento'),
    prove: trans.__('Comparing the service with the notebook'),
    release: trans.__('Writing the release')
  };
  return text[stage] ?? stage;
}

function stageWord(name: (typeof STAGES)[number], trans: TranslationBundle): string {
  return {
    environment: trans.__('Set up'),
    record: trans.__('Run'),
    plan: trans.__('Plan'),
    package: trans.__('Package'),
    prove: trans.__('Prove'),
    release: trans.__('Release')
  }[name];
}

/** Whether the sentence about a build's end does not say itself how it ended. */
export function needsWord(build: IBuild): boolean {
  return build.state === 'refused' || build.state === 'failed';
}

export function stateWord(state: IBuild['state'], trans: TranslationBundle): string {
  return {
    queued: trans.__('Queued'),
    running: trans.__('Running'),
    proving: trans.__('Proving'),
    proved: trans.__('Proved.'),
    refused: trans.__('Refused.'),
    cancelled: trans.__('Cancelled.'),
    failed: trans.__('Failed.')
  }[state];
}

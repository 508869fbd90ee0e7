import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IRelease } from '../documents';
import { deploymentOf, errorsOf, isDown, type INext, type IStanding, type NextAction, type Step, STEPS } from '../way';
import { Breakable } from './Breakable';
import { deploymentWord } from './Deployments';
import { shortName } from './shortName';

interface IProps {
  readonly standing: IStanding;
  readonly next: INext;
  /** What is being done to the deployment just now; null for nothing. */
  readonly doing: string | null;
  readonly trans: TranslationBundle;
  readonly onAct: (action: NextAction) => void;
  readonly onBuild: () => void;
}

/**
 * How far the notebook is on its way to a service, and the one button that takes it further.
 */
export function Way({ standing, next, doing, trans, onAct, onBuild }: IProps): React.JSX.Element {
  const now = next.step === null ? STEPS.length : STEPS.indexOf(next.step);
  const hasErrors = next.action?.kind === 'show';
  const canBuildBesides = hasErrors || (now > STEPS.indexOf('build') && doing === null);
  return (
    <section className="nb2prod-Way" aria-label={trans.__('The way to a service')}>
      <ol className="nb2prod-Steps">
        {STEPS.map((step, index) => (
          <li
            key={step}
            data-step={step}
            data-state={index < now ? 'done' : index > now ? 'ahead' : hasErrors ? 'trouble' : 'now'}
            aria-current={index === now ? 'step' : undefined}
          >
            <span className="nb2prod-Steps-mark" aria-hidden="true">
              {index < now ? '✓' : index + 1}
            </span>
            <span className="nb2prod-Steps-word">{stepWord(step, trans)}</span>
          </li>
        ))}
      </ol>
      <Sentence standing={standing} next={next} doing={doing} trans={trans} />
      {(next.action !== null || canBuildBesides) && (
        <div className="nb2prod-Way-actions">
          {next.action !== null && <NextButton action={next.action} isBusy={doing !== null} trans={trans} onAct={onAct} />}
          {canBuildBesides && (
            <button className="nb2prod-Button" onClick={onBuild}>
              {hasErrors ? trans.__('Build and prove') : trans.__('Build again')}
            </button>
          )}
        </div>
      )}
    </section>
  );
}

interface INextProps {
  readonly action: NextAction;
  readonly isBusy: boolean;
  readonly trans: TranslationBundle;
  readonly onAct: (action: NextAction) => void;
}

function NextButton({ action, isBusy, trans, onAct }: INextProps): React.JSX.Element {
  return (
    <button
      className="nb2prod-Button nb2prod-mod-primary nb2prod-Way-next"
      disabled={isBusy}
      onClick={() => {
        onAct(action);
      }}
    >
      {actionWord(action, trans)}
    </button>
  );
}

function Sentence({ standing, next, doing, trans }: Pick<IProps, 'standing' | 'next' | 'doing' | 'trans'>): React.JSX.Element | null {
  const { release, hasChanged } = standing;
  if (doing !== null) {
    return <p role="status">{doing}</p>;
  }
  if (next.step === 'build' && next.action !== null && release !== null && hasChanged === true) {
    return (
      <p className="nb2prod-Build-changed" role="status">
        {trans.__('The notebook has changed since %1.', shortName(release.bento))}
      </p>
    );
  }
  if (release !== null && (next.step === 'deploy' || next.step === null)) {
    return (
      <p className="nb2prod-Proved" role="status">
        <strong>
          <Breakable text={shortName(release.bento)} />
          {trans.__(' is proved')}
        </strong>
        {whereItRuns(release, standing.deployments, trans)}
      </p>
    );
  }
  const text = sentenceOf(standing, next, trans);
  return text === null ? null : <p role="status">{text}</p>;
}

/** What the sentence about a proved release says of its deployment. */
function whereItRuns(release: IRelease, deployments: IStanding['deployments'], trans: TranslationBundle): string {
  const deployment = deploymentOf(release, deployments);
  if (deployment?.state === 'serving') {
    return trans.__(' and serving.');
  }
  if (deployment !== null) {
    return trans.__('; its deployment is %1.', deploymentWord(deployment.state, trans));
  }
  const other = deployments.find(item => item.release === release.name && item.version !== null && !isDown(item));
  return other?.version
    ? trans.__(': it answers as the notebook did. %1 still serves.', other.version.slice(0, 8))
    : trans.__(': it answers as the notebook did. It runs nowhere yet.');
}

function sentenceOf({ hasRoles, check, proposal, state }: IStanding, next: INext, trans: TranslationBundle): string | null {
  switch (next.action?.kind) {
    case 'accept':
      return trans._n('%1 tag is suggested below.', '%1 tags are suggested below.', proposal?.tags.length ?? 0);
    case 'suggest':
      return hasRoles
        ? trans.__('No cell is tagged Predict yet: the service needs to know what it answers with.')
        : trans.__('Say which cells make features, train and predict. nb2prod then turns the notebook into a service.');
    case 'check':
      return state.kind === 'failed' ? trans.__('The notebook could not be checked.') : trans.__('Not checked as it is now.');
    case 'show':
      return trans._n('%1 error stands in the way.', '%1 errors stand in the way.', errorsOf(check).length);
    case 'build':
      return trans.__('Runs the notebook once, makes a service of it, and compares their answers.');
    default:
      return next.step === 'check' ? trans.__('Checking…') : null;
  }
}

function stepWord(step: Step, trans: TranslationBundle): string {
  return { tag: trans.__('Tag'), check: trans.__('Check'), build: trans.__('Build'), deploy: trans.__('Deploy') }[step];
}

function actionWord(action: NextAction, trans: TranslationBundle): string {
  return {
    suggest: trans.__('Suggest tags'),
    accept: trans.__('Accept all'),
    check: trans.__('Check now'),
    show: trans.__('Show the first error'),
    build: trans.__('Build and prove'),
    deploy: trans.__('Deploy'),
    start: trans.__('Start'),
    try: trans.__('Try it')
  }[action.kind];
}

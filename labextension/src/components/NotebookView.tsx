import * as React from 'react';

import { build, cancelBuild, openPage, openText } from '../actions';
import type { IContext } from '../context';
import { deploymentActions } from '../deploymentActions';
import type { INotebookModels } from '../factory';
import { doNext } from '../nextAction';
import { forecastPlan, recordedPlan } from '../plan';
import { standingOf } from '../standing';
import type { ICellEntry } from '../tokens';
import { nextOf } from '../way';
import { roleWords } from '../words';
import { BuildBar } from './BuildBar';
import { Deployments } from './Deployments';
import { Group } from './Group';
import { KernelLine } from './KernelLine';
import { ParityView } from './ParityView';
import { PlanView } from './PlanView';
import { Problems } from './Problems';
import { RoleButtons } from './RoleButtons';
import { SectionsView } from './SectionsView';
import { Suggestions } from './Suggestions';
import { ForeignNotebook } from './SectionsView';
import { shortName } from './shortName';
import { useSignals } from './useSignals';
import { Way } from './Way';

interface IProps {
  readonly context: IContext;
  readonly models: INotebookModels;
}

/**
 * One notebook on its way: tag, check, plan, build, prove, deploy. Connects the models to the components.
 */
export function NotebookView({ context, models }: IProps): React.JSX.Element {
  const { server, trans } = context;
  const { sections } = models;
  useSignals(sections.changed);
  const isReady = server.state.kind === 'ready';
  const words = React.useMemo(() => roleWords(trans), [trans]);
  const onJump = React.useCallback((cell: ICellEntry) => void sections.jumpTo(cell), [sections]);
  if (sections.language !== null) {
    return <ForeignNotebook language={sections.language} trans={trans} />;
  }
  return (
    <>
      <div className="nb2prod-Top">
        {isReady && <Build context={context} models={models} />}
        <RoleButtons
          cell={sections.activeCell}
          words={words}
          trans={trans}
          onSetRole={(cell, role, on) => {
            sections.setRole(cell, role, on);
          }}
        />
      </div>
      <Group name="cells" title={trans.__('Cells')}>
        {isReady && <Proposals context={context} models={models} />}
        <SectionsView
          cells={sections.cells}
          activeCell={sections.activeCell}
          words={words}
          trans={trans}
          onJump={onJump}
        />
      </Group>
      {isReady && (
        <>
          <Check context={context} models={models} />
          <Plan context={context} models={models} />
          <Parity context={context} models={models} />
          <Running context={context} models={models} />
        </>
      )}
    </>
  );
}

function Build({ context, models }: IProps): React.JSX.Element {
  const { trans, builds, deployments } = context;
  const { evidence, check, sections } = models;
  useSignals(builds.changed, evidence.changed, check.changed, deployments.changed);
  const standing = standingOf(context, models);
  const next = nextOf(standing);
  // A proof that stands in the way's own sentence is not said a second time.
  const isSaid = evidence.build?.state === 'proved' && evidence.build.bento === evidence.release?.bento;
  return (
    <>
      <Way
        standing={standing}
        next={next}
        doing={evidence.release === null ? null : (deployments.busy.get(evidence.release.name) ?? null)}
        trans={trans}
        onAct={action => void doNext(context, models, action)}
        onBuild={() => void build(context, models)}
      />
      <BuildBar
        build={isSaid ? null : evidence.build}
        outcome={evidence.outcome}
        trans={trans}
        onCancel={running => void cancelBuild(context, running)}
        onLog={shown => void openText(context, `builds/${shown.id}/log`, trans.__('Build of %1', sections.title))}
        onGo={(cell, line) => void sections.goTo(cell, line)}
        onFix={fix => {
          check.apply(fix);
        }}
      />
    </>
  );
}

function Proposals({ context, models }: IProps): React.JSX.Element {
  const { trans } = context;
  const { check, sections } = models;
  useSignals(check.changed);
  return (
    <Suggestions
      proposal={check.proposal}
      error={check.suggestError}
      words={roleWords(trans)}
      trans={trans}
      numberOf={tag => check.numberOf(tag)}
      onSuggest={check.hasPredict ? () => void check.suggest() : null}
      onAccept={tags => {
        check.accept(tags);
      }}
      onDismiss={tags => {
        check.dismiss(tags);
      }}
      onGo={cell => void sections.goTo(cell, null)}
    />
  );
}

function Check({ context, models }: IProps): React.JSX.Element | null {
  const { check, kernel, sections } = models;
  useSignals(check.changed, kernel.changed);
  // Who has tagged nothing has made no mistake yet; a tag that is misspelt is one.
  if (!check.hasRoles && !(check.found?.diagnostics ?? []).some(item => (item.fixes ?? []).length > 0)) {
    return null;
  }
  return (
    <Problems
      state={check.state}
      check={check.found}
      trans={context.trans}
      onGo={(cell, line) => void sections.goTo(cell, line)}
      onFix={fix => {
        check.apply(fix);
      }}
      onCheck={() => void check.check(true)}
      kernel={<KernelLine outlook={kernel.outlook} trans={context.trans} />}
    />
  );
}

function Plan({ context, models }: IProps): React.JSX.Element {
  const { trans, highlight } = context;
  const { check, evidence, panel, sections } = models;
  useSignals(check.changed, evidence.changed, highlight.changed);
  return (
    <PlanView
      forecast={check.found === null ? null : forecastPlan(check.found)}
      recorded={evidence.release?.plan ? recordedPlan(evidence.release.plan) : null}
      bento={evidence.release === null ? null : shortName(evidence.release.bento)}
      hasChanged={evidence.hasChanged === true}
      isHighlighted={highlight.isShown(panel)}
      trans={trans}
      onGo={(cell, line) => void sections.goTo(cell, line)}
      onHighlight={plan => {
        highlight.show(panel, plan);
      }}
    />
  );
}

function Parity({ context, models }: IProps): React.JSX.Element | null {
  const { trans } = context;
  const { evidence, sections } = models;
  useSignals(evidence.changed);
  if (evidence.report === null || evidence.reportSource === null) {
    return null;
  }
  const source = evidence.reportSource;
  return (
    <ParityView
      report={evidence.report}
      trans={trans}
      onGo={(cell, line) => void sections.goTo(cell, line)}
      onOpen={() => void openPage(context, `${source}/report`, trans.__('Parity of %1', sections.title))}
    />
  );
}

function Running({ context, models }: IProps): React.JSX.Element {
  const { deployments, trans } = context;
  const { evidence } = models;
  const actions = React.useMemo(() => deploymentActions(context), [context]);
  useSignals(deployments.changed, evidence.changed);
  return (
    <Deployments
      deployments={deployments.deployments}
      error={deployments.error}
      release={evidence.release}
      hasChanged={evidence.hasChanged}
      busy={deployments.busy}
      samples={name => deployments.samples(name)}
      isTried={name => deployments.isTried(name)}
      actions={actions}
      trans={trans}
    />
  );
}

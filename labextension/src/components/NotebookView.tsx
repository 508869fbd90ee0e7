import * as React from 'react';

import { build, cancelBuild, openReport, openText } from '../actions';
import type { IContext } from '../context';
import { deploymentActions } from '../deploymentActions';
import type { INotebookModels } from '../factory';
import { forecastPlan, recordedPlan } from '../plan';
import type { ICellEntry } from '../tokens';
import { roleWords } from '../words';
import { BuildBar } from './BuildBar';
import { Deployments } from './Deployments';
import { Group } from './Group';
import { ParityView } from './ParityView';
import { PlanView } from './PlanView';
import { Problems } from './Problems';
import { RoleButtons } from './RoleButtons';
import { SectionsView } from './SectionsView';
import { Suggestions } from './Suggestions';
import { useSignals } from './useSignals';

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
  return (
    <>
      <div className="nb2prod-Top">
        <RoleButtons
          cell={sections.activeCell}
          words={words}
          trans={trans}
          onSetRole={(cell, role, on) => {
            sections.setRole(cell, role, on);
          }}
        />
        {isReady && <Build context={context} models={models} />}
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
  const { trans, builds } = context;
  const { evidence, check, sections } = models;
  useSignals(builds.changed, evidence.changed, check.changed);
  return (
    <BuildBar
      build={evidence.build}
      outcome={evidence.outcome}
      blocked={check.hasRoles ? null : trans.__('Tag the cell that predicts first')}
      hasChanged={evidence.hasChanged === true}
      release={evidence.release === null ? null : shortName(evidence.release.bento)}
      trans={trans}
      onBuild={() => void build(context, models)}
      onCancel={running => void cancelBuild(context, running)}
      onLog={shown => void openText(context, `builds/${shown.id}/log`, trans.__('Build of %1', sections.title))}
      onGo={(cell, line) => void sections.goTo(cell, line)}
      onFix={fix => {
        check.apply(fix);
      }}
    />
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
      onSuggest={() => void check.suggest()}
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

function Check({ context, models }: IProps): React.JSX.Element {
  const { check, sections } = models;
  useSignals(check.changed);
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
      onOpen={() => void openReport(context, source, trans.__('Parity of %1', sections.title))}
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
      actions={actions}
      trans={trans}
    />
  );
}

/** `flight_delay:ba99600d`: a version is told apart by its beginning. */
export function shortName(bento: string): string {
  const [name, version] = bento.split(':');
  return version === undefined ? bento : `${name ?? ''}:${version.slice(0, 8)}`;
}

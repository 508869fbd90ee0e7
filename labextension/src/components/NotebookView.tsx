import { UseSignal } from '@jupyterlab/ui-components';
import * as React from 'react';

import { build, cancelBuild, openReport, openText } from '../actions';
import type { IContext } from '../context';
import { deploymentActions } from '../deploymentActions';
import type { INotebookModels } from '../factory';
import { forecastPlan, recordedPlan } from '../plan';
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

interface IProps {
  readonly context: IContext;
  readonly models: INotebookModels;
}

/**
 * One notebook on its way: tag, check, plan, build, prove, deploy. Connects the models to the components.
 */
export function NotebookView({ context, models }: IProps): React.JSX.Element {
  const { server, trans } = context;
  const isReady = server.state.kind === 'ready';
  const words = React.useMemo(() => roleWords(trans), [trans]);
  return (
    <>
      <div className="nb2prod-Top">
        <UseSignal signal={models.sections.changed}>
          {() => (
            <RoleButtons
              cell={models.sections.activeCell}
              words={words}
              trans={trans}
              onSetRole={(cell, role, on) => {
                models.sections.setRole(cell, role, on);
              }}
            />
          )}
        </UseSignal>
        {isReady && <Build context={context} models={models} />}
      </div>
      <Group name="cells" title={trans.__('Cells')}>
        {isReady && <Proposals context={context} models={models} />}
        <UseSignal signal={models.sections.changed}>
          {() => (
            <SectionsView
              cells={models.sections.cells}
              activeCell={models.sections.activeCell}
              words={words}
              trans={trans}
              onJump={cell => void models.sections.jumpTo(cell)}
            />
          )}
        </UseSignal>
      </Group>
      {isReady && <Findings context={context} models={models} />}
    </>
  );
}

function Build({ context, models }: IProps): React.JSX.Element {
  const { trans, builds } = context;
  const { evidence, check, sections } = models;
  return (
    <UseSignal signal={builds.changed}>
      {() => (
        <UseSignal signal={evidence.changed}>
          {() => (
            <UseSignal signal={check.changed}>
              {() => (
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
              )}
            </UseSignal>
          )}
        </UseSignal>
      )}
    </UseSignal>
  );
}

function Proposals({ context, models }: IProps): React.JSX.Element {
  const { trans } = context;
  const { check, sections } = models;
  const words = roleWords(trans);
  return (
    <UseSignal signal={check.changed}>
      {() => (
        <Suggestions
          proposal={check.proposal}
          error={check.suggestError}
          words={words}
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
      )}
    </UseSignal>
  );
}

function Findings({ context, models }: IProps): React.JSX.Element {
  const { trans, highlight } = context;
  const { check, evidence, panel, sections } = models;
  const onGo = (cell: number, line: number | null): void => {
    void sections.goTo(cell, line);
  };
  return (
    <>
      <UseSignal signal={check.changed}>
        {() => (
          <Problems
            state={check.state}
            check={check.found}
            trans={trans}
            onGo={onGo}
            onFix={fix => {
              check.apply(fix);
            }}
            onCheck={() => void check.check(true)}
          />
        )}
      </UseSignal>
      <UseSignal signal={highlight.changed}>
        {() => (
          <UseSignal signal={check.changed}>
            {() => (
              <UseSignal signal={evidence.changed}>
                {() => (
                  <PlanView
                    forecast={check.found === null ? null : forecastPlan(check.found)}
                    recorded={evidence.release?.plan ? recordedPlan(evidence.release.plan) : null}
                    bento={evidence.release === null ? null : shortName(evidence.release.bento)}
                    hasChanged={evidence.hasChanged === true}
                    isHighlighted={highlight.isShown(panel)}
                    trans={trans}
                    onGo={onGo}
                    onHighlight={plan => {
                      highlight.show(panel, plan);
                    }}
                  />
                )}
              </UseSignal>
            )}
          </UseSignal>
        )}
      </UseSignal>
      <UseSignal signal={evidence.changed}>
        {() =>
          evidence.report !== null && (
            <ParityView
              report={evidence.report}
              trans={trans}
              onGo={onGo}
              onOpen={() => void openReport(context, evidence.reportSource ?? '', trans.__('Parity of %1', sections.title))}
            />
          )
        }
      </UseSignal>
      <Running context={context} models={models} />
    </>
  );
}

function Running({ context, models }: IProps): React.JSX.Element {
  const { deployments, trans } = context;
  const { evidence } = models;
  const actions = React.useMemo(() => deploymentActions(context), [context]);
  return (
    <UseSignal signal={deployments.changed}>
      {() => (
        <UseSignal signal={evidence.changed}>
          {() => (
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
          )}
        </UseSignal>
      )}
    </UseSignal>
  );
}

/** `flight_delay:ba99600d`: a version is told apart by its beginning. */
export function shortName(bento: string): string {
  const [name, version] = bento.split(':');
  return version === undefined ? bento : `${name ?? ''}:${version.slice(0, 8)}`;
}

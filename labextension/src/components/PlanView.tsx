import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IPlan } from '../plan';
import { Breakable } from './Breakable';
import { Group } from './Group';
import { type OnGo, PlaceLink } from './PlaceLink';

interface IProps {
  readonly forecast: IPlan | null;
  readonly recorded: IPlan | null;
  /** The release that was recorded. */
  readonly bento: string | null;
  /** The notebook does something else than that release. */
  readonly hasChanged: boolean;
  readonly isHighlighted: boolean;
  readonly trans: TranslationBundle;
  readonly onGo: OnGo;
  readonly onHighlight: (plan: IPlan | null) => void;
}

/**
 * What is served: as the forecast expects it, or as the recorded run showed it; which of the two is always said.
 */
export function PlanView(props: IProps): React.JSX.Element | null {
  const { forecast, recorded, bento, hasChanged, isHighlighted, trans, onGo, onHighlight } = props;
  const [chosen, setChosen] = React.useState<'forecast' | 'recorded' | null>(null);
  // Once the notebook is another, what the run showed is of the past.
  const usual = recorded !== null && !hasChanged ? 'recorded' : 'forecast';
  const source = chosen ?? usual;
  const plan = source === 'recorded' ? recorded : forecast;
  if (forecast === null && recorded === null) {
    return null;
  }
  const choose = (to: 'forecast' | 'recorded'): void => {
    setChosen(to);
    if (isHighlighted) {
      onHighlight(to === 'recorded' ? recorded : forecast);
    }
  };
  return (
    <Group name="plan" title={trans.__('Plan')} aside={recorded === null ? trans.__('forecast') : undefined}>
      {recorded !== null && (
        <div className="nb2prod-Switch" role="group" aria-label={trans.__('Where the plan comes from')}>
          <button aria-pressed={source === 'forecast'} onClick={() => { choose('forecast'); }}>
            {trans.__('Forecast')}
          </button>
          <button aria-pressed={source === 'recorded'} onClick={() => { choose('recorded'); }}>
            {trans.__('Recorded run')}
          </button>
        </div>
      )}
      <p className="nb2prod-Quiet">
        {source === 'forecast'
          ? trans.__('Expected from reading the cells; nothing was run. A build decides.')
          : hasChanged
            ? trans.__('What the run of %1 showed. The notebook has changed since.', bento ?? '')
            : trans.__('What the run of %1 showed.', bento ?? '')}
      </p>
      {plan === null ? (
        <p className="nb2prod-Quiet">{trans.__('No prediction is found to plan from.')}</p>
      ) : (
        <>
          <label className="nb2prod-Check">
            <input
              type="checkbox"
              checked={isHighlighted}
              onChange={event => { onHighlight(event.target.checked ? plan : null); }}
            />
            {trans.__('Highlight the serving path in the notebook')}
          </label>
          <Facts plan={plan} trans={trans} />
          <Captured plan={plan} trans={trans} onGo={onGo} />
          <Filters plan={plan} trans={trans} onGo={onGo} />
        </>
      )}
    </Group>
  );
}

interface IPartProps {
  readonly plan: IPlan;
  readonly trans: TranslationBundle;
}

function Facts({ plan, trans }: IPartProps): React.JSX.Element {
  return (
    <dl className="nb2prod-Facts">
      <dt>{trans.__('Raw table')}</dt>
      <dd>{plan.rawTable === null ? trans.__('not found') : <code><Breakable text={plan.rawTable} /></code>}</dd>
      <dt>{trans.__('Prediction')}</dt>
      <dd>
        <code>
          <Breakable text={plan.prediction ?? ''} />
        </code>
      </dd>
      {plan.target.length > 0 && (
        <>
          <dt>{trans.__('Target')}</dt>
          <dd>
            <Names names={plan.target} />
          </dd>
        </>
      )}
      <dt>
        {trans.__('Fields')} <span className="nb2prod-Quiet-inline">{plan.fields.length}</span>
      </dt>
      <dd>
        <Names names={plan.fields} />
      </dd>
    </dl>
  );
}

function Names({ names }: { readonly names: readonly string[] }): React.JSX.Element {
  return (
    <span className="nb2prod-Names">
      {names.map(name => (
        <code key={name}>
          <Breakable text={name} />
        </code>
      ))}
    </span>
  );
}

function Captured({ plan, trans, onGo }: IPartProps & { readonly onGo: OnGo }): React.JSX.Element | null {
  if (plan.captured.length === 0) {
    return null;
  }
  return (
    <>
      <h4 className="nb2prod-Sub">
        {trans.__('Kept from training')} <span className="nb2prod-Quiet-inline">{plan.captured.length}</span>
      </h4>
      <ul className="nb2prod-Rows">
        {plan.captured.map((item, index) => (
          <li key={index}>
            <div className="nb2prod-Rows-head">
              <code title={item.name}>{item.name}</code>
              <PlaceLink cell={item.cell} line={item.line} trans={trans} onGo={onGo} />
            </div>
            {item.value !== null && <code className="nb2prod-Value" title={item.value}>{item.value}</code>}
            <span className="nb2prod-Quiet-inline"><Breakable text={item.reason} /></span>
          </li>
        ))}
      </ul>
    </>
  );
}

function Filters({ plan, trans, onGo }: IPartProps & { readonly onGo: OnGo }): React.JSX.Element | null {
  if (plan.filters.length === 0) {
    return null;
  }
  return (
    <>
      <h4 className="nb2prod-Sub">
        {trans.__('Filters')} <span className="nb2prod-Quiet-inline">{plan.filters.length}</span>
      </h4>
      <ul className="nb2prod-Rows">
        {plan.filters.map((item, index) => (
          <li key={index}>
            <div className="nb2prod-Rows-head">
              <span className="nb2prod-Pill">
                {item.kind === 'training-only' ? trans.__('training only') : trans.__('validity rule')}
              </span>
              <PlaceLink cell={item.cell} line={item.line} trans={trans} onGo={onGo} />
            </div>
            <code className="nb2prod-Value" title={item.source}>{item.source}</code>
            <span className="nb2prod-Quiet-inline"><Breakable text={item.reason} /></span>
          </li>
        ))}
      </ul>
    </>
  );
}

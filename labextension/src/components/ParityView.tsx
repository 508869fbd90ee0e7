import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IKind, IMismatch, IReport } from '../documents';
import { AgreementPlot } from './AgreementPlot';
import { Group } from './Group';
import { type OnGo, PlaceLink } from './PlaceLink';
import { shortName } from './shortName';

interface IProps {
  readonly report: IReport;
  readonly trans: TranslationBundle;
  readonly onGo: OnGo;
  readonly onOpen: () => void;
}

/**
 * The proof: what was compared, how often, and the first answer that differs.
 */
export function ParityView({ report, trans, onGo, onOpen }: IProps): React.JSX.Element {
  const [first] = report.mismatches;
  return (
    <Group
      name="parity"
      title={trans.__('Parity')}
      aside={
        <span className="nb2prod-Verdict" data-passed={report.passed}>
          {report.passed ? trans.__('proved') : trans.__('not proved')}
        </span>
      }
    >
      <p className="nb2prod-Quiet">
        {report.passed
          ? trans.__('%1 answers over HTTP as the notebook did.', shortName(report.bento ?? ''))
          : trans.__('The service did not answer as the notebook did. No Bento was made.')}
      </p>
      <table className="nb2prod-Table">
        <thead>
          <tr>
            <th scope="col">{trans.__('Case')}</th>
            <th scope="col">{trans.__('Rows')}</th>
            <th scope="col">{trans.__('Differ')}</th>
          </tr>
        </thead>
        <tbody>
          {report.kinds.map(kind => (
            <KindRow key={kind.kind} kind={kind} trans={trans} />
          ))}
        </tbody>
      </table>
      {first !== undefined && <Mismatch item={first} trans={trans} onGo={onGo} />}
      <AgreementPlot expected={report.replay.expected} actual={report.replay.actual} trans={trans} />
      {report.notes.map(note => (
        <p key={note} className="nb2prod-Quiet">
          {note}
        </p>
      ))}
      <button className="nb2prod-Button" onClick={onOpen}>
        {trans.__('Open the report')}
      </button>
    </Group>
  );
}

function KindRow({ kind, trans }: { readonly kind: IKind; readonly trans: TranslationBundle }): React.JSX.Element {
  const words = kindWords(trans);
  return (
    <tr data-status={kind.status} title={words[kind.kind]?.[1]}>
      <th scope="row">{words[kind.kind]?.[0] ?? kind.kind}</th>
      {kind.status === 'not run' ? (
        <td colSpan={2} className="nb2prod-Quiet-inline">
          {trans.__('not run')}
        </td>
      ) : (
        <>
          <td>{kind.rows.toLocaleString()}</td>
          <td>{kind.differences.toLocaleString()}</td>
        </>
      )}
    </tr>
  );
}

function Mismatch({ item, trans, onGo }: { readonly item: IMismatch; readonly trans: TranslationBundle; readonly onGo: OnGo }): React.JSX.Element {
  return (
    <div className="nb2prod-Mismatch">
      <h4 className="nb2prod-Sub">{trans.__('First difference')}</h4>
      <dl className="nb2prod-Facts">
        <dt>{trans.__('Row')}</dt>
        <dd>{`${item.row_id ?? item.row ?? ''} (${item.case})`}</dd>
        <dt>{trans.__('Notebook')}</dt>
        <dd>
          <code>{shown(item.expected)}</code>
        </dd>
        <dt>{trans.__('Service')}</dt>
        <dd>
          <code>{shown(item.actual)}</code>
        </dd>
      </dl>
      <p>{item.cause?.text ?? item.reason}</p>
      {item.cause !== null && (
        <p>
          {item.cause.source !== '' && <code className="nb2prod-Value" title={item.cause.source}>{item.cause.source}</code>}{' '}
          <PlaceLink cell={item.cause.cell} line={null} trans={trans} onGo={onGo} />
        </p>
      )}
    </div>
  );
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function kindWords(trans: TranslationBundle): Record<string, [string, string]> {
  return {
    replay: [trans.__('Replay'), trans.__("The rows that the notebook predicted give the notebook's own predictions")],
    partition: [trans.__('Partition'), trans.__("A row's answer never depends on its neighbours, their order, or the hash seed")],
    edges: [trans.__('Edges'), trans.__("Odd rows get what the notebook's own statements give them")],
    counterfactual: [
      trans.__('Counterfactual'),
      trans.__('Rows given other values get what the notebook itself, run again with them, predicts')
    ],
    wire: [trans.__('Wire'), trans.__('What comes back over HTTP equals what the same code gives in process')],
    'target-free': [trans.__('Target-free'), trans.__('The request has no target, and what stands in for it changes nothing')]
  };
}

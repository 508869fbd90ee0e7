import type { TranslationBundle } from '@jupyterlab/translation';
import type { JSONObject, JSONValue } from '@lumino/coreutils';
import * as React from 'react';

import type { IField, IForm, ITried } from '../documents';
import { shortName } from './shortName';

interface IProps {
  readonly form: IForm;
  readonly url: string;
  /** Which release is asked; an answer says itself which one gave it. */
  readonly release: string;
  readonly trans: TranslationBundle;
  readonly onTry: (row: JSONObject, key: string) => Promise<ITried>;
  readonly onCopy: (text: string) => void;
}

/**
 * A form made from the signature, filled in with an example; the answer and how long it took.
 */
export function TryIt({ form, url, release, trans, onTry, onCopy }: IProps): React.JSX.Element {
  const [texts, setTexts] = React.useState(() => textsOf(form, 0));
  const [example, setExample] = React.useState(0);
  const [key, setKey] = React.useState('');
  const [tried, setTried] = React.useState<ITried | string | null>(null);
  const [isBusy, setBusy] = React.useState(false);
  const row = rowOf(form.fields, texts);
  const id = React.useId();

  const send = async (): Promise<void> => {
    setBusy(true);
    try {
      setTried(await onTry(row, key));
    } catch (reason) {
      setTried(reason instanceof Error ? reason.message : String(reason));
    } finally {
      setBusy(false);
    }
  };

  return (
    <form
      className="nb2prod-Try"
      onSubmit={event => {
        event.preventDefault();
        void send();
      }}
    >
      {form.fields.map(field => (
        <FieldInput
          key={field.name}
          id={`${id}-${field.name}`}
          field={field}
          text={texts[field.name] ?? ''}
          trans={trans}
          onChange={text => { setTexts({ ...texts, [field.name]: text }); }}
        />
      ))}
      {tried !== null && typeof tried !== 'string' && tried.status === 401 && (
        <div className="nb2prod-Try-field">
          <label htmlFor={`${id}-key`}>{trans.__('API key')}</label>
          <input id={`${id}-key`} type="password" autoComplete="off" value={key} onChange={event => { setKey(event.target.value); }} />
        </div>
      )}
      <div className="nb2prod-Try-actions">
        <button type="submit" className="nb2prod-Button nb2prod-mod-primary" disabled={isBusy}>
          {trans.__('Ask')}
        </button>
        {form.examples.length > 1 && (
          <button
            type="button"
            className="nb2prod-Button"
            onClick={() => {
              const next = (example + 1) % form.examples.length;
              setExample(next);
              setTexts(textsOf(form, next));
            }}
          >
            {trans.__('Another example')}
          </button>
        )}
      </div>
      <div role="status" className="nb2prod-Try-answer">
        {tried !== null && <Answer tried={tried} release={release} trans={trans} />}
      </div>
      <div className="nb2prod-Try-actions">
        <button type="button" className="nb2prod-Link" onClick={() => { onCopy(asCurl(url, row)); }}>
          {trans.__('Copy as curl')}
        </button>
        <button type="button" className="nb2prod-Link" onClick={() => { onCopy(asPython(url, row)); }}>
          {trans.__('Copy as Python')}
        </button>
      </div>
    </form>
  );
}

interface IFieldProps {
  readonly id: string;
  readonly field: IField;
  readonly text: string;
  readonly trans: TranslationBundle;
  readonly onChange: (text: string) => void;
}

function FieldInput({ id, field, text, trans, onChange }: IFieldProps): React.JSX.Element {
  const listId = `${id}-values`;
  const values = (field.categories ?? []).slice(0, 50);
  const empty = field.nullable ? trans.__('missing') : '';
  return (
    <div className="nb2prod-Try-field">
      <label htmlFor={id} title={`${field.name}: ${field.type}`}>
        {field.name}
      </label>
      <input
        id={id}
        value={text}
        placeholder={empty}
        spellCheck={false}
        list={values.length > 0 ? listId : undefined}
        onChange={event => { onChange(event.target.value); }}
      />
      {values.length > 0 && (
        <datalist id={listId}>
          {values.map(value => (
            <option key={String(value)} value={String(value)} />
          ))}
        </datalist>
      )}
    </div>
  );
}

function Answer({ tried, release, trans }: { readonly tried: ITried | string; readonly release: string; readonly trans: TranslationBundle }): React.JSX.Element {
  if (typeof tried === 'string') {
    return <p className="nb2prod-Trouble">{tried}</p>;
  }
  const answer = tried.answer as { model?: string; predictions?: unknown[]; errors?: { reason?: string }[]; error?: IEnvelope };
  const time = trans.__('%1 ms', tried.milliseconds.toFixed(tried.milliseconds < 10 ? 1 : 0));
  if (answer.error !== undefined) {
    const details = answer.error.details ?? [];
    return (
      <div className="nb2prod-Trouble">
        <p>
          {answer.error.message} <span className="nb2prod-Quiet-inline">{`${tried.status}, ${time}`}</span>
        </p>
        {details.map((item, index) => (
          <p key={index}>
            <code>{item.field ?? ''}</code> {item.reason}
          </p>
        ))}
      </div>
    );
  }
  const [refused] = answer.errors ?? [];
  return (
    <p>
      {refused === undefined ? (
        <strong className="nb2prod-Try-prediction">{JSON.stringify(answer.predictions?.[0] ?? null)}</strong>
      ) : (
        <span className="nb2prod-Trouble">{refused.reason}</span>
      )}{' '}
      <span className="nb2prod-Quiet-inline">{time}</span>{' '}
      <span className="nb2prod-Quiet-inline">{trans.__('from %1', answer.model === undefined ? release : shortName(answer.model))}</span>
    </p>
  );
}

interface IEnvelope {
  readonly message: string;
  readonly details?: readonly { readonly field?: string; readonly reason?: string }[];
}

function textsOf(form: IForm, index: number): Record<string, string> {
  const example = form.examples[index] ?? {};
  return Object.fromEntries(
    form.fields.map(({ name }) => {
      const value = example[name];
      return [name, value === null || value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value)];
    })
  );
}

/**
 * The row as it is sent: what does not fit its field's type goes as text, and the service says what is wrong with it.
 */
export function rowOf(fields: readonly IField[], texts: Readonly<Record<string, string>>): JSONObject {
  const row: JSONObject = {};
  for (const { name, type, nullable } of fields) {
    row[name] = valueOf(texts[name] ?? '', type, nullable);
  }
  return row;
}

function valueOf(text: string, type: string, nullable: boolean): JSONValue {
  if (text === '' && (nullable || type !== 'string')) {
    return null;
  }
  if ((type === 'integer' || type === 'number') && text.trim() !== '' && Number.isFinite(Number(text))) {
    return Number(text);
  }
  if (type === 'boolean' && (text === 'true' || text === 'false')) {
    return text === 'true';
  }
  return text;
}

export function asCurl(url: string, row: JSONObject): string {
  const body = JSON.stringify({ rows: [row] }).replace(/'/g, `'\\''`);
  return `curl -s ${url}/predict -H 'content-type: application/json' -d '${body}'`;
}

export function asPython(url: string, row: JSONObject): string {
  const pairs = Object.entries(row).map(([name, value]) => `    ${JSON.stringify(name)}: ${pythonText(value)},`);
  return `import requests\n\nrow = {\n${pairs.join('\n')}\n}\nanswer = requests.post("${url}/predict", json={"rows": [row]}, timeout=10)\nanswer.raise_for_status()\nprint(answer.json()["predictions"])\n`;
}

function pythonText(value: unknown): string {
  if (value === null || typeof value === 'boolean') {
    return { null: 'None', true: 'True', false: 'False' }[String(value)] ?? 'None';
  }
  return JSON.stringify(value);
}

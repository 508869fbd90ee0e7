import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IDiagnostic, IFix, Severity } from '../documents';
import { type OnGo, PlaceLink } from './PlaceLink';

interface IProps {
  readonly item: IDiagnostic;
  readonly trans: TranslationBundle;
  /** null under a cell, where the place is plain. */
  readonly onGo: OnGo | null;
  readonly onFix: (fix: IFix) => void;
}

/**
 * One problem: its code and what it is about, why it matters, what to write instead, and a fix where there is one.
 */
export function DiagnosticItem({ item, trans, onGo, onFix }: IProps): React.JSX.Element {
  const severity = severityWord(item.severity, trans);
  return (
    <div className="nb2prod-Diagnostic" data-severity={item.severity} data-code={item.code}>
      <div className="nb2prod-Diagnostic-head">
        <span className="nb2prod-Diagnostic-severity">{severity}</span>
        <span className="nb2prod-Diagnostic-code">{item.code}</span>
        <span className="nb2prod-Diagnostic-title">{item.title}</span>
        {onGo !== null ? (
          <PlaceLink cell={item.cell} line={item.line} trans={trans} onGo={onGo} />
        ) : (
          item.line !== null && <span className="nb2prod-Diagnostic-place">{trans.__('line %1', item.line)}</span>
        )}
      </div>
      <p className="nb2prod-Diagnostic-message">{item.message}</p>
      {item.hint !== '' && <Hint text={item.hint} />}
      {item.fixes !== undefined && item.fixes.length > 0 && (
        <div className="nb2prod-Diagnostic-fixes">
          {item.fixes.map(fix => (
            <button
              key={fix.label}
              className="nb2prod-Button"
              onClick={() => {
                onFix(fix);
              }}
            >
              {fix.label}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}

/**
 * A remedy in words, with what is to be written as code: lines that are indented, as on the command line.
 */
export function Hint({ text }: { readonly text: string }): React.JSX.Element {
  const parts: { isCode: boolean; lines: string[] }[] = [];
  for (const line of text.split('\n')) {
    const isCode = line.startsWith('    ');
    const last = parts[parts.length - 1];
    if (isCode && last?.isCode === true) {
      last.lines.push(line.slice(4));
    } else {
      parts.push({ isCode, lines: [isCode ? line.slice(4) : line] });
    }
  }
  return (
    <div className="nb2prod-Diagnostic-hint">
      {parts.map(({ isCode, lines }, index) =>
        isCode ? <pre key={index}>{lines.join('\n')}</pre> : <p key={index}>{lines.join('\n')}</p>
      )}
    </div>
  );
}

export function severityWord(severity: Severity, trans: TranslationBundle): string {
  return { error: trans.__('Error'), warning: trans.__('Warning'), info: trans.__('Note') }[severity];
}

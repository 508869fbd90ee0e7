import { nullTranslator } from '@jupyterlab/translation';
import { fireEvent, render, screen, within } from '@testing-library/react';
import * as React from 'react';
import { describe, expect, it, vi } from 'vitest';

import { AgreementPlot } from '../src/components/AgreementPlot';
import { BuildBar } from '../src/components/BuildBar';
import { DiagnosticItem } from '../src/components/DiagnosticItem';
import { ParityView } from '../src/components/ParityView';
import { KernelLine } from '../src/components/KernelLine';
import { PlanView } from '../src/components/PlanView';
import { Problems } from '../src/components/Problems';
import { RoleButtons } from '../src/components/RoleButtons';
import { ForeignNotebook } from '../src/components/SectionsView';
import { ServerNotice } from '../src/components/ServerNotice';
import { asCurl, asPython, rowOf, TryIt } from '../src/components/TryIt';
import type { IBuild, ICheck, IDiagnostic, IField, IReport } from '../src/documents';
import type { IPlan } from '../src/plan';
import type { ICellEntry } from '../src/tokens';
import { roleWords } from '../src/words';

const trans = nullTranslator.load('nb2prod');
const nothing = (): void => undefined;

const RANK: IDiagnostic = {
  code: 'F5',
  title: 'bins or ranks computed from the batch',
  severity: 'error',
  message: 'A rank has no equivalent for one row.',
  hint: 'Write instead:\n    df["a"].clip(0, 1)',
  cell: 4,
  line: 2,
  source: 'df.rank()',
  fixes: [{ label: 'Mend it', cell: 4, source: 'x', tags: null }]
};

const BUILD: IBuild = {
  id: 'b', notebook: 'x.ipynb', state: 'running', queued: '2026-01-01T00:00:00Z', started: '2026-01-01T00:00:00Z', ended: null,
  stages: [{ name: 'record', since: 0 }], cells: [3, 12], message: '', cancelling: false, bento: null, summary: ''
};

function bar(build: IBuild | null, more: Partial<React.ComponentProps<typeof BuildBar>> = {}): void {
  render(
    <BuildBar build={build} outcome={null} trans={trans}
      onCancel={nothing} onLog={nothing} onGo={nothing} onFix={nothing} {...more} />
  );
}

describe('a diagnostic', () => {
  it('says what, where, why and what to write instead, and mends on a click', () => {
    const onGo = vi.fn();
    const onFix = vi.fn();
    render(<DiagnosticItem item={RANK} trans={trans} onGo={onGo} onFix={onFix} />);
    expect(screen.getByText('Error')).toBeTruthy();
    expect(screen.getByText('df["a"].clip(0, 1)').tagName).toBe('PRE');
    fireEvent.click(screen.getByRole('button', { name: 'cell 4, line 2' }));
    expect(onGo).toHaveBeenCalledWith(4, 2);
    fireEvent.click(screen.getByRole('button', { name: 'Mend it' }));
    expect(onFix).toHaveBeenCalledWith(RANK.fixes?.[0]);
  });

  it('shows a message as text, whatever it holds', () => {
    const item = { ...RANK, message: '<img src=x onerror=alert(1)>' };
    const { container } = render(<DiagnosticItem item={item} trans={trans} onGo={null} onFix={nothing} />);
    expect(container.querySelector('img')).toBeNull();
    expect(screen.getByText(item.message)).toBeTruthy();
  });
});

describe('the check', () => {
  const check = { diagnostics: [RANK, { ...RANK, code: 'F2', severity: 'info' }] } as unknown as ICheck;
  const view = (state: React.ComponentProps<typeof Problems>['state'], found: ICheck | null): void => {
    render(<Problems state={state} check={found} trans={trans} onGo={nothing} onFix={nothing} onCheck={nothing} />);
  };

  it('counts problems, and leaves what is merely kept to the plan', () => {
    view({ kind: 'checked', stale: false }, check);
    expect(screen.getByText('1 error')).toBeTruthy();
    expect(screen.queryByText('F2')).toBeNull();
  });

  it('says that nothing stands in the way', () => {
    view({ kind: 'checked', stale: false }, { ...check, diagnostics: [] });
    expect(screen.getByText(/Nothing stands in the way/)).toBeTruthy();
  });

  it('keeps the last findings while the server is away, and says so', () => {
    view({ kind: 'failed', message: 'x', hint: '', offline: true }, check);
    expect(screen.getByRole('alert').textContent).toContain('does not answer');
    expect(screen.getByText('F5')).toBeTruthy();
  });

  it('offers a check where the notebook was edited since', () => {
    view({ kind: 'checked', stale: true }, check);
    expect(screen.getByRole('button', { name: 'Check now' })).toBeTruthy();
  });
});

describe('the build', () => {
  it('begins with the environment', () => {
    bar({ ...BUILD, stages: [{ name: 'environment', since: 0 }], cells: null });
    expect(screen.getByText('Looking at the environment')).toBeTruthy();
    expect(screen.getByText('Set up').closest('li')?.getAttribute('aria-current')).toBe('step');
    expect(screen.getByRole('list', { name: 'Stages' }).children).toHaveLength(6);
  });

  it('that was cancelled is said to be so once', () => {
    bar({ ...BUILD, state: 'cancelled', summary: 'Cancelled; nothing was kept.' });
    expect(screen.getByRole('status').textContent).toBe('Cancelled; nothing was kept. Log');
  });

  it('shows the cell that runs and how far it is', () => {
    bar(BUILD);
    expect(screen.getByText('Running cell 4 of 12')).toBeTruthy();
    expect(screen.getByRole<HTMLProgressElement>('progressbar').value).toBe(3);
    expect(screen.getByText('Run').closest('li')?.getAttribute('aria-current')).toBe('step');
  });

  it('waits for the kernel once it is cancelled', () => {
    bar({ ...BUILD, cancelling: true });
    expect(screen.getByRole<HTMLButtonElement>('button', { name: /Stopping/ }).disabled).toBe(true);
  });

  it('shows where a refused one stands in the way', () => {
    const refused: IBuild = { ...BUILD, state: 'refused', summary: 'no' };
    bar(refused, { outcome: { ...refused, diagnostics: [RANK] } });
    expect(screen.getByText('1 line stands in the way:', { exact: false })).toBeTruthy();
    expect(screen.getByText('F5')).toBeTruthy();
  });

  it('says what to do after a failure', () => {
    const failed: IBuild = { ...BUILD, state: 'failed', summary: 'no kernel' };
    bar(failed, { outcome: { ...failed, diagnostics: [], error: { code: 'environment', message: 'no kernel', hint: 'Install one.' } } });
    expect(screen.getByText('Install one.')).toBeTruthy();
  });
});

describe('the plan', () => {
  const plan = (name: string): IPlan => ({
    rawTable: 'df', prediction: 'p', fields: ['a', 'b'], target: ['y'], path: [],
    captured: [{ name, reason: 'of all rows', value: '3.5', cell: 2, line: 1 }],
    filters: [{ cell: 3, line: 1, source: 'df.dropna()', kind: 'training-only', reason: 'looks at the target' }]
  });
  const view = (more: Partial<React.ComponentProps<typeof PlanView>>): void => {
    render(
      <PlanView forecast={plan('guessed')} recorded={plan('seen')} bento="x:1" hasChanged={false} isHighlighted={false}
        trans={trans} onGo={nothing} onHighlight={nothing} {...more} />
    );
  };

  it('is what the run showed, and the forecast is a click away', () => {
    view({});
    expect(screen.getByText('seen')).toBeTruthy();
    expect(screen.getByText('What the run of x:1 showed.')).toBeTruthy();
    fireEvent.click(screen.getByRole('button', { name: 'Forecast' }));
    expect(screen.getByText('guessed')).toBeTruthy();
    expect(screen.getByText(/nothing was run/)).toBeTruthy();
  });

  it('is the forecast once the notebook is another', () => {
    view({ hasChanged: true });
    expect(screen.getByText('guessed')).toBeTruthy();
  });

  it('names the class of each filter', () => {
    view({});
    expect(screen.getByText('training only')).toBeTruthy();
  });
});

describe('the proof', () => {
  const report: IReport = {
    passed: false, created: '', prediction: 'p', bento: null, notes: ['Edges did not run.'],
    kinds: [
      { kind: 'replay', status: 'failed', rows: 1200, differences: 3, refused: 0, note: '' },
      { kind: 'edges', status: 'not run', rows: 0, differences: 0, refused: 0, note: '' }
    ],
    mismatches: [
      { kind: 'replay', case: 'alone', reason: 'other', row: 4, row_id: 44, expected: 1.5, actual: 2.5,
        cause: { text: 'The feature age differs.', feature: 'age', cell: 7, source: 'age = 1' } }
    ],
    replay: { expected: [0, 1, 1], actual: [0, 1, 0] }
  };

  it('counts by case and explains the first difference with its line', () => {
    const onGo = vi.fn();
    render(<ParityView report={report} trans={trans} onGo={onGo} onOpen={nothing} />);
    expect(within(screen.getByRole('row', { name: /Replay/ })).getByText('1,200')).toBeTruthy();
    expect(screen.getByText('not run')).toBeTruthy();
    expect(screen.getByText('44 (alone)')).toBeTruthy();
    expect(screen.getByText('The feature age differs.')).toBeTruthy();
    fireEvent.click(screen.getByRole('button', { name: 'cell 7' }));
    expect(onGo).toHaveBeenCalledWith(7, null);
  });

  it('draws classes as a grid and numbers as points, of which those that differ are never left out', () => {
    const { container, unmount } = render(<AgreementPlot {...report.replay} trans={trans} />);
    expect(container.querySelectorAll('[data-kind=other]')).toHaveLength(1);
    unmount();
    const expected = Array.from({ length: 5000 }, (_, index) => index / 7);
    const actual = expected.map((value, index) => (index === 1234 ? 0 : value));
    const drawn = render(<AgreementPlot expected={expected} actual={actual} trans={trans} />).container;
    expect(drawn.querySelectorAll('circle[data-kind=other]')).toHaveLength(1);
    expect(drawn.querySelectorAll('circle').length).toBeLessThan(500);
  });

  it('draws nothing for what can not be drawn', () => {
    const many = Array.from({ length: 20 }, (_, index) => `class ${index}`);
    expect(render(<AgreementPlot expected={many} actual={many} trans={trans} />).container.innerHTML).toBe('');
  });
});

describe('trying a service', () => {
  const field = (name: string, type: string, nullable = false): IField => ({ name, type, nullable, categories: null, minimum: null, maximum: null });
  const fields = [field('n', 'integer'), field('s', 'string'), field('b', 'boolean'), field('f', 'number', true)];

  it('sends types, not texts; what does not fit goes as it was written', () => {
    expect(rowOf(fields, { n: '3', s: '7', b: 'true', f: '' })).toEqual({ n: 3, s: '7', b: true, f: null });
    expect(rowOf(fields, { n: 'far', s: '', b: 'maybe', f: '1e3' })).toEqual({ n: 'far', s: '', b: 'maybe', f: 1000 });
  });

  it('copies as a command that survives quotes', () => {
    expect(asCurl('http://h', { s: "it's" })).toContain(`it'\\''s`);
    expect(asPython('http://h', { b: true, f: null })).toContain('"b": True,\n    "f": None,');
  });

  it('shows the answer with its time, and refusals by field', async () => {
    const onTry = vi.fn()
      .mockResolvedValueOnce({ status: 200, milliseconds: 12.3, answer: { predictions: [1], errors: [] } })
      .mockResolvedValueOnce({ status: 422, milliseconds: 2, answer: { error: { message: 'malformed', details: [{ field: 'n', reason: 'a text' }] } } });
    render(<TryIt form={{ fields, examples: [{ n: 3, s: 'x', b: false, f: null }] }} url="http://h" release="x:1234" trans={trans} onTry={onTry} onCopy={nothing} />);
    fireEvent.click(screen.getByRole('button', { name: 'Ask' }));
    expect(await screen.findByText('12 ms')).toBeTruthy();
    expect(screen.getByText('from x:1234')).toBeTruthy();
    expect(onTry).toHaveBeenCalledWith({ n: 3, s: 'x', b: false, f: null }, '');
    fireEvent.click(screen.getByRole('button', { name: 'Ask' }));
    expect(await screen.findByText('a text')).toBeTruthy();
  });
});

describe('the roles', () => {
  const cell: ICellEntry = { id: 'a', number: 3, title: 'x = 1', roles: [] };
  const view = (of: ICellEntry): HTMLElement =>
    render(<RoleButtons cell={of} words={roleWords(trans)} trans={trans} onSetRole={nothing} />).container;
  const shown = (node: HTMLElement): (string | null)[] => [...node.querySelectorAll('[data-nb2prod-role]')].map(item => item.textContent);

  it('begin with three; the others are one click away', () => {
    const node = view(cell);
    expect(shown(node)).toEqual(['Feature', 'Train', 'Predict']);
    fireEvent.click(screen.getByRole('button', { name: 'More' }));
    expect(shown(node)).toEqual(['Feature', 'Train', 'Predict', 'Parameters', 'Data', 'Fallback']);
  });

  it('that a cell has are always shown', () => {
    expect(shown(view({ ...cell, roles: ['fallback'] }))).toEqual(['Feature', 'Train', 'Predict', 'Fallback']);
  });

  it('are not offered in another language', () => {
    render(<ForeignNotebook language="R" trans={trans} />);
    expect(screen.getByText('This notebook is in R')).toBeTruthy();
    expect(screen.queryByRole('button')).toBeNull();
  });
});

describe('the kernel of a build', () => {
  const outlook = { kernel: 'old', problem: null, hint: null, sentence: 'old: Python 3.12; the service runs in the same environment' };

  it('is said', () => {
    render(<KernelLine outlook={outlook} trans={trans} />);
    expect(screen.getByText(/old: Python 3.12/)).toBeTruthy();
  });

  it('that can not be used is a warning with its remedy', () => {
    render(<KernelLine outlook={{ ...outlook, problem: 'no kernel old', hint: 'Install it.' }} trans={trans} />);
    expect(screen.getByRole('status').dataset.severity).toBe('warning');
    expect(screen.getByText('no kernel old')).toBeTruthy();
    expect(screen.getByText('Install it.')).toBeTruthy();
  });
});

describe('the server', () => {
  it('that lacks nb2prod is said to, with the remedy', () => {
    render(<ServerNotice state={{ kind: 'missing' }} trans={trans} onRetry={nothing} />);
    expect(screen.getByRole('status').textContent).toContain('pip install nb2prod');
  });

  it('that answers needs no notice', () => {
    const { container } = render(<ServerNotice state={{ kind: 'ready', version: '1' }} trans={trans} onRetry={nothing} />);
    expect(container.innerHTML).toBe('');
  });
});

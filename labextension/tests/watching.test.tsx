import { nullTranslator } from '@jupyterlab/translation';
import { fireEvent, render, screen } from '@testing-library/react';
import * as React from 'react';
import { describe, expect, it, vi } from 'vitest';

import type { IDeploymentActions } from '../src/components/Deployments';
import { evidence, shares, Watching } from '../src/components/Watching';
import type { IDeployment } from '../src/documents';
import type { IAlarm, ISeries, IWatching } from '../src/watching';

const trans = nullTranslator.load('nb2prod');
const ITEM = { name: 'flights', version: '11' } as IDeployment;
const AGE: ISeries = {
  name: 'age', state: 'drifted', evidence: 4_200_000, size: { value: 0.31, low: 0.28, high: 0.34 }, since: '2026-03-06',
  labels: ['below 20', '20 to 40', '40 and more'], reference: [10, 30, 0], current: [30, 10, 0], note: ''
};
const TOWN: ISeries = { ...AGE, name: 'town', state: 'quiet', evidence: 0.4, since: null, reference: [1, 1, 0], current: [1, 1, 0] };
const RULE: ISeries = { ...AGE, name: 'rows answered by rule', state: 'waiting', size: null, since: null, note: 'the first rows are its reference' };
const ALARM: IAlarm = { id: 1, model: 'flights:11', raised: '2026-03-06T10:00:00+00:00', text: 'age has drifted', who: null, why: null };
const SEEN: IWatching = {
  name: 'flights', model: 'flights:11', state: 'drifted', owner: 'Ada', runbook: 'https://example.org/run', promise: 'chance of a false alarm: 1 %', rows: 2400,
  days: ['2026-03-01', '2026-03-06'], series: [AGE, TOWN, RULE], unwatched: [{ name: 'year', reason: 'one value only' }], alarms: [ALARM], acknowledged: [],
  notes: ['2 days without rows'], labels: { rows: 2400, labelled: 240, coverage: 0.1, state: 'quiet', loss_name: 'share of wrong answers', loss: 0.1, low: 0.05, high: 0.2, notebook_loss: 0.09 }
};

function view(answer: Promise<IWatching>): { [K in 'onWatch' | 'onAcknowledge' | 'onWatchingPage']: ReturnType<typeof vi.fn> } {
  const done = { onWatch: vi.fn(() => answer), onAcknowledge: vi.fn(), onWatchingPage: vi.fn() };
  render(<Watching item={ITEM} actions={done as unknown as IDeploymentActions} trans={trans} />);
  expect(done.onWatch).not.toHaveBeenCalled();
  fireEvent.click(screen.getByRole('button', { name: 'Watching' }));
  return done;
}

describe('watching', () => {
  it('shows state, alarms, series with both distributions, labels and what is not watched', async () => {
    const done = view(Promise.resolve(SEEN));
    expect(screen.getByText('Reading the request log…')).toBeTruthy();
    expect((await screen.findByRole('alert')).textContent).toContain('age has drifted');
    expect(screen.getByText('2,400 rows of 2 days')).toBeTruthy();
    expect(screen.getByText(/Total variation 0.310 \(0.280 to 0.340\), evidence > 1,000,000/).textContent).toContain('since 2026-03-06');
    expect(screen.getAllByText('75.0 %')).toHaveLength(2);
    expect(screen.queryByText('40 and more')).toBeNull();
    expect([...document.querySelectorAll('details')].map(item => item.open)).toEqual([true, false, false]);
    expect(screen.getByText(/Labels: 240 of 2,400 rows \(10.0 %\)/).textContent).toContain("the notebook's: 0.09");
    for (const text of ['the first rows are its reference', '2 days without rows', 'Not watched: year: one value only', 'Chance of a false alarm: 1 %.']) {
      expect(screen.getByText(text)).toBeTruthy();
    }
    expect(screen.getByRole<HTMLAnchorElement>('link', { name: 'Runbook' }).href).toBe('https://example.org/run');
    fireEvent.click(screen.getByRole('button', { name: 'Open as a page' }));
    expect(done.onWatchingPage).toHaveBeenCalledWith('flights');
  });

  it('takes why an alarm is no matter, and no empty word', async () => {
    const done = view(Promise.resolve(SEEN));
    done.onAcknowledge.mockRejectedValueOnce(new Error('busy')).mockResolvedValueOnce({ ...SEEN, alarms: [], acknowledged: [{ ...ALARM, who: 'ada', why: 'new prices' }] });
    const button = await screen.findByRole<HTMLButtonElement>('button', { name: 'Acknowledge' });
    expect(button.disabled).toBe(true);
    fireEvent.change(screen.getByRole('textbox'), { target: { value: 'new prices' } });
    fireEvent.click(button);
    expect(await screen.findByText('busy')).toBeTruthy();
    fireEvent.click(button);
    expect(await screen.findByText('Acknowledged by ada (new prices): age has drifted')).toBeTruthy();
    expect(done.onAcknowledge).toHaveBeenCalledWith('flights', 'new prices');
    expect(screen.queryByRole('button', { name: 'Acknowledge' })).toBeNull();
  });

  it('says why it can not look', async () => {
    view(Promise.reject(new Error('no release of it')));
    expect((await screen.findByRole('alert')).textContent).toBe('no release of it');
  });

  it('makes no link of a runbook that is no address of the web, and names the version of an older alarm', async () => {
    view(Promise.resolve({ ...SEEN, runbook: 'javascript:alert(1)', alarms: [{ ...ALARM, model: 'flights:10' }] }));
    expect((await screen.findByRole('alert')).textContent).toContain('(flights:10)');
    expect(screen.queryByRole('link')).toBeNull();
    expect(screen.getByText('Runbook: javascript:alert(1)')).toBeTruthy();
  });

  it('shows no series before there are rows', async () => {
    view(Promise.resolve({ ...SEEN, rows: 0, days: [], alarms: [], notes: ['there is no request log'] }));
    expect(await screen.findByText('there is no request log')).toBeTruthy();
    expect(document.querySelector('details')).toBeNull();
  });
});

describe('numbers of watching', () => {
  it('are shares of what there is, and evidence in three digits', () => {
    expect(shares([1, 3])).toEqual([0.25, 0.75]);
    expect(shares([0, 0])).toEqual([0, 0]);
    expect([0.12345, 12345, 2e9].map(evidence)).toEqual(['0.123', '12,300', '> 1,000,000']);
  });
});

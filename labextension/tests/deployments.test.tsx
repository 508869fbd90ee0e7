import { nullTranslator } from '@jupyterlab/translation';
import { fireEvent, render, screen } from '@testing-library/react';
import * as React from 'react';
import { describe, expect, it, vi } from 'vitest';

import { Deployments, duration, type IDeploymentActions } from '../src/components/Deployments';
import { points } from '../src/components/Sparkline';
import type { IDeployment, IRelease, IRollout } from '../src/documents';

const trans = nullTranslator.load('nb2prod');

const SERVING: IDeployment = {
  name: 'flights', release: 'flight_delay', version: '1111111111', bento: 'flight_delay:1111111111', previous: null, state: 'serving',
  url: 'http://127.0.0.1:3000', uptime: 130, health: 'ready', requests: 70, errors: 0, p50: 0.004, p99: 0.05, notebook: null,
  notebook_changed: null, rollout: null, notes: ['No owner answers for it.'], events: []
};
const RELEASE: IRelease = {
  bento: 'flight_delay:1111111111', name: 'flight_delay', version: '1111111111', created: '', notebook: '', notebook_hash: '', data_hash: null, parity: {}
};

function actions(): { [K in keyof IDeploymentActions]: ReturnType<typeof vi.fn> } {
  return {
    onDeploy: vi.fn(), onAct: vi.fn(), onTried: vi.fn(), onTry: vi.fn(), onCopy: vi.fn(), onDiff: vi.fn(),
    onForm: vi.fn(() => Promise.resolve({ fields: [], examples: [{}] })), onReleases: vi.fn(() => Promise.resolve([])),
    onWatch: vi.fn(), onAcknowledge: vi.fn(), onWatchingPage: vi.fn()
  };
}

function view(more: Partial<React.ComponentProps<typeof Deployments>>): ReturnType<typeof actions> {
  const done = actions();
  render(
    <Deployments deployments={[SERVING]} error={null} release={RELEASE} hasChanged={false} busy={new Map()} samples={() => []} isTried={() => false}
      actions={done as unknown as IDeploymentActions} trans={trans} {...more} />
  );
  return done;
}

describe('deployments', () => {
  it('are offered where a proved release runs nowhere', () => {
    const done = view({ deployments: [] });
    expect(screen.getByText(/runs nowhere yet/)).toBeTruthy();
    fireEvent.click(screen.getByRole('button', { name: 'Deploy' }));
    expect(done.onDeploy).toHaveBeenCalledWith('flight_delay:1111111111');
  });

  it('take no room where there is nothing to deploy and nothing runs', () => {
    view({ deployments: [], release: null });
    expect(document.querySelector('.nb2prod-Group')).toBeNull();
  });

  it('show state, address, time and what their owner should know', () => {
    view({});
    for (const text of ['serving', 'http://127.0.0.1:3000', 'up 2 min', '4.0 ms', '50 ms', 'No owner answers for it.']) {
      expect(screen.getByText(text)).toBeTruthy();
    }
    expect(screen.queryByRole('button', { name: 'Roll back' })).toBeNull();
  });

  it('show a staged rollout instead of other ways to change the version', () => {
    const rollout: IRollout = {
      version: '2222222222', stable: '1111111111', stage: '10 %', stages: ['1 %', '10 %', '100 %'], share: 0.1, paused: false, evidence: 31.6, needed: 1000,
      leading: 'errors', requests: 70, wanted: 400, rates: { errors: [0.02, 0.01], late: [0, 0] }, awaited: 'the hold: 4 s more', problem: '', sentence: 'it is a canary'
    };
    const done = view({ deployments: [{ ...SERVING, previous: '0000000000', rollout, notes: ['it is a canary', 'other'] }] });
    for (const text of ['Waits for the hold: 4 s more.', '32 of 1,000', '70 of 400 requests, after which harm would have been seen', '2.00 %', 'other']) {
      expect(screen.getByText(text)).toBeTruthy();
    }
    expect(screen.queryByText('it is a canary')).toBeNull();
    expect(screen.queryByText('late')).toBeNull();
    expect(document.querySelector('[aria-current=step]')?.textContent).toBe('10 %');
    expect(screen.queryByRole('button', { name: 'Roll back' })).toBeNull();
    for (const [name, action] of [['Pause', 'pause'], ['Advance to 100 %', 'advance'], ['Abort', 'abort']] as const) {
      fireEvent.click(screen.getByRole('button', { name }));
      expect(done.onAct).toHaveBeenLastCalledWith('flights', action);
    }
  });

  it('say that the notebook is another one now', () => {
    view({ hasChanged: true });
    expect(screen.getByText('The notebook has changed since this release.')).toBeTruthy();
  });

  it('say once that the notebook is another one now', () => {
    view({ hasChanged: true, deployments: [{ ...SERVING, notes: ['the notebook has changed since this was built'] }] });
    expect(screen.getAllByText(/has changed/)).toHaveLength(1);
  });

  it('show no percentile of a few requests', () => {
    view({ deployments: [{ ...SERVING, requests: 7 }] });
    expect(screen.queryByText('50 ms')).toBeNull();
    expect(screen.getByText(/7 requests so far/)).toBeTruthy();
  });

  it('that are started again say so', () => {
    view({ deployments: [{ ...SERVING, state: 'stopped' }], busy: new Map([['flights', 'Starting']]) });
    expect(screen.getByText('starting')).toBeTruthy();
  });

  it('lose their form and its answers with their release', async () => {
    const onForm = vi.fn(() => Promise.resolve({ fields: [], examples: [{}] }));
    const done = { ...actions(), onForm, onTry: vi.fn(() => Promise.resolve({ status: 200, milliseconds: 12, answer: { predictions: [41], errors: [] } })) };
    const shown = (item: IDeployment): React.JSX.Element => (
      <Deployments deployments={[item]} error={null} release={RELEASE} hasChanged={false} busy={new Map()} samples={() => []} isTried={() => true}
        actions={done as unknown as IDeploymentActions} trans={trans} />
    );
    const { rerender } = render(shown(SERVING));
    fireEvent.click(await screen.findByRole('button', { name: 'Ask' }));
    expect(await screen.findByText('41')).toBeTruthy();
    expect(screen.getByText('from flight_delay:11111111')).toBeTruthy();
    rerender(shown({ ...SERVING, version: '2222222222', bento: 'flight_delay:2222222222' }));
    expect(await screen.findByRole('button', { name: 'Ask' })).toBeTruthy();
    expect(screen.queryByText('41')).toBeNull();
    expect(onForm).toHaveBeenCalledTimes(2);
  });

  it('offer a newer release, and the way back', () => {
    const newer = { ...RELEASE, version: '2222222222', bento: 'flight_delay:2222222222' };
    const done = view({ release: newer, deployments: [{ ...SERVING, previous: '0000000000' }] });
    fireEvent.click(screen.getByRole('button', { name: 'Deploy 22222222' }));
    expect(done.onDeploy).toHaveBeenCalledWith('flight_delay:2222222222');
    fireEvent.click(screen.getByRole('button', { name: 'Roll back' }));
    expect(done.onAct).toHaveBeenCalledWith('flights', 'rollback');
  });

  it('that are stopped can be started, not tried', () => {
    const done = view({ deployments: [{ ...SERVING, state: 'stopped' }] });
    expect(screen.queryByRole('button', { name: 'Try it' })).toBeNull();
    fireEvent.click(screen.getByRole('button', { name: 'Start' }));
    expect(done.onAct).toHaveBeenCalledWith('flights', 'restart');
  });

  it('can not be changed twice at once', () => {
    view({ busy: new Map([['flights', 'Rolling back']]) });
    expect(screen.getByText('Rolling back')).toBeTruthy();
    expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Stop' }).disabled).toBe(true);
  });

  it('say why they can not be looked at, and show what was known', () => {
    view({ error: 'away' });
    expect(screen.getByRole('alert').textContent).toContain('away');
    expect(screen.getByText('serving')).toBeTruthy();
  });

  it('of other notebooks stand apart', () => {
    view({ deployments: [{ ...SERVING, name: 'prices', release: 'house_prices' }], release: null });
    expect(screen.getByText('On this machine')).toBeTruthy();
    expect(screen.getByText('prices')).toBeTruthy();
  });
});

describe('numbers', () => {
  it('read well', () => {
    expect([5, 59.9, 60, 7200, 200_000].map(duration)).toEqual(['5 s', '59 s', '1 min', '2 h', '2 d']);
  });

  it('make a line, flat where nothing was measured', () => {
    expect(points([0, 1])).toBe('0.0,15.0 56.0,1.0');
    expect(points([null, null])).toBe('0.0,15.0 56.0,15.0');
    expect(points([])).toBe('');
  });
});

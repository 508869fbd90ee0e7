import { nullTranslator } from '@jupyterlab/translation';
import { fireEvent, render, screen } from '@testing-library/react';
import * as React from 'react';
import { describe, expect, it, vi } from 'vitest';

import { Way } from '../src/components/Way';
import type { IBuild, ICheck, IDeployment, IProposal, IRelease } from '../src/documents';
import { type IStanding, nextOf } from '../src/way';

const trans = nullTranslator.load('nb2prod');

const CLEAN = { diagnostics: [] } as unknown as ICheck;
const WRONG = { diagnostics: [{ severity: 'warning' }, { severity: 'error', cell: 4, line: 1 }] } as unknown as ICheck;
const RELEASE = { name: 'x', version: '12345678ab', bento: 'x:12345678ab', parity: {} } as unknown as IRelease;
const SAMPLE: IRelease = { ...RELEASE, parity: { sample: true } };
const SERVING = { name: 'front', release: 'x', version: '12345678ab', state: 'serving' } as unknown as IDeployment;
const BUILDING = { state: 'proving' } as unknown as IBuild;
const PROPOSAL: IProposal = { tags: [{ cell: 1, tag: 'train', reason: '', new: true }], remark: '' };

const TAGGED: IStanding = {
  hasRoles: true, hasPredict: true, proposal: null, state: { kind: 'checked', stale: false }, check: CLEAN, build: null,
  release: null, hasChanged: null, deployments: []
};

function way(more: Partial<IStanding>, doing: string | null = null): { onAct: ReturnType<typeof vi.fn>; onBuild: ReturnType<typeof vi.fn> } {
  const done = { onAct: vi.fn(), onBuild: vi.fn() };
  const standing = { ...TAGGED, ...more };
  render(<Way standing={standing} next={nextOf(standing)} doing={doing} trans={trans} {...done} />);
  return done;
}

describe('the next step', () => {
  const cases: [string, Partial<IStanding>, string | null, string | null][] = [
    ['no tags', { hasRoles: false, hasPredict: false }, 'tag', 'suggest'],
    ['suggested tags', { hasRoles: false, hasPredict: false, proposal: PROPOSAL }, 'tag', 'accept'],
    ['no predict cell', { hasPredict: false }, 'tag', 'suggest'],
    ['not checked yet', { check: null, state: { kind: 'checking' } }, 'check', null],
    ['a check that failed', { check: null, state: { kind: 'failed', message: '', hint: '', offline: false } }, 'check', 'check'],
    ['edited since', { state: { kind: 'checked', stale: true } }, 'check', 'check'],
    ['errors', { check: WRONG, release: RELEASE, hasChanged: true }, 'check', 'show'],
    ['nothing in the way', {}, 'build', 'build'],
    ['a build under way', { build: BUILDING, check: WRONG }, 'build', null],
    ['changed since the release', { release: RELEASE, hasChanged: true }, 'build', 'build'],
    ['a sample proved', { release: SAMPLE, hasChanged: false }, 'build', 'build'],
    ['proved', { release: RELEASE, hasChanged: false }, 'deploy', 'deploy'],
    ['an older release runs', { release: RELEASE, hasChanged: false, deployments: [{ ...SERVING, version: 'old' }] }, 'deploy', 'deploy'],
    ['starting', { release: RELEASE, hasChanged: false, deployments: [{ ...SERVING, state: 'starting' }] }, 'deploy', null],
    ['stopped', { release: RELEASE, hasChanged: false, deployments: [{ ...SERVING, state: 'stopped' }] }, 'deploy', 'start'],
    ['served', { release: RELEASE, hasChanged: false, deployments: [SERVING] }, null, 'try']
  ];
  it.each(cases)('after %s', (_, standing, step, action) => {
    const next = nextOf({ ...TAGGED, ...standing });
    expect([next.step, next.action?.kind ?? null]).toEqual([step, action]);
  });

  it.each(cases)('has one primary button at most: %s', (_, standing) => {
    way(standing);
    expect(document.querySelectorAll('.nb2prod-mod-primary').length).toBeLessThanOrEqual(1);
    expect(document.querySelectorAll('[aria-current="step"]').length).toBeLessThanOrEqual(1);
  });
});

describe('the way', () => {
  it('greets an untagged notebook with suggestions, and with no error', () => {
    const { onAct } = way({ hasRoles: false, hasPredict: false, check: WRONG });
    fireEvent.click(screen.getByRole('button', { name: 'Suggest tags' }));
    expect(onAct).toHaveBeenCalledWith({ kind: 'suggest' });
    expect(screen.queryByText(/error/)).toBeNull();
    expect(screen.queryByRole('button', { name: /Build/ })).toBeNull();
  });

  it('leads to the first error; a build is possible, but not what comes next', () => {
    const { onAct, onBuild } = way({ check: WRONG });
    expect(screen.getByText('1 error stands in the way.')).toBeTruthy();
    const build = screen.getByRole('button', { name: 'Build and prove' });
    expect(build.classList.contains('nb2prod-mod-primary')).toBe(false);
    fireEvent.click(build);
    expect(onBuild).toHaveBeenCalled();
    fireEvent.click(screen.getByRole('button', { name: 'Show the first error' }));
    expect(onAct).toHaveBeenCalledWith({ kind: 'show', item: WRONG.diagnostics[1] });
  });

  it('says what is proved, with Deploy beside it', () => {
    const { onAct } = way({ release: RELEASE, hasChanged: false });
    expect(screen.getByText('x:12345678 is proved')).toBeTruthy();
    fireEvent.click(screen.getByRole('button', { name: 'Deploy' }));
    expect(onAct).toHaveBeenCalledWith({ kind: 'deploy', bento: 'x:12345678ab' });
  });

  it('says that the notebook is another one now', () => {
    way({ release: RELEASE, hasChanged: true });
    expect(screen.getByText('The notebook has changed since x:12345678.')).toBeTruthy();
  });

  it('waits for what is being done', () => {
    way({ release: RELEASE, hasChanged: false }, 'Deploying x:12345678ab');
    expect(screen.getByText('Deploying x:12345678ab')).toBeTruthy();
    expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Deploy' }).disabled).toBe(true);
  });
});

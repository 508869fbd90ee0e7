import { EditorState } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import { nullTranslator } from '@jupyterlab/translation';
import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import { Signal } from '@lumino/signaling';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { BuildsModel } from '../src/builds';
import type { Client } from '../src/client';
import { DeploymentsModel } from '../src/deployments';
import type { IBuild, IDeployment, IRecordedPlan, IRelease } from '../src/documents';
import { LineMarks, lineMarksExtension } from '../src/lineMarks';
import { linesByCell, recordedPlan } from '../src/plan';
import { compare } from '../src/releaseDiff';
import { firstLine } from '../src/cells';
import { rolesOf, withRole } from '../src/roles';
import { Settings } from '../src/settings';

const BUILD: IBuild = {
  id: 'b', notebook: 'x.ipynb', state: 'running', queued: '', started: '', ended: null, stages: [], cells: null,
  message: '', cancelling: false, bento: null, summary: ''
};

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe('builds', () => {
  function model(): { builds: BuildsModel; tell: (build: IBuild) => void; drop: () => void; asked: ReturnType<typeof vi.fn> } {
    let tell: (build: IBuild) => void = () => undefined;
    let drop = (): void => undefined;
    const asked = vi.fn((id: string) => Promise.resolve({ ...BUILD, id, state: 'proved', diagnostics: [] }));
    const client = {
      followBuilds: (onBuild: (build: IBuild) => void, onOpen: () => void) => {
        tell = onBuild;
        onOpen();
        return new Promise<void>((_, reject) => {
          drop = () => { reject(new Error('gone')); };
        });
      },
      build: asked
    };
    return { builds: new BuildsModel(client as unknown as Client), tell: build => { tell(build); }, drop: () => { drop(); }, asked };
  }

  it('that another window started are here', async () => {
    const { builds, tell } = model();
    builds.listen();
    await vi.advanceTimersByTimeAsync(1000);
    tell(BUILD);
    expect(builds.latest('x.ipynb')?.id).toBe('b');
    expect(builds.latest('y.ipynb')).toBeNull();
    builds.dispose();
  });

  it('end once, and only those that were seen to run', async () => {
    const { builds, tell } = model();
    const ended: string[] = [];
    builds.ended.connect((_, build) => { ended.push(build.id); });
    builds.listen();
    await vi.advanceTimersByTimeAsync(1000);
    tell({ ...BUILD, id: 'old', state: 'proved' });
    tell(BUILD);
    tell({ ...BUILD, state: 'cancelled' });
    tell({ ...BUILD, state: 'cancelled' });
    expect(ended).toEqual(['b']);
    builds.dispose();
  });

  it('have an outcome that is asked for once, when someone wants it', async () => {
    const { builds, tell, asked } = model();
    builds.listen();
    await vi.advanceTimersByTimeAsync(1000);
    const proved: IBuild = { ...BUILD, state: 'proved' };
    tell(proved);
    expect(asked).not.toHaveBeenCalled();
    expect(builds.outcome(proved)).toBeNull();
    await vi.advanceTimersByTimeAsync(1);
    expect(builds.outcome(proved)?.state).toBe('proved');
    expect(asked).toHaveBeenCalledTimes(1);
    builds.dispose();
  });

  it('are listened for again after the server was lost', async () => {
    const { builds, drop } = model();
    const seen: boolean[] = [];
    builds.connection.connect((_, connected) => { seen.push(connected); });
    builds.listen();
    await vi.advanceTimersByTimeAsync(1000);
    drop();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(seen).toEqual([true, false, true]);
    builds.dispose();
  });
});

describe('deployments', () => {
  it('have rates from two looks, and none across a change of version', async () => {
    const found: Partial<IDeployment>[] = [
      { name: 'd', version: '1', requests: 10, errors: 0, p50: 0.01, p99: 0.02 },
      { name: 'd', version: '1', requests: 30, errors: 2, p50: 0.01, p99: 0.02 },
      { name: 'd', version: '2', requests: 31, errors: 0, p50: 0.01, p99: 0.02 }
    ];
    const client = { deployments: () => Promise.resolve([found.shift()]) };
    const model = new DeploymentsModel(client as unknown as Client, new Settings());
    await model.refresh();
    vi.advanceTimersByTime(2000);
    await model.refresh();
    vi.advanceTimersByTime(2000);
    await model.refresh();
    expect(model.samples('d').map(sample => sample.rate)).toEqual([null, 10, null]);
    expect(model.samples('d')[1]?.errors).toBe(1);
    model.dispose();
  });

  it('that can not be looked at keep what was known, and say why', async () => {
    const client = { deployments: () => Promise.reject(new Error('away')) };
    const model = new DeploymentsModel(client as unknown as Client, new Settings());
    await expect(model.refresh()).rejects.toThrow('away');
    expect(model.error).toBe('away');
    expect(model.deployments).toBeNull();
    model.dispose();
  });

  it('are looked at as often as the settings say, however seldom', async () => {
    vi.spyOn(document, 'hidden', 'get').mockReturnValue(false);
    const stored = { composite: { pollInterval: 300 }, changed: new Signal<object, void>({}) };
    const settings = new Settings();
    settings.follow(stored as unknown as ISettingRegistry.ISettings);
    const look = vi.fn(() => Promise.resolve([]));
    const model = new DeploymentsModel({ deployments: look } as unknown as Client, settings);
    model.isActive = true;
    await vi.advanceTimersByTimeAsync(1000);
    const first = look.mock.calls.length;
    await vi.advanceTimersByTimeAsync(200_000);
    expect(look).toHaveBeenCalledTimes(first);
    await vi.advanceTimersByTimeAsync(100_000);
    expect(look).toHaveBeenCalledTimes(first + 1);
    stored.composite = { pollInterval: 0.5 };
    stored.changed.emit();
    await vi.advanceTimersByTimeAsync(2100);
    expect(look.mock.calls.length).toBeGreaterThan(first + 4);
    model.dispose();
  });
});

describe('plans', () => {
  const plan: IRecordedPlan = {
    raw_table: 'df', prediction: 'p', fields: ['a'], target: [],
    path: [{ cell: 2, line: 3, source: 'x = f(\n  1\n)' }, { cell: 2, line: 9, source: 'y' }],
    captured: [{ name: 'm', cell: 1, line: 1, reason: 'r', value: '3' }], filters: []
  };
  const release = (version: string, more: Partial<IRecordedPlan>): IRelease => ({
    bento: `x:${version}`, name: 'x', version, created: '', notebook: '', notebook_hash: '', data_hash: 'd', parity: {}, plan: { ...plan, ...more }
  });
  const trans = nullTranslator.load('nb2prod');

  it('give the lines of each cell, of statements over several lines too', () => {
    expect([...linesByCell(recordedPlan(plan))]).toEqual([[2, [3, 4, 5, 9]]]);
  });

  it('are compared part by part', () => {
    const lines = compare(release('1', {}), release('2', { fields: ['a', 'b'], captured: [] }), trans).map(line => line.text);
    expect(lines).toEqual(['Fields', '+ b', 'Kept from training', '− m = 3']);
    expect(compare(release('1', {}), release('2', {}), trans).map(line => line.kind)).toEqual(['same']);
  });
});

describe('line marks', () => {
  it('are drawn, move with their text, and may name lines that are gone', () => {
    const marks = new LineMarks();
    const cell = {};
    marks.set(cell, [{ line: 2, kind: 'error' }, { line: 2, kind: 'path' }, { line: 99, kind: 'error' }]);
    const view = new EditorView({ state: EditorState.create({ doc: 'a\n  b\nc', extensions: lineMarksExtension(marks, cell) }) });
    const drawn = (): (string | null)[] => [...view.dom.querySelectorAll('.nb2prod-Mark-error')].map(node => node.textContent);
    expect(drawn()).toEqual(['b']);
    expect(view.dom.querySelectorAll('.nb2prod-Line-path')).toHaveLength(1);
    view.dispatch({ changes: { from: 0, insert: 'new\n' } });
    expect(drawn()).toEqual(['b']);
    marks.set(cell, []);
    expect(drawn()).toEqual([]);
    view.destroy();
    marks.set(cell, [{ line: 1, kind: 'error' }]);
  });
});

describe('tags', () => {
  it('keep those that are none of ours, in their place', () => {
    expect(withRole(['slow', 'train', 'mine'], 'train', false)).toEqual(['slow', 'mine']);
    expect(withRole(['slow'], 'predict', true)).toEqual(['slow', 'predict']);
    expect(rolesOf(['predict', 'slow', 'feature'])).toEqual(['feature', 'predict']);
  });

  it('stand beside the first line that says something', () => {
    expect(firstLine('\n# why\nx = 1')).toBe('x = 1');
    expect(firstLine('## only this')).toBe('only this');
    expect(firstLine('')).toBe('');
  });
});

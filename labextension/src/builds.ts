import { Poll } from '@lumino/polling';
import { type ISignal, Signal } from '@lumino/signaling';

import type { Client } from './client';
import type { IBuild, IBuildOutcome } from './documents';

const FINAL: ReadonlySet<IBuild['state']> = new Set(['proved', 'refused', 'cancelled', 'failed']);

export function hasEnded(build: IBuild): boolean {
  return FINAL.has(build.state);
}

/**
 * The server's builds, as its stream tells them: what another window started is here too.
 */
export class BuildsModel {
  constructor(private readonly _client: Client) {
    // The stream ends where the server does: ask again, less and less often while it does not answer.
    this._poll = new Poll({
      name: 'nb2prod:builds',
      factory: () => this._follow(),
      frequency: { interval: 500, backoff: true, max: 10_000 },
      auto: false
    });
  }

  get changed(): ISignal<BuildsModel, IBuild> {
    return this._changed;
  }

  /** Emitted when a build that this page saw running ends. */
  get ended(): ISignal<BuildsModel, IBuild> {
    return this._ended;
  }

  /** Emitted when the server is lost, and when it is back. */
  get connection(): ISignal<BuildsModel, boolean> {
    return this._connection;
  }

  /** Begin to listen, once there is a reason to. */
  listen(): void {
    if (!this._isListening) {
      this._isListening = true;
      void this._poll.start();
    }
  }

  /** The newest build of a notebook. */
  latest(path: string): IBuild | null {
    const own = [...this._builds.values()].filter(build => build.notebook === path);
    return own[own.length - 1] ?? null;
  }

  /** The outcome of a build that ended; null until it has come. It is asked for the first time that someone wants it. */
  outcome(build: IBuild): IBuildOutcome | null {
    if (hasEnded(build) && !this._asked.has(build.id)) {
      this._asked.add(build.id);
      void this._fetchOutcome(build);
    }
    return this._outcomes.get(build.id) ?? null;
  }

  async start(path: string): Promise<IBuild> {
    this.listen();
    const build = await this._client.startBuild(path);
    this._add(build);
    return build;
  }

  async cancel(build: IBuild): Promise<void> {
    this._add(await this._client.cancelBuild(build.id));
  }

  dispose(): void {
    this._abort.abort();
    this._poll.dispose();
    Signal.clearData(this);
  }

  private async _follow(): Promise<void> {
    try {
      await this._client.followBuilds(
        build => {
          this._add(build);
        },
        () => {
          this._setConnected(true);
        },
        this._abort.signal
      );
    } finally {
      if (!this._abort.signal.aborted) {
        this._setConnected(false);
      }
    }
  }

  private _setConnected(connected: boolean): void {
    if (this._isConnected !== connected) {
      this._isConnected = connected;
      this._connection.emit(connected);
    }
  }

  private _add(build: IBuild): void {
    const before = this._builds.get(build.id);
    if (before !== undefined && hasEnded(before)) {
      return;
    }
    this._builds.set(build.id, build);
    this._changed.emit(build);
    if (hasEnded(build) && before !== undefined) {
      this._ended.emit(build);
    }
  }

  private async _fetchOutcome(build: IBuild): Promise<void> {
    try {
      this._outcomes.set(build.id, await this._client.build(build.id));
      this._changed.emit(build);
    } catch {
      // It was removed meanwhile, or the server is away; its summary is known all the same.
    }
  }

  private readonly _poll: Poll;
  private readonly _abort = new AbortController();
  private readonly _changed = new Signal<BuildsModel, IBuild>(this);
  private readonly _connection = new Signal<BuildsModel, boolean>(this);
  private readonly _ended = new Signal<BuildsModel, IBuild>(this);
  private readonly _builds = new Map<string, IBuild>();
  private readonly _outcomes = new Map<string, IBuildOutcome>();
  private readonly _asked = new Set<string>();
  private _isListening = false;
  private _isConnected = false;
}

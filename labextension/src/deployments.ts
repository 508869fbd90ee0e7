import { Poll } from '@lumino/polling';
import { type ISignal, Signal } from '@lumino/signaling';

import type { Client } from './client';
import type { IDeployment } from './documents';
import type { Settings } from './settings';

/** Looks that a sparkline is drawn from. */
const KEPT = 60;

/**
 * What was measured at one look; rates are of the time since the look before.
 */
export interface ISample {
  readonly at: number;
  /** Requests a second. */
  readonly rate: number | null;
  /** Errors a second. */
  readonly errors: number | null;
  /** Seconds. */
  readonly p50: number | null;
  readonly p99: number | null;
}

/**
 * The deployments of this machine, looked at while someone looks.
 */
export class DeploymentsModel {
  constructor(
    private readonly _client: Client,
    private readonly _settings: Settings
  ) {
    this._poll = new Poll({
      name: 'nb2prod:deployments',
      factory: () => this.refresh(),
      frequency: { interval: _settings.values.pollInterval * 1000, backoff: true, max: 30_000 },
      standby: 'when-hidden',
      auto: false
    });
    _settings.changed.connect(this._onSettingsChanged, this);
  }

  /** null until they are known. */
  get deployments(): readonly IDeployment[] | null {
    return this._deployments;
  }

  /** Why they are not known; null where they are. */
  get error(): string | null {
    return this._error;
  }

  get changed(): ISignal<DeploymentsModel, void> {
    return this._changed;
  }

  /** What is being done to a deployment by this page. */
  get busy(): ReadonlyMap<string, string> {
    return this._busy;
  }

  /** Whether the form to ask a deployment is open. */
  isTried(name: string): boolean {
    return this._tried.has(name);
  }

  /** Open the form to ask a deployment, or close it. */
  setTried(name: string, on: boolean): void {
    if (on) {
      this._tried.add(name);
    } else {
      this._tried.delete(name);
    }
    this._changed.emit();
  }

  samples(name: string): readonly ISample[] {
    return this._samples.get(name) ?? [];
  }

  /** Look from now on, or no longer. */
  set isActive(value: boolean) {
    this._isActive = value;
    void (value ? this._poll.start() : this._poll.stop());
  }

  async refresh(): Promise<void> {
    try {
      const found = await this._client.deployments();
      const before = new Map((this._deployments ?? []).map(item => [item.name, item]));
      for (const item of found) {
        this._note(item, before.get(item.name) ?? null);
      }
      this._deployments = found;
      this._error = null;
    } catch (reason) {
      this._error = reason instanceof Error ? reason.message : String(reason);
      this._changed.emit();
      throw reason;
    }
    this._changed.emit();
  }

  /** Do something that takes a while to a deployment, and look again. Throws what `work` throws. */
  async during(name: string, words: string, work: () => Promise<unknown>): Promise<void> {
    this._busy.set(name, words);
    this._changed.emit();
    try {
      await work();
    } finally {
      this._busy.delete(name);
      await this.refresh().catch(() => undefined);
    }
  }

  dispose(): void {
    this._poll.dispose();
    Signal.clearData(this);
  }

  private _note(now: IDeployment, before: IDeployment | null): void {
    const at = Date.now();
    const samples = this._samples.get(now.name) ?? [];
    const seconds = (at - (samples[samples.length - 1]?.at ?? at)) / 1000;
    const isSame = before !== null && before.version === now.version;
    const rate = (value: number | null, old: number | null | undefined): number | null =>
      !isSame || value === null || old === null || old === undefined || value < old || seconds <= 0
        ? null
        : (value - old) / seconds;
    const sample = {
      at,
      rate: rate(now.requests, before?.requests),
      errors: rate(now.errors, before?.errors),
      p50: now.p50,
      p99: now.p99
    };
    this._samples.set(now.name, [...samples, sample].slice(-KEPT));
  }

  private _onSettingsChanged(): void {
    const interval = this._settings.values.pollInterval * 1000;
    if (interval === this._poll.frequency.interval) {
      return;
    }
    this._poll.frequency = { ...this._poll.frequency, interval };
    if (this._isActive) {
      // Not only when a long wait of before is over.
      void this._poll.refresh();
    }
  }

  private readonly _poll: Poll;
  private readonly _changed = new Signal<DeploymentsModel, void>(this);
  private readonly _samples = new Map<string, readonly ISample[]>();
  private readonly _tried = new Set<string>();
  private readonly _busy = new Map<string, string>();
  private _deployments: readonly IDeployment[] | null = null;
  private _error: string | null = null;
  private _isActive = false;
}

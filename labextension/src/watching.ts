/**
 * What `GET watching/<name>` answers, as far as the panel reads it.
 */

export type WatchState = 'waiting' | 'quiet' | 'drifting' | 'drifted';

/** Total variation with its interval of 95 %. */
export interface ISize {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** One thing that is watched: a field, the prediction, missing or unseen values, rows without an answer. */
export interface ISeries {
  readonly name: string;
  readonly state: WatchState;
  readonly evidence: number;
  /** null while there is nothing to compare. */
  readonly size: ISize | null;
  /** The day that the evidence speaks most for. */
  readonly since: string | null;
  readonly labels: readonly string[];
  /** Rows by label, in training and since then. */
  readonly reference: readonly number[];
  readonly current: readonly number[];
  readonly note: string;
}

export interface IAlarm {
  readonly id: number;
  /** `name:version`. */
  readonly model: string;
  /** ISO 8601. */
  readonly raised: string;
  readonly text: string;
  readonly who: string | null;
  readonly why: string | null;
}

/** What labels say of the answers. */
export interface ILabels {
  readonly rows: number;
  readonly labelled: number;
  readonly coverage: number;
  readonly state: string;
  readonly loss_name: string;
  readonly loss: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly notebook_loss: number | null;
}

export interface IWatching {
  readonly name: string;
  readonly model: string;
  readonly state: WatchState;
  readonly owner: string | null;
  readonly runbook: string | null;
  /** What an alarm states, in words. */
  readonly promise: string;
  readonly rows: number;
  readonly days: readonly string[];
  readonly series: readonly ISeries[];
  readonly unwatched: readonly { readonly name: string; readonly reason: string }[];
  readonly alarms: readonly IAlarm[];
  readonly acknowledged: readonly IAlarm[];
  readonly notes: readonly string[];
  /** null where there are no labels. */
  readonly labels: ILabels | null;
}

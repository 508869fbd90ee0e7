import { type ISignal, Signal } from '@lumino/signaling';

import { type IPlan, linesByCell } from './plan';

/**
 * Whether the serving path is drawn in notebooks, and which lines it has in each.
 */
export class PathHighlight {
  get changed(): ISignal<PathHighlight, object> {
    return this._changed;
  }

  /** Show a plan's path in the notebook of this panel, or none. */
  show(panel: object, plan: IPlan | null): void {
    this._plans.set(panel, plan);
    this._changed.emit(panel);
  }

  isShown(panel: object): boolean {
    return (this._plans.get(panel) ?? null) !== null;
  }

  /** Lines by cell number; none while it is not shown. */
  lines(panel: object): Map<number, number[]> {
    const plan = this._plans.get(panel) ?? null;
    return plan === null ? new Map<number, number[]>() : linesByCell(plan);
  }

  private readonly _plans = new WeakMap<object, IPlan | null>();
  private readonly _changed = new Signal<PathHighlight, object>(this);
}

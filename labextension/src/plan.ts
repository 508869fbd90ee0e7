import type { ICheck, ILine, IRecordedPlan } from './documents';

/** A line of the notebook; null where the value is none of one line's. */
export interface IWhere {
  readonly cell: number | null;
  readonly line: number | null;
}

/**
 * What is served, in one shape whether it was forecast or recorded.
 */
export interface IPlan {
  readonly rawTable: string | null;
  readonly prediction: string | null;
  readonly fields: readonly string[];
  readonly target: readonly string[];
  readonly path: readonly ILine[];
  readonly captured: readonly (IWhere & { readonly name: string; readonly reason: string; readonly value: string | null })[];
  readonly filters: readonly (IWhere & { readonly source: string; readonly kind: string; readonly reason: string })[];
}

export function forecastPlan(check: ICheck): IPlan | null {
  if (check.prediction === null) {
    return null;
  }
  return {
    rawTable: check.raw_table?.name ?? null,
    prediction: check.prediction.name,
    fields: check.fields,
    target: check.target,
    path: check.path.filter(line => line.about_target !== true),
    captured: check.captured.map(item => ({ ...item, name: item.expression || item.name, value: null })),
    filters: check.filters
  };
}

export function recordedPlan(plan: IRecordedPlan): IPlan {
  return {
    rawTable: plan.raw_table,
    prediction: plan.prediction,
    fields: plan.fields,
    target: plan.target,
    path: plan.path,
    captured: plan.captured.map(item => ({ ...item, value: item.value ?? null })),
    filters: plan.filters.map(item => ({ ...item, kind: item.class, reason: item.evidence }))
  };
}

/**
 * The lines of the serving path by cell: what is highlighted in the notebook.
 */
export function linesByCell(plan: IPlan): Map<number, number[]> {
  const found = new Map<number, number[]>();
  for (const line of plan.path) {
    const length = line.source.split('\n').length;
    const last = line.end_line ?? line.line + length - 1;
    const lines = found.get(line.cell) ?? [];
    for (let number = line.line; number <= last; number += 1) {
      lines.push(number);
    }
    found.set(line.cell, lines);
  }
  return found;
}

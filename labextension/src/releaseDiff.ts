import type { TranslationBundle } from '@jupyterlab/translation';

import type { IRecordedPlan, IRelease } from './documents';

export interface IDiffLine {
  readonly kind: 'heading' | 'added' | 'removed' | 'same';
  readonly text: string;
}

/**
 * What differs between two releases: fields, target, lines of the path, values kept, filters, and the data.
 */
export function compare(before: IRelease, now: IRelease, trans: TranslationBundle): IDiffLine[] {
  const parts: [string, (plan: IRecordedPlan) => string[]][] = [
    [trans.__('Fields'), plan => [...plan.fields]],
    [trans.__('Target'), plan => [...plan.target]],
    [trans.__('Serving path'), plan => plan.path.map(line => line.source)],
    [trans.__('Kept from training'), plan => plan.captured.map(item => `${item.name} = ${item.value ?? '…'}`)],
    [trans.__('Filters'), plan => plan.filters.map(item => `${item.source} (${item.class})`)]
  ];
  const lines: IDiffLine[] = [];
  if (before.data_hash !== now.data_hash) {
    lines.push({ kind: 'heading', text: trans.__('The raw table has other data.') });
  }
  for (const [heading, read] of parts) {
    const old = before.plan === undefined ? [] : read(before.plan);
    const young = now.plan === undefined ? [] : read(now.plan);
    const removed = old.filter(item => !young.includes(item));
    const added = young.filter(item => !old.includes(item));
    if (removed.length + added.length > 0) {
      lines.push({ kind: 'heading', text: heading });
      lines.push(...removed.map((text): IDiffLine => ({ kind: 'removed', text: `− ${text}` })));
      lines.push(...added.map((text): IDiffLine => ({ kind: 'added', text: `+ ${text}` })));
    }
  }
  return lines.length > 0 ? lines : [{ kind: 'same', text: trans.__('The plans are the same.') }];
}

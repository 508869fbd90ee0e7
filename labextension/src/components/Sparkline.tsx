import * as React from 'react';

interface IProps {
  readonly label: string;
  /** As it is now, in words. */
  readonly value: string;
  /** Oldest first; null where nothing was measured. */
  readonly values: readonly (number | null)[];
}

const WIDTH = 56;
const HEIGHT = 16;

/**
 * A number with its name and its course over the last looks.
 */
export function Sparkline({ label, value, values }: IProps): React.JSX.Element {
  return (
    <div className="nb2prod-Metric">
      <span className="nb2prod-Metric-label">{label}</span>
      <span className="nb2prod-Metric-value">{value}</span>
      <svg className="nb2prod-Spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true">
        <polyline points={points(values)} />
      </svg>
    </div>
  );
}

export function points(values: readonly (number | null)[]): string {
  const known = values.filter(value => value !== null);
  const high = known.reduce((a, b) => Math.max(a, b), 0);
  const step = values.length > 1 ? WIDTH / (values.length - 1) : 0;
  return values
    .map((value, index) => {
      const share = value === null || high === 0 ? 0 : value / high;
      return `${(index * step).toFixed(1)},${(HEIGHT - 1 - share * (HEIGHT - 2)).toFixed(1)}`;
    })
    .join(' ');
}

import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

interface IProps {
  readonly expected: readonly unknown[];
  readonly actual: readonly unknown[];
  readonly trans: TranslationBundle;
}

const SIZE = 200;
const MARGIN = 28;
/** More classes than these make no readable grid. */
const CLASSES = 8;
const POINTS = 400;

/**
 * Expected against actual: points for numbers, counts in a grid for classes; nothing for what can't be drawn.
 */
export function AgreementPlot({ expected, actual, trans }: IProps): React.JSX.Element | null {
  const classes = [...new Set([...expected, ...actual].map(text))].sort();
  if (expected.length === 0 || actual.length !== expected.length) {
    return null;
  }
  const isNumeric = expected.every(isNumber) && actual.every(isNumber);
  if (classes.length > CLASSES && !isNumeric) {
    return null;
  }
  const label = trans.__('What the notebook predicted, against what the service answered');
  return (
    <figure className="nb2prod-Plot">
      <svg viewBox={`0 0 ${SIZE} ${SIZE}`} role="img" aria-label={label}>
        {classes.length <= CLASSES ? (
          <Grid classes={classes} expected={expected.map(text)} actual={actual.map(text)} />
        ) : (
          <Scatter expected={expected as number[]} actual={actual as number[]} />
        )}
        <text className="nb2prod-Plot-axis" x={(SIZE + MARGIN) / 2} y={SIZE - 3} textAnchor="middle">
          {trans.__('notebook')}
        </text>
        <text className="nb2prod-Plot-axis" transform={`translate(9 ${(SIZE - MARGIN) / 2}) rotate(-90)`} textAnchor="middle">
          {trans.__('service')}
        </text>
      </svg>
    </figure>
  );
}

function Grid({ classes, expected, actual }: { readonly classes: readonly string[]; readonly expected: readonly string[]; readonly actual: readonly string[] }): React.JSX.Element {
  const side = (SIZE - MARGIN - 14) / classes.length;
  const counts = new Map<string, number>();
  expected.forEach((value, index) => {
    const key = JSON.stringify([value, actual[index]]);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  });
  return (
    <>
      {classes.flatMap((across, column) =>
        classes.map((up, row) => {
          const count = counts.get(JSON.stringify([across, up])) ?? 0;
          const x = MARGIN + column * side;
          const y = 4 + (classes.length - 1 - row) * side;
          const kind = count === 0 ? 'none' : across === up ? 'same' : 'other';
          return (
            <g key={`${across} ${up}`} className="nb2prod-Plot-box" data-kind={kind}>
              <rect x={x} y={y} width={side - 2} height={side - 2} rx={2} />
              {count > 0 && (
                <text x={x + side / 2 - 1} y={y + side / 2} textAnchor="middle" dominantBaseline="central">
                  {count.toLocaleString()}
                </text>
              )}
            </g>
          );
        })
      )}
      {classes.map((name, index) => (
        <React.Fragment key={name}>
          <text className="nb2prod-Plot-tick" x={MARGIN + (index + 0.5) * side} y={SIZE - 15} textAnchor="middle">
            {short(name)}
          </text>
          <text className="nb2prod-Plot-tick" x={MARGIN - 4} y={4 + (classes.length - 0.5 - index) * side} textAnchor="end" dominantBaseline="central">
            {short(name)}
          </text>
        </React.Fragment>
      ))}
    </>
  );
}

function Scatter({ expected, actual }: { readonly expected: readonly number[]; readonly actual: readonly number[] }): React.JSX.Element {
  const all = [...expected, ...actual];
  const low = all.reduce((a, b) => Math.min(a, b), Infinity);
  const high = all.reduce((a, b) => Math.max(a, b), -Infinity);
  const length = SIZE - MARGIN - 14;
  const place = (value: number): number => (high === low ? length / 2 : ((value - low) / (high - low)) * length);
  const step = Math.max(1, Math.ceil(expected.length / POINTS));
  // What differs is never left out for want of room.
  const drawn = expected.map((_, index) => index).filter(index => index % step === 0 || expected[index] !== actual[index]);
  return (
    <>
      <line className="nb2prod-Plot-line" x1={MARGIN} y1={length + 4} x2={MARGIN + length} y2={4} />
      {drawn.map(index => (
        <circle
          key={index}
          className="nb2prod-Plot-point"
          data-kind={expected[index] === actual[index] ? 'same' : 'other'}
          cx={MARGIN + place(expected[index] ?? 0)}
          cy={4 + length - place(actual[index] ?? 0)}
          r={2}
        />
      ))}
      {[low, high].map((value, index) => (
        <text key={index} className="nb2prod-Plot-tick" x={MARGIN + index * length} y={SIZE - 15} textAnchor={index === 0 ? 'start' : 'end'}>
          {Number(value.toPrecision(3)).toLocaleString()}
        </text>
      ))}
    </>
  );
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function short(name: string): string {
  return name.length > 6 ? `${name.slice(0, 5)}…` : name;
}

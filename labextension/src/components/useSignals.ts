import * as React from 'react';

interface IHeard {
  connect(slot: () => void): boolean;
  disconnect(slot: () => void): boolean;
}

/**
 * Draw the component again whenever one of these signals is emitted; always the same signals in the same order.
 */
export function useSignals(...signals: readonly IHeard[]): void {
  const [, redraw] = React.useReducer((count: number) => count + 1, 0);
  React.useEffect(() => {
    const slot = (): void => {
      redraw();
    };
    signals.forEach(signal => signal.connect(slot));
    // What was emitted between the first drawing and now.
    redraw();
    return () => {
      signals.forEach(signal => signal.disconnect(slot));
    };
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the signals are the dependencies
  }, signals);
}

import { cleanup } from '@testing-library/react';
import { afterEach } from 'vitest';

// CodeMirror and Lumino ask for what jsdom lacks.
globalThis.DragEvent ??= class extends Event {} as unknown as typeof DragEvent;
globalThis.ResizeObserver ??= class {
  observe(): void {}
  unobserve(): void {}
  disconnect(): void {}
} as typeof ResizeObserver;

globalThis.matchMedia ??= (() => ({ matches: false, addEventListener() {}, removeEventListener() {}, addListener() {} })) as unknown as typeof matchMedia;

afterEach(cleanup);

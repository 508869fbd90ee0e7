import { readFileSync } from 'node:fs';

import { defineConfig } from 'vitest/config';

/** JupyterLab's packages import their icons as texts, as its own build does. */
const svgAsText = {
  name: 'svg-as-text',
  enforce: 'pre',
  load(id) {
    return id.endsWith('.svg') ? `export default ${JSON.stringify(readFileSync(id, 'utf8'))};` : null;
  }
};

export default defineConfig({
  plugins: [svgAsText],
  esbuild: { jsx: 'transform' },
  test: {
    environment: 'jsdom',
    include: ['tests/**/*.test.{ts,tsx}'],
    setupFiles: ['tests/setup.ts'],
    server: { deps: { inline: [/@jupyterlab/, /@lumino/, /@jupyter/] } }
  }
});

import { defineConfig } from 'tsup';
import { library } from '../../tsup.base.js';

const entry = { index: 'src/index.ts', fixtures: 'src/fixtures.ts', cuda: 'src/cuda.ts' };

/** The engine's worker thread starts from a file of its own, beside the entry points. */
export default defineConfig(
  library({
    entry: { ...entry, 'ort-worker': 'src/engine/ort/ort-worker.ts' },
    dts: { entry },
    // An optional dependency is not left out of bundles by itself.
    external: ['koffi'],
  }),
);

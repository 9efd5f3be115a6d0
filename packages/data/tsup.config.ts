import { defineConfig } from 'tsup';
import { library } from '../../tsup.base.js';

const entry = { index: 'src/index.ts', fixtures: 'src/fixtures.ts' };

/** The worker thread that reads images starts from a file of its own, beside the entry points. */
export default defineConfig(
  library({ entry: { ...entry, 'decode-worker': 'src/loader/decode-worker.ts' }, dts: { entry } }),
);

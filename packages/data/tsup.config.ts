import { defineConfig } from 'tsup';
import { library } from '../../tsup.base.js';

/** The worker thread that reads images starts from a file of its own, beside the entry point. */
export default defineConfig(
  library({ entry: { index: 'src/index.ts', 'decode-worker': 'src/loader/decode-worker.ts' } }),
);

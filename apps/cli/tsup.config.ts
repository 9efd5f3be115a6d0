import { defineConfig } from 'tsup';
import { library } from '../../tsup.base.js';

/** ES modules only: commands are loaded when they are called, and Node can `require` ES modules. */
export default defineConfig(
  library({
    entry: { main: 'src/main.ts', index: 'src/index.ts' },
    format: ['esm'],
    dts: { entry: { index: 'src/index.ts' } },
  }),
);

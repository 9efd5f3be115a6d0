import { it } from 'vitest';
import { mixTest } from './tmp-debug.js';
it('x', async () => { await mixTest(); });

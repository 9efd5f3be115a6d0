import { readFixture, useEngine } from '@ocelli/core-tensor';
import { it } from 'vitest';
import { parityChecks } from '../../src/fixtures.js';
it('x', async () => {
  const f = await readFixture(new URL('../fixtures/eagle/concat_x5.safetensors', import.meta.url).pathname);
  for (const engine of ['ort','reference', 'tfjs'] as const) {
  try { await useEngine(engine);
  console.log(engine, await parityChecks['eagle/concat']!(f)); } catch (e) { console.log(engine, String(e).slice(0,200)); }
  }
}, 600000);

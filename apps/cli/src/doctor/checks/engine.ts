import { closeEngine, currentEngine, matmul, tensor } from '@ocelli/core-tensor';
import type { CheckResult } from '../check.js';

/** Whether the engine computes: a small product whose value is known. */
export async function checkEngine(): Promise<CheckResult> {
  const name = 'engine';
  try {
    const engine = await currentEngine();
    const started = performance.now();
    const [value] = await matmul(tensor([[1, 2, 3]]), tensor([[4], [5], [6]])).data();
    const milliseconds = performance.now() - started;
    if (Number(value) !== 32) {
      return {
        name,
        status: 'problem',
        detail: `1·4 + 2·5 + 3·6 came out as ${value} on ${engine.name}`,
        remedy: 'OCELLI_ENGINE=reference ocelli doctor',
      };
    }
    return { name, status: 'ok', detail: `${engine.name} computes; first product in ${milliseconds.toFixed(0)} ms` };
  } catch (error) {
    return { name, status: 'problem', detail: (error as Error).message, remedy: 'OCELLI_ENGINE=tfjs ocelli doctor' };
  } finally {
    await closeEngine().catch(() => undefined);
  }
}

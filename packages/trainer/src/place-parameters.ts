import { setImmediate } from 'node:timers/promises';
import { currentEngine, type Parameter } from '@ocelli/core-tensor';

/**
 * Brings parameters to the engine one at a time. Drawing or copying their values takes the main thread, which gets a
 * chance to do something else after each.
 */
export async function placeParameters(parameters: Iterable<Parameter>): Promise<void> {
  const engine = await currentEngine();
  for (const parameter of parameters) {
    await parameter.bufferOn(engine);
    await setImmediate();
  }
}

import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  add,
  ConfigError,
  closeEngine,
  currentEngine,
  EngineError,
  engineNames,
  tensor,
  useEngine,
} from '../../src/index.js';

afterEach(async () => {
  vi.unstubAllEnvs();
  await closeEngine();
});

describe('the engine in use', () => {
  test('is chosen by name', async () => {
    // That of a card has tests of its own.
    for (const name of engineNames.filter((each) => each !== 'cuda')) {
      const engine = await useEngine(name);
      expect(engine.name).toBe(name);
      expect(await currentEngine()).toBe(engine);
      const sum = add(tensor([1, 2]), 1);
      expect(await sum.data()).toEqual(Float32Array.of(2, 3));
      expect(sum.source.kind === 'device' && sum.source.buffer.engine).toBe(engine);
      await closeEngine();
    }
  });

  test('is ort if nobody chooses', async () => {
    vi.stubEnv('OCELLI_ENGINE', '');
    expect((await currentEngine()).name).toBe('ort');
  });

  test('may be chosen by OCELLI_ENGINE', async () => {
    vi.stubEnv('OCELLI_ENGINE', 'reference');
    const engine = await currentEngine();
    expect(engine.name).toBe('reference');
    expect(await currentEngine()).toBe(engine);
  });

  test('is another one after it was closed', async () => {
    const first = await useEngine('reference');
    await closeEngine();
    vi.stubEnv('OCELLI_ENGINE', 'reference');
    expect(await currentEngine()).not.toBe(first);
  });

  test('hands tensors to the next', async () => {
    await useEngine('reference');
    const x = add(tensor([1, 2]), 1);
    await x.data();
    const second = await useEngine('tfjs', { backend: 'cpu' });
    const y = add(x, x);
    expect(await y.data()).toEqual(Float32Array.of(4, 6));
    expect(y.source.kind === 'device' && y.source.buffer.engine).toBe(second);
  });
});

describe('an unknown engine', () => {
  test('is refused with the names there are', async () => {
    const failure = useEngine('torch' as 'ort');
    await expect(failure).rejects.toThrow(ConfigError);
    await expect(failure).rejects.toThrow('useEngine: expected one of ort, tfjs, cuda, reference, received "torch".');
    await expect(useEngine('constructor' as 'ort')).rejects.toThrow(ConfigError);
  });

  test('is refused in OCELLI_ENGINE as often as it is needed, until another is chosen', async () => {
    vi.stubEnv('OCELLI_ENGINE', 'torch');
    for (let attempt = 0; attempt < 2; attempt++) {
      await expect(add(tensor([1]), 1).data()).rejects.toThrow(
        'OCELLI_ENGINE: expected one of ort, tfjs, cuda, reference, received "torch".',
      );
    }
    await useEngine('reference');
    expect(await add(tensor([1]), 1).item()).toBe(2);
  });
});

describe('options of the ort engine', () => {
  test.each([0, -1, 1.5, Number.NaN])('refuse %d threads', async (threads) => {
    await expect(useEngine('ort', { threads })).rejects.toThrow(
      `ort engine: start: expected threads to be a positive integer, received ${threads}.`,
    );
  });

  test('refuse an execution provider that does not exist, with those that do', async () => {
    const failure = useEngine('ort', { executionProviders: ['cpu', 'abacus'] });
    await expect(failure).rejects.toThrow(EngineError);
    await expect(failure).rejects.toThrow(
      /^ort engine: start: expected execution providers out of cpu, .*, received "abacus"\. /,
    );
  });

  test('leave the engine before in use if the new one does not start', async () => {
    const before = await useEngine('reference');
    await expect(useEngine('ort', { executionProviders: ['abacus'] })).rejects.toThrow(EngineError);
    expect(await currentEngine()).toBe(before);
  });

  // Where the machine has the provider it starts; where it has not, the error has to say what to do.
  test.each([
    ['cuda', /NVIDIA GPU, CUDA 12/],
    ['webgpu', /Vulkan, Metal or Direct3D 12/],
  ])('start %s, or name it with what it needs and what there is', async (provider, remedy) => {
    try {
      const engine = await useEngine('ort', { executionProviders: [provider, 'cpu'] });
      expect(engine.name).toBe('ort');
    } catch (error) {
      expect(error).toBeInstanceOf(EngineError);
      const { operation, expected, remedy: advice } = error as EngineError;
      expect(operation).toBe('ort engine: start');
      expect(expected).toMatch(new RegExp(`"${provider}"|execution providers out of cpu`));
      expect(advice).toMatch(expected.includes(provider) ? remedy : /on this platform/);
      expect(advice).toMatch(/cpu|platform/);
    }
  });
});

import * as ort from 'onnxruntime-node';
import { EngineError } from '../../errors.js';
import { elementTypes, encodeModel } from '../../onnx/schema.js';

const remedies: Readonly<Record<string, string>> = {
  cuda: 'It needs an NVIDIA GPU, CUDA 12, cuDNN 9, and the library that the install script of onnxruntime-node downloads.',
  tensorrt: 'It needs an NVIDIA GPU, TensorRT, and the library that the install script of onnxruntime-node downloads.',
  webgpu: 'It needs a GPU with a Vulkan, Metal or Direct3D 12 driver.',
};

/**
 * Makes sure that each execution provider starts on this machine; onnxruntime drops some without an error.
 *
 * @throws EngineError that names the provider, what there is, and what it needs.
 */
export async function requireProviders(providers: readonly string[]): Promise<void> {
  const supported = ort.listSupportedBackends();
  const bundled = supported.filter((each) => each.bundled).map(({ name }) => name);
  for (const provider of providers) {
    if (!supported.some(({ name }) => name === provider)) {
      throw new EngineError({
        operation: 'ort engine: start',
        expected: `execution providers out of ${supported.map(({ name }) => name).join(', ')}`,
        received: JSON.stringify(provider),
        remedy: 'These are the ones that onnxruntime-node knows on this platform.',
      });
    }
    const failure = provider === 'cpu' ? undefined : await failureOf(provider);
    if (failure === undefined) continue;
    throw new EngineError({
      operation: 'ort engine: start',
      expected: `the execution provider ${JSON.stringify(provider)} to start`,
      received: failure,
      remedy: `${remedies[provider] ?? 'Check its driver.'} Without further installation there are: ${bundled.filter((name) => name !== provider).join(', ')}`,
    });
  }
}

/** Why a session with the provider alone cannot be created. */
async function failureOf(provider: string): Promise<string | undefined> {
  const value = (name: string) => ({ name, elementType: elementTypes.float32, shape: [1] });
  const identity = { op_type: 'Identity', domain: '', input: ['x'], output: ['y'], attribute: [] };
  const model = encodeModel({ nodes: [identity], initializers: [], inputs: [value('x')], outputs: [value('y')] });
  try {
    const session = await ort.InferenceSession.create(model, { executionProviders: [provider], logSeverityLevel: 4 });
    await session.release();
    return undefined;
  } catch (error) {
    return (error instanceof Error ? error.message : String(error)).trim().split('\n').at(-1)!;
  }
}

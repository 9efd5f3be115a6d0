import type { CheckpointReader } from '@ocelli/core-tensor';
import type { QuantizationFacts } from './inspection.js';

/** A way to store weights in few bits, and what it is known by. */
interface QuantizedFormat {
  readonly mark: RegExp;
  /** @param method `quant_method` of the configuration, if it has one. */
  readonly name: (key: string, reader: CheckpointReader, method: string | undefined) => string | Promise<string>;
  readonly isSupported: boolean;
}

const formats: readonly QuantizedFormat[] = [
  {
    mark: /\.quantization$/,
    name: async (key, reader) => `ocelli ${new TextDecoder().decode(await reader.readBytes(key))}`,
    isSupported: true,
  },
  {
    mark: /\.quant_state\.bitsandbytes__(nf4|fp4)$/,
    name: (key) => `bitsandbytes ${key.slice(-3)}`,
    isSupported: true,
  },
  { mark: /\.SCB$/, name: () => 'bitsandbytes int8', isSupported: true },
  { mark: /\.qweight$/, name: (_key, _reader, method) => method ?? 'gptq or awq', isSupported: false },
  { mark: /\.weight_scale(_inv)?$/, name: (_key, _reader, method) => method ?? 'float8', isSupported: false },
];

/** How weights are quantized, if they are: by the tensors, else by what the configuration says. */
export async function describeQuantization(
  reader: CheckpointReader,
  config: Readonly<Record<string, unknown>>,
): Promise<QuantizationFacts | null> {
  const declared = config.quantization_config as { quant_method?: unknown } | null | undefined;
  const method = typeof declared?.quant_method === 'string' ? declared.quant_method : undefined;
  for (const { mark, name, isSupported } of formats) {
    const marked = reader.keys().filter((key) => mark.test(key));
    if (marked.length > 0) {
      return { format: await name(marked[0]!, reader, method), weights: marked.length, isSupported };
    }
  }
  return method === undefined ? null : { format: method, weights: 0, isSupported: false };
}

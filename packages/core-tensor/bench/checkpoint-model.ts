import { Linear, Module, Parameter, RMSNorm, type TensorSource, writeCheckpoint } from '../src/index.js';

const size = { width: 2048, hidden: 5632, keyWidth: 256, layers: 9, vocabulary: 32000 };

class Layer extends Module {
  readonly q_proj = new Linear(size.width, size.width, { bias: false });
  readonly k_proj = new Linear(size.width, size.keyWidth, { bias: false });
  readonly v_proj = new Linear(size.width, size.keyWidth, { bias: false });
  readonly o_proj = new Linear(size.width, size.width, { bias: false });
  readonly gate_proj = new Linear(size.width, size.hidden, { bias: false });
  readonly up_proj = new Linear(size.width, size.hidden, { bias: false });
  readonly down_proj = new Linear(size.hidden, size.width, { bias: false });
  readonly input_layernorm = new RMSNorm(size.width);
  readonly post_attention_layernorm = new RMSNorm(size.width);
}

/** Parameters of a decoder of 527M parameters: shapes as in TinyLlama, 2.1 GB in float32. */
export class CheckpointModel extends Module {
  readonly embed_tokens = new Parameter([size.vocabulary, size.width]);
  readonly layers = Array.from({ length: size.layers }, () => new Layer());
  readonly norm = new RMSNorm(size.width);
  readonly lm_head = new Linear(size.width, size.vocabulary, { bias: false });
}

const maxShardBytes = 500e6;

/** Writes shards of the model's names and shapes. The values are cheap to make and finite. */
export async function writeModel(folder: string, dtype: 'float32' | 'bfloat16'): Promise<void> {
  const sources = Object.entries(new CheckpointModel().namedParameters()).map(([name, { shape }]) => {
    const length = shape.reduce((product, each) => product * each, 1);
    const data = () =>
      dtype === 'float32'
        ? Float32Array.from({ length }, (_, i) => (i % 1021) / 1021)
        : Uint16Array.from({ length }, (_, i) => 0x3f00 + (i % 127));
    return [name, { dtype, shape, data } as TensorSource] as const;
  });
  await writeCheckpoint(folder, sources, { maxShardBytes });
}

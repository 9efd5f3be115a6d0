import {
  add,
  applyRotary,
  attention,
  compile,
  crossEntropy,
  dispose,
  embedding,
  initializers,
  inverseFrequencies,
  Linear,
  Module,
  mergeHeads,
  mul,
  Parameter,
  RMSNorm,
  rotaryTables,
  silu,
  splitHeads,
  type Tensor,
  tensor,
  valueAndGrad,
} from '../src/index.js';
import { seconds } from './measure.js';

/** The step that the speed of training is judged by. */
export const decoderSize = { layers: 4, width: 512, heads: 8, hidden: 1408, vocabulary: 4096, batch: 4, tokens: 256 };

class Block extends Module {
  readonly norm1 = new RMSNorm(decoderSize.width);
  readonly norm2 = new RMSNorm(decoderSize.width);
  readonly q = square();
  readonly k = square();
  readonly v = square();
  readonly o = square();
  readonly gate = new Linear(decoderSize.width, decoderSize.hidden, { bias: false });
  readonly up = new Linear(decoderSize.width, decoderSize.hidden, { bias: false });
  readonly down = new Linear(decoderSize.hidden, decoderSize.width, { bias: false });

  /** x [batch, tokens, width] → same */
  forward(x: Tensor, rope: ReturnType<typeof rotaryTables>): Tensor {
    const n = this.norm1.forward(x);
    const heads = (layer: Linear) => splitHeads(layer.forward(n), decoderSize.heads);
    const mixed = attention(applyRotary(heads(this.q), rope), applyRotary(heads(this.k), rope), heads(this.v), {
      causal: true,
    });
    const h = add(x, this.o.forward(mergeHeads(mixed)));
    const m = this.norm2.forward(h);
    return add(h, this.down.forward(mul(silu(this.gate.forward(m)), this.up.forward(m))));
  }
}

function square(): Linear {
  return new Linear(decoderSize.width, decoderSize.width, { bias: false });
}

/** A decoder with a gated feed-forward part, as LLaMA's. */
export class Decoder extends Module {
  readonly table = new Parameter([decoderSize.vocabulary, decoderSize.width], {
    initializer: initializers.normal(0, 0.02),
  });
  readonly blocks = Array.from({ length: decoderSize.layers }, () => new Block());
  readonly norm = new RMSNorm(decoderSize.width);
  readonly head = new Linear(decoderSize.width, decoderSize.vocabulary, { bias: false });

  /** ids and targets [batch, tokens] → scalar */
  loss(ids: Tensor, targets: Tensor): Tensor {
    const positions = tensor(
      Int32Array.from({ length: decoderSize.tokens }, (_, i) => i),
      [1, decoderSize.tokens],
    );
    const rope = rotaryTables(positions, tensor(inverseFrequencies(decoderSize.width / decoderSize.heads)));
    let x = embedding(ids, this.table);
    for (const block of this.blocks) x = block.forward(x, rope);
    return crossEntropy(this.head.forward(this.norm.forward(x)), targets);
  }
}

/** Multiplications and additions of a forward and a backward pass, matrix products alone. */
export function stepFlops(): number {
  const { layers, width, hidden, vocabulary, batch, tokens } = decoderSize;
  const perToken = layers * (4 * width * width + 3 * width * hidden) + width * vocabulary;
  const attentionProducts = layers * 2 * tokens * width;
  return 3 * 2 * batch * tokens * (perToken + attentionProducts);
}

/** A forward and backward pass on random tokens, timed in seconds. */
export function trainingStep(): () => Promise<number> {
  const { batch, tokens, vocabulary } = decoderSize;
  const random = () =>
    tensor(
      Int32Array.from({ length: batch * tokens }, () => Math.floor(Math.random() * vocabulary)),
      [batch, tokens],
    );
  const [ids, targets] = [random(), random()];
  const model = new Decoder();
  const step = compile((x: Tensor, y: Tensor) => valueAndGrad(() => model.loss(x, y), model.trainableParameters()));
  return () =>
    seconds(async () => {
      const { value, grads } = await step(ids, targets);
      dispose([value, ...Object.values(grads)]);
    });
}

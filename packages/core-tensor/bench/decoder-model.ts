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

export interface DecoderSize {
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  readonly hidden: number;
  readonly vocabulary: number;
  readonly batch: number;
  readonly tokens: number;
}

/** The step that the speed of training is judged by. */
export const decoderSize: DecoderSize = {
  layers: 4,
  width: 512,
  heads: 8,
  hidden: 1408,
  vocabulary: 4096,
  batch: 4,
  tokens: 256,
};

class Block extends Module {
  readonly norm1: RMSNorm;
  readonly norm2: RMSNorm;
  readonly q: Linear;
  readonly k: Linear;
  readonly v: Linear;
  readonly o: Linear;
  readonly gate: Linear;
  readonly up: Linear;
  readonly down: Linear;

  constructor(private readonly size: DecoderSize) {
    super();
    const { width, hidden } = size;
    this.norm1 = new RMSNorm(width);
    this.norm2 = new RMSNorm(width);
    this.q = new Linear(width, width, { bias: false });
    this.k = new Linear(width, width, { bias: false });
    this.v = new Linear(width, width, { bias: false });
    this.o = new Linear(width, width, { bias: false });
    this.gate = new Linear(width, hidden, { bias: false });
    this.up = new Linear(width, hidden, { bias: false });
    this.down = new Linear(hidden, width, { bias: false });
  }

  /** x [batch, tokens, width] → same */
  forward(x: Tensor, rope: ReturnType<typeof rotaryTables>): Tensor {
    const n = this.norm1.forward(x);
    const heads = (layer: Linear) => splitHeads(layer.forward(n), this.size.heads);
    const mixed = attention(applyRotary(heads(this.q), rope), applyRotary(heads(this.k), rope), heads(this.v), {
      causal: true,
    });
    const h = add(x, this.o.forward(mergeHeads(mixed)));
    const m = this.norm2.forward(h);
    return add(h, this.down.forward(mul(silu(this.gate.forward(m)), this.up.forward(m))));
  }
}

/** A decoder with a gated feed-forward part, as LLaMA's. */
export class Decoder extends Module {
  readonly table: Parameter;
  readonly blocks: readonly Block[];
  readonly norm: RMSNorm;
  readonly head: Linear;

  constructor(readonly size: DecoderSize = decoderSize) {
    super();
    const { vocabulary, width, layers } = size;
    this.table = new Parameter([vocabulary, width], { initializer: initializers.normal(0, 0.02) });
    this.blocks = Array.from({ length: layers }, () => new Block(size));
    this.norm = new RMSNorm(width);
    this.head = new Linear(width, vocabulary, { bias: false });
  }

  /** ids and targets [batch, tokens] → scalar */
  loss(ids: Tensor, targets: Tensor): Tensor {
    const { tokens, width, heads } = this.size;
    const positions = tensor(
      Int32Array.from({ length: tokens }, (_, i) => i),
      [1, tokens],
    );
    const rope = rotaryTables(positions, tensor(inverseFrequencies(width / heads)));
    let x = embedding(ids, this.table);
    for (const block of this.blocks) x = block.forward(x, rope);
    return crossEntropy(this.head.forward(this.norm.forward(x)), targets);
  }
}

/** Multiplications and additions of a forward and a backward pass, matrix products alone. */
export function stepFlops({ layers, width, hidden, vocabulary, batch, tokens }: DecoderSize = decoderSize): number {
  const perToken = layers * (4 * width * width + 3 * width * hidden) + width * vocabulary;
  const attentionProducts = layers * 2 * tokens * width;
  return 3 * 2 * batch * tokens * (perToken + attentionProducts);
}

/** A forward and backward pass on random tokens: the loss first, then gradients. */
export function forwardBackward(size: DecoderSize = decoderSize): () => Promise<Tensor[]> {
  const { batch, tokens, vocabulary } = size;
  const random = () =>
    tensor(
      Int32Array.from({ length: batch * tokens }, () => Math.floor(Math.random() * vocabulary)),
      [batch, tokens],
    );
  const [ids, targets] = [random(), random()];
  const model = new Decoder(size);
  const step = compile((x: Tensor, y: Tensor) => valueAndGrad(() => model.loss(x, y), model.trainableParameters()));
  return async () => {
    const { value, grads } = await step(ids, targets);
    return [value, ...Object.values(grads)];
  };
}

/** {@link forwardBackward}, timed in seconds. */
export function trainingStep(): () => Promise<number> {
  const step = forwardBackward();
  return () => seconds(async () => dispose(await step()));
}

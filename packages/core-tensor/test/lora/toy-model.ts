import { Embedding, gelu, initializers, LayerNorm, Linear, Module, type Tensor } from '../../src/index.js';

class Attention extends Module {
  readonly q_proj: Linear;
  readonly v_proj: Linear;

  constructor(width: number) {
    super();
    this.q_proj = new Linear(width, width);
    this.v_proj = new Linear(width, width, { bias: false });
  }
}

class Layer extends Module {
  readonly self_attn: Attention;
  readonly norm: LayerNorm;
  readonly down_proj: Linear;

  constructor(width: number) {
    super();
    this.self_attn = new Attention(width);
    this.norm = new LayerNorm(width);
    this.down_proj = new Linear(width, width);
  }

  forward(x: Tensor): Tensor {
    const { q_proj, v_proj } = this.self_attn;
    return this.down_proj.forward(gelu(v_proj.forward(q_proj.forward(this.norm.forward(x)))));
  }
}

class Body extends Module {
  readonly embed_tokens: Embedding;
  readonly layers: readonly Layer[];

  constructor(rows: number, width: number, depth: number) {
    super();
    this.embed_tokens = new Embedding(rows, width, { paddingIndex: 0, initializer: initializers.normal(0, 1) });
    this.layers = Array.from({ length: depth }, () => new Layer(width));
  }
}

/** Named like a language model, and as deep as a test needs. */
export class ToyModel extends Module {
  readonly model: Body;
  readonly lm_head: Linear;

  constructor({ rows = 7, width = 6, depth = 3 } = {}) {
    super();
    this.model = new Body(rows, width, depth);
    this.lm_head = new Linear(width, rows, { bias: false });
  }

  /** ids [...] → [..., rows] */
  forward(ids: Tensor): Tensor {
    return this.lm_head.forward(
      this.model.layers.reduce((x, layer) => layer.forward(x), this.model.embed_tokens.forward(ids)),
    );
  }
}

/** Gives all low-rank factors values, as training would: their products start at zero. */
export function trainAdapters(model: Module): void {
  for (const [index, [name, parameter]] of Object.entries(model.namedParameters()).entries()) {
    if (!name.includes('lora_')) continue;
    parameter.set(Float32Array.from({ length: parameter.size }, (_, i) => Math.sin(7 * index + 3 * i)));
  }
}

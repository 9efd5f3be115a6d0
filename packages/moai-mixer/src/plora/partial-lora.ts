import {
  ConfigError,
  dropout,
  expandDims,
  foldIn,
  foldStream,
  initializers,
  type Linear,
  type LinearAdapter,
  linear,
  Module,
  mul,
  Parameter,
  randomKey,
  type Tensor,
  tensor,
  trainingKey,
  visualMask,
  where,
} from '@ocelli/core-tensor';
import { type PartialLoraConfig, type PartialLoraConfigInput, parsePartialLoraConfig } from './config.js';

/** A first projection that adapters of layers with the same input share. */
interface SharedDown {
  readonly weight: Parameter;
  /** Of its dropout. */
  readonly use: number;
}

/**
 * Partial LoRA beside a linear layer: (alpha / rank)·B·A·dropout(x) at image positions, nothing elsewhere (Dong et al.
 * 2024, "InternLM-XComposer2"; MoAI's `build_mlp.py`, `PLoRA`). Image positions are the `visualMask` of the recording,
 * bool [batch, tokens]; without one nothing is added.
 */
export class PartialLora extends Module implements LinearAdapter {
  readonly Plora_A: { readonly weight: Parameter };
  readonly Plora_B: { readonly weight: Parameter };
  private readonly scaling: number;
  private readonly rate: number;
  private readonly use: number;

  constructor(layer: Linear, config: PartialLoraConfig, { weight, use }: SharedDown) {
    super();
    const { rank, alpha } = config;
    this.Plora_A = { weight };
    this.Plora_B = { weight: new Parameter([layer.weight.shape[0]!, rank], { initializer: startOfParameter(config) }) };
    this.scaling = alpha / rank;
    this.rate = config.dropout;
    this.use = use;
  }

  /** x [batch, tokens, inputs] → [batch, tokens, outputs], or a zero where no token is an image's */
  forward(x: Tensor): Tensor {
    const mask = visualMask();
    if (!mask) return tensor(0);
    const key = trainingKey();
    const input = dropout(x, { rate: this.rate, key: key && foldStream(key, this.use) });
    const low = mul(linear(input, this.Plora_A.weight), this.scaling); // [batch, tokens, rank]
    return linear(where(expandDims(mask, -1), low, 0), this.Plora_B.weight);
  }
}

function startOfParameter({ initializerRange: range }: PartialLoraConfig) {
  return range === null ? initializers.kaimingUniform({ a: Math.sqrt(5) }) : initializers.normal(0, range);
}

/**
 * Puts partial LoRA on layers that have the same input: they share A and its dropout, as one packed layer would, and have
 * a B each. Parameters are named `adapter.Plora_A.weight` (of the first layer only) and `adapter.Plora_B.weight`.
 *
 * @param path of the layers in their model: the dropout is independent of that of other paths
 * @throws ConfigError if a configuration is invalid, no layer is given, or their inputs differ
 */
export function addPartialLora(layers: readonly Linear[], path: string, config: PartialLoraConfigInput = {}): void {
  const parsed = parsePartialLoraConfig(config);
  const widths = new Set(layers.map(({ weight }) => weight.shape[1]!));
  const [inputs] = widths;
  if (inputs === undefined || widths.size > 1) {
    throw new ConfigError({
      operation: `addPartialLora ${path}`,
      expected: 'layers with inputs of one width',
      received: inputs === undefined ? 'no layer' : `widths ${[...widths].join(', ')}`,
    });
  }
  const weight = new Parameter([parsed.rank, inputs], { initializer: startOfParameter(parsed) });
  const shared: SharedDown = { weight, use: foldIn(randomKey('partial lora dropout'), path).low };
  for (const layer of layers) layer.setAdapter(new PartialLora(layer, parsed, shared));
}

/** What a checkpoint holds, and how it fits the model that it is of. */
export interface Inspection {
  /** What was named on the command line. */
  readonly path: string;
  /** What the configuration says it is, for example `LlamaForCausalLM (model_type llama)`. */
  readonly architecture: string | null;
  /** The model as it would be built; null where there is none. */
  readonly model: ModelFacts | null;
  /** What stops it from being loaded. */
  readonly problem: string | null;
  /** What else there is to say, for example that no model here is of this kind. */
  readonly note: string | null;
  readonly adapter: AdapterFacts | null;
  readonly quantization: QuantizationFacts | null;
  readonly files: readonly FileFacts[];
  readonly dtypes: readonly DTypeFacts[];
  /** Tensors whose names differ by a number and whose kind is the same, together. */
  readonly tensors: readonly TensorGroup[];
  /** How the tensors fit the model; null where there is none. */
  readonly fit: Fit | null;
}

export interface ModelFacts {
  /** For example `llama decoder`. */
  readonly kind: string;
  /** Elements of all weights, of quantized ones those behind them. */
  readonly parameters: number;
  readonly config: Readonly<Record<string, unknown>>;
}

export interface AdapterFacts {
  /** For example `LoRA`. */
  readonly kind: string;
  readonly base: string | null;
  readonly rank: number;
  readonly alpha: number;
  readonly targets: readonly string[];
}

export interface QuantizationFacts {
  /** For example `bitsandbytes nf4`. */
  readonly format: string;
  /** Weights that are stored so. */
  readonly weights: number;
  /** Whether it can be loaded. */
  readonly isSupported: boolean;
}

/** What several tensors are together. */
export interface Amount {
  readonly tensors: number;
  readonly elements: number;
  readonly bytes: number;
}

export interface FileFacts extends Amount {
  readonly name: string;
  /** Of the whole file. */
  readonly fileBytes: number;
  readonly dtypes: readonly string[];
}

export interface DTypeFacts extends Amount {
  readonly dtype: string;
}

export interface TensorGroup {
  readonly names: string;
  readonly count: number;
  readonly dtype: string;
  readonly shape: readonly number[];
}

/** Names as `WeightMatch` of `@ocelli/core-tensor` lists them. */
export interface Fit {
  readonly missing: readonly string[];
  readonly unexpected: readonly string[];
  readonly misshapen: readonly string[];
  readonly mistyped: readonly string[];
  readonly repeated: readonly string[];
  readonly ignored: readonly string[];
  readonly kept: readonly string[];
}

import type { ElementType } from './element-types.js';
import type { StoredTensor } from './stored-tensor.js';

/** The value of a node's attribute. */
export type Attribute =
  | { readonly kind: 'float' | 'int'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'tensor'; readonly value: StoredTensor }
  | { readonly kind: 'graph'; readonly value: ModelGraph }
  | { readonly kind: 'floats' | 'ints'; readonly value: readonly number[] }
  | { readonly kind: 'strings'; readonly value: readonly string[] };

/** One operator of a graph. An input that is left out is called `''`. */
export interface ModelNode {
  /** Its own name, or that of its first result. */
  readonly name: string;
  readonly type: string;
  /** `''` for the operators of ONNX itself. */
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, Attribute>;
}

/** A size that is fixed, or the name of one that is not; undefined where nothing is said. */
export type DeclaredSize = number | string | undefined;

/** An argument or a result of a model. */
export interface OnnxValueInfo {
  readonly name: string;
  readonly type: ElementType;
  /** Undefined where the model does not say. */
  readonly shape: readonly DeclaredSize[] | undefined;
}

/** A graph, its nodes in an order in which they can be computed. */
export interface ModelGraph {
  readonly nodes: readonly ModelNode[];
  readonly constants: ReadonlyMap<string, StoredTensor>;
  /** Arguments, without those that are constants. */
  readonly inputs: readonly OnnxValueInfo[];
  readonly outputs: readonly string[];
}

/** A model file. */
export interface Model {
  readonly file: string | undefined;
  readonly producer: string;
  /** Version of the operators of ONNX itself. */
  readonly opset: number;
  readonly graph: ModelGraph;
}

/** `Conv`, `com.microsoft.Attention`. */
export function operatorName({ type, domain }: Pick<ModelNode, 'type' | 'domain'>): string {
  return domain === '' ? type : `${domain}.${type}`;
}

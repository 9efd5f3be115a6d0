import type { AnyTypedArray, DType } from '../../dtype.js';
import type { ErrorDetails } from '../../errors.js';
import type { Graph } from '../../graph/graph.js';
import type { Shape } from '../../graph/shape.js';
import type { GateMemory } from './native-gate.js';
import type { OrtOptions } from './options.js';

/** What the main thread asks of the engine's worker. Buffers and programs have ids that the main thread chooses. */
export type Request =
  | { readonly kind: 'start'; readonly options: OrtOptions }
  /** Taken at once, before what was asked earlier; ends the worker. */
  | { readonly kind: 'close' }
  | {
      readonly kind: 'upload';
      readonly id: number;
      readonly data: AnyTypedArray;
      readonly shape: Shape;
      readonly dtype: DType;
    }
  | { readonly kind: 'download'; readonly id: number }
  | { readonly kind: 'compile'; readonly id: number; readonly graph: Graph }
  | {
      readonly kind: 'run';
      readonly program: number;
      readonly inputs: readonly number[];
      readonly outputs: readonly number[];
      /** Whether output i already exists and is written over. */
      readonly overwrites: readonly boolean[];
    }
  | { readonly kind: 'free'; readonly ids: readonly number[] }
  | { readonly kind: 'release'; readonly id: number };

/** What the worker is given when it starts. */
export interface WorkerSetup {
  readonly gate: GateMemory;
}

/** A request with the number under which it is answered; requests without a number get no answer unless they fail. */
export interface Envelope {
  readonly ticket: number;
  readonly request: Request;
}

export interface Reply {
  readonly ticket: number;
  readonly data?: AnyTypedArray;
  /** What went wrong: the parts of an error of this project, or the message of another. */
  readonly error?: ErrorDetails | { readonly message: string };
}

import type { AnyTypedArray, DType } from '../dtype.js';
import type { Graph } from '../graph/graph.js';
import type { Shape } from '../graph/shape.js';

/** A value that an engine holds, wherever that is. Only its engine knows what stands behind the id. */
export interface DeviceBuffer {
  readonly engine: Engine;
  readonly id: number;
  readonly shape: Shape;
  readonly dtype: DType;
}

/** A compiled graph. Only its engine knows what stands behind the id. */
export interface Program {
  readonly engine: Engine;
  readonly id: number;
  readonly outputs: readonly { readonly shape: Shape; readonly dtype: DType }[];
}

/**
 * What computes. Everything above this interface handles buffers by reference and never sees their memory, so that an
 * engine may keep them in another thread or on a device. Calls take effect in the order in which they are made.
 */
export interface Engine {
  /** Name by which the engine is chosen. */
  readonly name: string;
  /**
   * Whether many small updates are better made by one program than by one each. Such a program may write over its
   * arguments where each update by itself is elementwise.
   */
  readonly joinsUpdates?: boolean;
  /** Whether programs use frozen parameters where they are, so that holding them as constants takes no time. */
  readonly keepsConstants?: boolean;
  /**
   * Copies values to the engine.
   *
   * @param own the caller gives the array up, so that it may be moved instead, which empties it.
   */
  upload(data: AnyTypedArray, shape: Shape, dtype: DType, options?: { readonly own?: boolean }): DeviceBuffer;
  /** Copies values back. */
  download(buffer: DeviceBuffer): Promise<AnyTypedArray>;
  /** Prepares a graph for running. The buffers behind its `resident` nodes must outlive the program. */
  compile(graph: Graph): Promise<Program>;
  /**
   * Runs a program.
   *
   * @param inputs one buffer per argument; they are only read.
   * @param into where given, output i is written into buffer `into[i]`, which keeps its id. It may be one of the inputs
   *   if the program is elementwise (see `isElementwise`), which makes updates in place.
   * @returns one buffer per output.
   */
  run(
    program: Program,
    inputs: readonly DeviceBuffer[],
    into?: readonly (DeviceBuffer | undefined)[],
  ): Promise<DeviceBuffer[]>;
  /** Gives up a buffer. Calls made earlier still see it. */
  free(buffer: DeviceBuffer): void;
  /** Gives up a program. */
  release(program: Program): void;
  /** Stops the engine and gives up all it holds. */
  close(): Promise<void>;
}

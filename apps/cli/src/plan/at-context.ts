import { extrapolateGraph, type Flops, type RecordedGraph } from '@ocelli/core-tensor';

/** Longer texts are extrapolated: the mask of a recorded one is an array of its squared length. */
const longestRecorded = 2048;

/** The graph for a number of tokens. */
export function atContext(record: (tokens: number) => RecordedGraph, context: number): RecordedGraph {
  return context > longestRecorded ? extrapolateGraph(record, context) : record(context);
}

export function scaled({ matmul, convolution, elementwise }: Flops, factor: number): Flops {
  return { matmul: matmul * factor, convolution: convolution * factor, elementwise: elementwise * factor };
}

/** What of an amount of work is left without a part of it. */
export function without(all: Flops, part: Flops): Flops {
  return {
    matmul: all.matmul - part.matmul,
    convolution: all.convolution - part.convolution,
    elementwise: all.elementwise - part.elementwise,
  };
}

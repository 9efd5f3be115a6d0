import { Module, type Tensor } from '@ocelli/core-tensor';
import { ConvNextBlock, ConvolutionBlock } from './ablation-blocks.js';
import { RegNetBlock } from './regnet-block.js';

const blocks = { regnet: RegNetBlock, convnext: ConvNextBlock, convolution: ConvolutionBlock } as const;

/** What a stage is made of. */
export type StageBlock = keyof typeof blocks;

/** Names of the blocks that a stage can be made of. */
export const stageBlocks = Object.keys(blocks) as [StageBlock, ...StageBlock[]];

/**
 * Blocks of one kind, one behind the other; the first one widens. With `regnet` it is timm's `RegStage` of stride 1, as
 * Honeybee has it. Keys `b1`, `b2`, …
 */
export class ConvolutionStage extends Module {
  readonly [block: `b${number}`]: RegNetBlock | ConvNextBlock | ConvolutionBlock;

  constructor(
    depth: number,
    inputs: number,
    outputs: number,
    { deviation, block = 'regnet' }: { readonly deviation: number; readonly block?: StageBlock },
  ) {
    super();
    for (let index = 1; index <= depth; index++) {
      Object.assign(this, { [`b${index}`]: new blocks[block](index === 1 ? inputs : outputs, outputs, deviation) });
    }
  }

  /** x [batch, height, width, inputs] → [batch, height, width, outputs] */
  forward(x: Tensor): Tensor {
    return (Object.values(this) as (typeof this)['b1'][]).reduce((hidden, block) => block.forward(hidden), x);
  }
}

import { Module } from '@ocelli/core-tensor';
import { describe, expect, it } from 'vitest';
import { MoaiCompressor, MoaiMixers, moaiTrainingPhases, startMoaiPhase } from '../../src/index.js';

class Parts extends Module {
  readonly moai_compressor = new MoaiCompressor({ hiddenSize: 8, depth: 1, numHeads: 2, headDim: 4, numLatents: 2 });
  readonly mixers = new MoaiMixers({ hiddenSize: 8, numHeads: 2, rank: 2, layers: [0] });
}

describe('moaiTrainingPhases', () => {
  it('train experts and compressor first, then the gates with them', () => {
    const parts = new Parts();
    const all = Object.keys(parts.namedParameters());
    const [first, second] = moaiTrainingPhases;
    startMoaiPhase(parts, second);
    expect(Object.keys(parts.trainableParameters())).toEqual(all);
    startMoaiPhase(parts, first);
    expect(Object.keys(parts.trainableParameters())).toEqual(all.filter((name) => !name.includes('moai_GA_')));
    expect(all.filter((name) => name.includes('moai_GA_'))).toHaveLength(4);
    expect(second.peakLearningRate).toBe(2e-5);
  });
});

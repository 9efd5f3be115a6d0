import { compareExactly, type Fixture, type ParityChecks, type ParityResult } from '@ocelli/core-tensor';
import { groupByLength } from '../loader/group-by-length.js';

interface SamplerCase {
  readonly lengths: readonly number[];
  readonly batch_size: number;
  readonly world_size: number;
  readonly indices: readonly number[];
}

/** Orders of samples grouped by length, with identities as permutations. */
async function checkSampler({ config }: Fixture): Promise<ParityResult> {
  const { cases } = config as { readonly cases: readonly SamplerCase[] };
  const permute = (size: number) => Array.from({ length: size }, (_, index) => index);
  const computed = cases.map((each) => ({
    ...each,
    indices: groupByLength(each.lengths, { batchSize: each.batch_size, batchesPerStep: each.world_size, permute }),
  }));
  return compareExactly(computed, cases, 'cases');
}

/** In which order samples come. */
export const samplerChecks: ParityChecks = { 'convllava/sampler': checkSampler };

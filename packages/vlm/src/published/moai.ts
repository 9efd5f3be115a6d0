import { moaiTrainingStages } from '../stages/moai.js';
import { exactParameters, type PublishedSystem, visualTokens } from './published-variant.js';

const shapes = 'shapes of the published checkpoint';

/**
 * MoAI (Lee et al. 2024, "MoAI: Mixture of All Intelligence for Large Language and Vision Models", arXiv 2403.07508). The
 * parts add up to the size of the published checkpoint to the byte: 17,737,275,440 at two bytes each.
 */
export const moaiSystem = {
  title: 'MoAI',
  paper: 'arXiv 2403.07508',
  variants: {
    '7b': {
      title: 'MoAI-7B',
      architecture: { kind: 'moai', config: {} },
      // Batches of one sequence on each of so many devices as are not said.
      stages: moaiTrainingStages({ batchSize: 1 }).map((stage) => ({ ...stage, batchSize: undefined })),
      figures: [
        exactParameters(8_868_637_720, 'total_size of the published index'),
        exactParameters(7_737_712_640, shapes, { parts: ['language'] }),
        exactParameters(603_979_776, shapes, { parts: ['partial-lora'] }),
        exactParameters(304_172_032, shapes, { parts: ['vision'] }),
        exactParameters(20_979_712, shapes, { parts: ['projector'] }),
        exactParameters(151_363_584, shapes, { parts: ['compressor'] }),
        exactParameters(50_429_976, shapes, { parts: ['mixers'] }),
        exactParameters(201_793_560, 'parameters named moai in the checkpoint', {
          quantity: 'trained',
          stage: 'step2',
        }),
        visualTokens(1225, 'published configuration: 490 pixels, patches of 14'),
      ],
      note: 'The external vision models that write the auxiliary text are not counted.',
    },
  },
} as const satisfies PublishedSystem;

import { cast, compareModule, expandDims, mul, type ParityChecks, parseConfig, type Tensor } from '@ocelli/core-tensor';
import { z } from 'zod';
import { positionsOfIds } from '../roberta/embeddings.js';
import { robertaConfigFromHuggingFace } from '../roberta/hugging-face-config.js';
import { Roberta } from '../roberta/roberta.js';

const options = z.object({ add_pooling_layer: z.boolean().default(true) });

/** The text encoder. Hidden states of padding are of no use, and zero in the fixtures. */
export const robertaChecks: ParityChecks = {
  'backbones/roberta': (fixture) => {
    const { add_pooling_layer: addPoolingLayer } = parseConfig('roberta fixture', options, fixture.config);
    const model = new Roberta({ ...robertaConfigFromHuggingFace(fixture.config), addPoolingLayer });
    return compareModule(fixture, model, (module, inputs) => {
      const { input_ids: inputIds, inputs_embeds: inputsEmbeds, attention_mask: attentionMask } = inputs;
      const tokenTypeIds = inputs.token_type_ids;
      const { hiddenStates, poolerOutput } = module.forward({ inputIds, inputsEmbeds, tokenTypeIds, attentionMask });
      const shown = (state: Tensor) =>
        attentionMask ? mul(state, expandDims(cast(attentionMask, 'float32'), -1)) : state;
      return {
        ...Object.fromEntries(hiddenStates.map((state, index) => [`hidden_states.${index}`, shown(state)])),
        last_hidden_state: shown(hiddenStates.at(-1)!),
        ...(poolerOutput ? { pooler_output: poolerOutput } : {}),
        ...(inputIds ? { position_ids: positionsOfIds(inputIds, module.config.padTokenId) } : {}),
      };
    });
  },
};

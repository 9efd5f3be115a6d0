import {
  compareWithFixture,
  embedding,
  type Fixture,
  linear,
  type ParityCheck,
  type Tensor,
  tensor,
  toTensor,
} from '@ocelli/core-tensor';
import { type SpliceOptions, spliceImages } from '@ocelli/data';
import { assembleSequences } from '../assemble.js';

/** Ids, labels and masks are inputs of a fixture, or rows in its configuration. */
interface SpliceConfig {
  readonly tokenizer_model_max_length?: number | null;
  readonly max_length?: number | null;
  readonly tokenizer_padding_side?: 'left' | 'right';
  readonly padding_side?: 'left' | 'right';
  readonly image_token_index: number;
  readonly [rows: string]: unknown;
}

interface Splice {
  /** Name of the table of embeddings among the parameters. */
  readonly table: string;
  /** Name of the features among the inputs. */
  readonly features: string;
  /** Name of the assembled sequences among the outputs. */
  readonly embeddings: string;
  /** Name of a linear layer that the features pass first. */
  readonly projector?: string;
}

/** Features of images take the places that were kept for them; compares embeddings, labels, mask, positions, gradients. */
function checkSplice({ table, features, embeddings, projector }: Splice): ParityCheck {
  return async (fixture) => {
    const config = fixture.config as SpliceConfig;
    const [ids, labels, masks] = ['input_ids', 'labels', 'attention_mask'].map((name) => rowsOf(fixture, name));
    const parameter = (name: string) => toTensor(fixture.tensors.get(`param.${name}`)!);
    const input = toTensor(fixture.tensors.get(`in.${features}`)!); // [images, tokens, width]
    const parameters: Record<string, Tensor> = { [table]: parameter(table) };
    if (projector)
      for (const part of ['weight', 'bias']) parameters[`${projector}.${part}`] = parameter(`${projector}.${part}`);
    const visual = projector
      ? linear(input, parameters[`${projector}.weight`]!, parameters[`${projector}.bias`])
      : input;

    const [images, tokens] = input.shape as [number, number];
    const plan = spliceImages(
      ids!.map((inputIds, row) => ({
        sampleId: `row ${row}`,
        inputIds,
        labels: labels![row]!,
        attentionMask: masks![row]!,
      })),
      { featureLengths: new Array<number>(images).fill(tokens), ...settingsOf(config) },
    );
    const cells = [plan.batch, plan.length];
    const text = embedding(tensor(plan.inputIds, cells), parameters[table]!);
    const outputs: Record<string, Tensor> = {
      [embeddings]: assembleSequences(text, visual, tensor(plan.plan, cells)),
      labels: tensor(plan.labels, cells),
      attention_mask: tensor(plan.attentionMask, cells),
      position_ids: tensor(plan.positions, cells),
    };
    return compareWithFixture(fixture, { outputs, parameters, inputs: { [features]: input } });
  };
}

function settingsOf(config: SpliceConfig): Omit<SpliceOptions, 'featureLengths'> {
  const maximumLength = config.tokenizer_model_max_length ?? config.max_length ?? undefined;
  return {
    imageToken: config.image_token_index,
    padding: config.tokenizer_padding_side ?? config.padding_side ?? 'right',
    ...(maximumLength === undefined ? {} : { maximumLength }),
  };
}

function rowsOf(fixture: Fixture, name: string): number[][] {
  const stored = fixture.tensors.get(`in.${name}`);
  if (!stored) return (fixture.config as Record<string, number[][]>)[name]!;
  const [rows, length] = stored.shape as [number, number];
  const all = Array.from(stored.data as ArrayLike<number | bigint>, Number);
  return Array.from({ length: rows }, (_, row) => all.slice(row * length, (row + 1) * length));
}

/** LLaVA's splice, and ConvLLaVA's. */
export const checkImageSplice = checkSplice({
  table: 'embed_tokens.weight',
  features: 'image_features',
  embeddings: 'inputs_embeds',
});

/** Eagle's splice, with the projector in front of it. */
export const checkEagleSplice = checkSplice({
  table: 'model.embed_tokens.weight',
  features: 'features',
  embeddings: 'embeds',
  projector: 'model.mm_projector',
});

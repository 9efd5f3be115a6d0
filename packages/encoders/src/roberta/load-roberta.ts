import { type CheckpointReader, type LoadReport, type LoadWeightsOptions, loadWeights } from '@ocelli/core-tensor';
import { atPrefix } from '../checkpoint/at-prefix.js';
import { chooseLayout } from '../checkpoint/choose-layout.js';
import { openWeights } from '../checkpoint/open-weights.js';
import { readJson } from '../checkpoint/read-json.js';
import type { RobertaConfig, RobertaConfigInput } from './config.js';
import { robertaConfigFromWeights } from './config-from-weights.js';
import { robertaConfigFromHuggingFace } from './hugging-face-config.js';
import { robertaForMaskedLmKeyMap, robertaKeyMap, robertaRoots, robertaWithoutPoolerKeyMap } from './key-map.js';
import { RobertaForMaskedLm } from './masked-language-model.js';
import { Roberta } from './roberta.js';

/** Options of {@link loadRoberta}. */
export interface LoadRobertaOptions extends Pick<LoadWeightsOptions, 'onProgress'> {
  /** Structure. Default: what the folder tells. */
  readonly config?: RobertaConfigInput;
  /** What the names of the encoder's tensors begin with, where a checkpoint has several. */
  readonly prefix?: string;
  /** False leaves the pooling layer out. Default: true. */
  readonly addPoolingLayer?: boolean;
}

/** A model, and how its checkpoint fitted. */
export interface LoadedRoberta<Model> {
  readonly model: Model;
  /** `kept` has the parameters that the checkpoint lacks: `pooler.…`, if any. They have fresh values. */
  readonly report: LoadReport;
}

/** The name that an encoder is known by. */
const mark = /^(.*?)embeddings\.word_embeddings\.weight$/;

/**
 * RoBERTa with published weights, which become float32. Takes a folder or a safetensors file with an encoder, with a
 * model that has a head besides (`roberta.` in front of the names), or with a bigger model (ManagerTower's
 * `text_transformer.`); other tensors are ignored. The structure comes from `config.json`; a checkpoint without it is
 * taken for one like the published ones.
 *
 * @throws CheckpointError if a file is missing or malformed, there is no such encoder, or tensors are missing, unexpected
 *   or misshapen (all are listed); a missing pooling layer is reported instead
 * @throws ConfigError if the structure cannot be told, or the folder describes another kind of model
 */
export async function loadRoberta(
  path: string,
  { addPoolingLayer, ...options }: LoadRobertaOptions = {},
): Promise<LoadedRoberta<Roberta>> {
  const pooling = addPoolingLayer === undefined ? {} : { addPoolingLayer };
  return load(
    'loadRoberta',
    path,
    options,
    (config) => new Roberta({ ...config, ...pooling }),
    (model, prefix) => atPrefix(model.pooler ? robertaKeyMap : robertaWithoutPoolerKeyMap, prefix, ...robertaRoots),
  );
}

/**
 * RoBERTa with its head for masked tokens; otherwise as {@link loadRoberta}.
 *
 * @throws CheckpointError and ConfigError as {@link loadRoberta}; also if the checkpoint has no head
 */
export async function loadRobertaForMaskedLm(
  path: string,
  options: Omit<LoadRobertaOptions, 'addPoolingLayer'> = {},
): Promise<LoadedRoberta<RobertaForMaskedLm>> {
  return load(
    'loadRobertaForMaskedLm',
    path,
    options,
    (config) => new RobertaForMaskedLm({ ...config, addPoolingLayer: false }),
    (_, prefix) => atPrefix(robertaForMaskedLmKeyMap, prefix.replace(/roberta\.$/, ''), 'roberta.', 'lm_head.'),
  );
}

async function load<Model extends Roberta | RobertaForMaskedLm>(
  operation: string,
  path: string,
  { config, prefix, onProgress }: LoadRobertaOptions,
  create: (config: RobertaConfigInput) => Model,
  keyMapOf: (model: Model, prefix: string) => NonNullable<LoadWeightsOptions['keyMap']>,
): Promise<LoadedRoberta<Model>> {
  const reader = await openWeights(path);
  try {
    const found = findPrefix(operation, reader, prefix);
    const model = create(config ?? (await readConfig(operation, path, reader, found)));
    const progress = onProgress ? { onProgress } : {};
    const report = await loadWeights(model, reader, { operation, keyMap: keyMapOf(model, found), ...progress });
    return { model, report };
  } finally {
    await reader.close();
  }
}

function findPrefix(operation: string, reader: CheckpointReader, prefix: string | undefined): string {
  const found = reader.keys().flatMap((key) => {
    const each = mark.exec(key)?.[1];
    return each === undefined ? [] : [{ prefix: each, keyMap: robertaKeyMap }];
  });
  const expected = 'one text encoder: a tensor embeddings.word_embeddings.weight';
  return chooseLayout(operation, reader, found, { expected, prefix }).prefix;
}

async function readConfig(
  operation: string,
  path: string,
  reader: CheckpointReader,
  prefix: string,
): Promise<RobertaConfig> {
  const json = await readJson(operation, path, 'config.json');
  return json ? robertaConfigFromHuggingFace(json) : robertaConfigFromWeights(operation, reader, prefix);
}

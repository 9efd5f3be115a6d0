import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { abs, CheckpointError, loadWeights, mean, type Parameter, tensor } from '@ocelli/core-tensor';
import { clipImageProcessor, decodeImage, loadTokenizer, preprocessImage } from '@ocelli/data';
import {
  AdaptiveResidualManager,
  type LevelWeightTable,
  ManagerFusion,
  ResidualManagers,
  residualManagersConfigFromOfficial,
  weightTable,
} from '@ocelli/manager';
import { loadModel, type TwoTowerInputs, type TwoTowerModel } from '@ocelli/vlm';
import { z } from 'zod';
import { UsageError } from '../errors.js';
import { openWeights } from '../inspect/open-weights.js';

/** A text and an image, which the weights of adaptive managers follow from. */
export interface ManagerExample {
  readonly image?: string | undefined;
  readonly text?: string | undefined;
  /** Folder of the tokenizer. Default: the model's. */
  readonly tokenizer?: string | undefined;
}

/** Weights of managers, and what they are. */
export interface ManagerWeightTables {
  readonly meaning: string;
  readonly tables: readonly LevelWeightTable[];
}

const tableSchema = z.strictObject({
  name: z.string(),
  layers: z.array(z.int()),
  levels: z.array(z.string()),
  weights: z.array(z.array(z.number().nullable())),
});

const tablesSchema = z.union([
  z.array(tableSchema).min(1),
  tableSchema.transform((table) => [table]),
  z.record(z.string(), tableSchema).transform((tables) => Object.values(tables)),
]);

/**
 * The weights of a model's managers: of a JSON file with what `levelWeights()` gives, of a two-tower model's folder, or
 * of a language model with managers: one that `saveModel` wrote, or a LLaVA-OV-Manager checkpoint, whose managers alone
 * are read.
 *
 * @throws CheckpointError if there are no managers in it
 * @throws UsageError if adaptive managers need an example
 */
export async function readManagerWeights(source: string, example: ManagerExample): Promise<ManagerWeightTables> {
  if (source.endsWith('.json')) return { meaning: 'weight', tables: await readTables(source) };
  const config = await readJson(join(source, 'config.json'));
  if (config.type === 'two-tower') return twoTowerWeights(source, example);
  if (config.type === 'managed') return managersTable((await loadModel(source, { kind: 'managed' })).decoder.managers);
  if ('mm_manager_type' in config) return residualWeights(source, config);
  throw notManaged(source, `model type ${JSON.stringify(config.model_type ?? config.type ?? null)}`);
}

function notManaged(file: string, received: string, cause?: unknown): CheckpointError {
  return new CheckpointError({
    operation: 'visualize manager',
    file,
    expected:
      'a model with managers: a two-tower or managed model, a LLaVA-OV-Manager checkpoint, or a JSON file of level weights',
    received,
    cause,
  });
}

async function readJson(file: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    const content = JSON.parse(await readFile(file, 'utf8')) as unknown;
    if (typeof content === 'object' && content !== null) return content as Record<string, unknown>;
  } catch (cause) {
    throw notManaged(file, cause instanceof Error ? cause.message : String(cause), cause);
  }
  throw notManaged(file, 'no object');
}

async function readTables(file: string): Promise<readonly LevelWeightTable[]> {
  const parsed = tablesSchema.safeParse(await readJson(file));
  const fits = ({ layers, levels, weights }: LevelWeightTable) =>
    weights.length === layers.length && weights.every((row) => row.length === levels.length);
  if (!parsed.success) throw notManaged(file, 'other contents');
  if (!parsed.data.every(fits)) throw notManaged(file, 'a table whose rows and columns do not fit their names');
  return parsed.data;
}

async function twoTowerWeights(folder: string, example: ManagerExample): Promise<ManagerWeightTables> {
  const model = await loadModel(folder, { kind: 'two-tower' });
  const { fusion } = model;
  if (!(fusion instanceof ManagerFusion)) throw notManaged(folder, 'a two-tower model with bridges');
  const isStatic = fusion.config.manager.type.startsWith('static') || fusion.config.numLayers === 1;
  const inputs = isStatic ? undefined : model.fusionInputs(await readExample(model, folder, example));
  const { text, image } = await fusion.levelWeights(inputs);
  return { meaning: 'weight', tables: [text, image] };
}

async function readExample(model: TwoTowerModel, folder: string, example: ManagerExample): Promise<TwoTowerInputs> {
  const { image, text, tokenizer = folder } = example;
  if (image === undefined || text === undefined) {
    throw new UsageError(
      'visualize manager: expected --image and --text, as adaptive managers weigh levels by what they see, received none.',
    );
  }
  const { imageSize } = model.config.vision;
  const pixels = preprocessImage(await decodeImage(image), clipImageProcessor(imageSize));
  const ids = (await loadTokenizer(tokenizer)).encode(text);
  return {
    inputIds: tensor(Int32Array.from(ids), [1, ids.length]),
    pixelValues: tensor(pixels.data, [1, 3, pixels.height, pixels.width]),
  };
}

async function residualWeights(folder: string, config: unknown): Promise<ManagerWeightTables> {
  const managers = new ResidualManagers(residualManagersConfigFromOfficial(config));
  const reader = await openWeights(folder);
  try {
    const keyMap = { rules: [], ignore: [/^(?!manager(\.|_layer_embedding))/] };
    await loadWeights(managers, reader, { operation: 'visualize manager', prefix: 'model.', keyMap });
  } finally {
    await reader.close();
  }
  return managersTable(managers);
}

/** Static managers' weights as they are; of adaptive ones their gates, which every input's factors are multiplied by. */
async function managersTable(managers: ResidualManagers): Promise<ManagerWeightTables> {
  const isAdaptive = managers.manager.some((manager) => manager instanceof AdaptiveResidualManager);
  if (!isAdaptive) return { meaning: 'mean absolute weight', tables: [await managers.levelWeights()] };
  const rows = await Promise.all(
    managers.manager.map(async (manager, index) => ({
      layer: managers.layers[index]!,
      weights: { levels: await sizes(manager), previous: [] },
    })),
  );
  const table = weightTable('vision', rows, { levelNames: managers.states.map(String) });
  return { meaning: 'mean absolute gate', tables: [table] };
}

async function sizes(manager: ResidualManagers['manager'][number]): Promise<number[]> {
  const gates: Parameter =
    manager instanceof AdaptiveResidualManager ? manager.zero_gate : (manager.weights() as Parameter);
  return Array.from(await mean(abs(gates), { axes: [0, 2, 3] }).data(), Number);
}

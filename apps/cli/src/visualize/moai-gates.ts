import { readFile } from 'node:fs/promises';
import { CheckpointError } from '@ocelli/core-tensor';
import { decodeImage, loadTokenizer, preprocessImage } from '@ocelli/data';
import { type GateTable, gateTables, type VisionFindings } from '@ocelli/moai-mixer';
import { loadMoai, moaiImageProcessor, prepareMoai } from '@ocelli/vlm';
import { z } from 'zod';
import { UsageError } from '../errors.js';

/** A question about a picture, and what was found in it. */
export interface GateExample {
  readonly image?: string | undefined;
  readonly text?: string | undefined;
  /** JSON file of what external vision models found. Default: they found nothing. */
  readonly findings?: string | undefined;
  /** Folder of the tokenizer. Default: the model's. */
  readonly tokenizer?: string | undefined;
}

const table = z
  .strictObject({
    name: z.enum(['image', 'language']),
    layers: z.array(z.int()),
    levels: z.array(z.string()),
    weights: z.array(z.array(z.number().nullable())),
  })
  .refine(
    ({ layers, levels, weights }) =>
      weights.length === layers.length && weights.every((row) => row.length === levels.length),
    'rows and columns must fit their names',
  );

const box = z.tuple([z.number(), z.number(), z.number(), z.number()]);
const number = z.int().nonnegative();

/** Findings as `verbalize` takes them; what is left out was not found. */
const findingsSchema = z.strictObject({
  segmentation: z
    .strictObject({
      height: z.int().positive(),
      width: z.int().positive(),
      ids: z.array(z.int()),
      segments: z.array(z.strictObject({ id: z.int(), label: number })),
    })
    .optional(),
  detections: z.array(z.strictObject({ box, score: z.number(), label: number })).default([]),
  sceneGraph: z
    .strictObject({
      labels: z.array(number),
      relations: z.array(z.strictObject({ subject: number, object: number, probabilities: z.array(z.number()) })),
    })
    .default({ labels: [], relations: [] }),
  lines: z.array(z.strictObject({ text: z.string(), confidence: z.number() })).default([]),
});

/**
 * Mean weights of the experts of a model's mixers for an example, by modality; or those of a JSON file with what
 * `gateTables` gives.
 *
 * @throws CheckpointError if a file is none of these, or there is no such model
 * @throws UsageError if a model has no example to weigh experts for
 */
export async function readGateTables(source: string, example: GateExample): Promise<readonly GateTable[]> {
  if (source.endsWith('.json')) return readJson(source, z.array(table).min(1), 'a list of gate tables');
  const { image, text, findings, tokenizer = source } = example;
  if (image === undefined || text === undefined) {
    throw new UsageError(
      'visualize moai: expected --image and --text, as gates weigh experts by what they read, received none.',
    );
  }
  const model = await loadMoai(source);
  const side = model.vision.imageSize!;
  const found = findings
    ? await readJson(findings, findingsSchema, 'findings of vision models')
    : findingsSchema.parse({});
  const nothing = { height: side, width: side, ids: new Uint8Array(side * side), segments: [] };
  const all: VisionFindings = { ...found, segmentation: found.segmentation ?? nothing };
  const pixels = preprocessImage(await decodeImage(image), moaiImageProcessor(side));
  const batch = prepareMoai([{ question: text, pixels, findings: all }], model, {
    tokenizer: await loadTokenizer(tokenizer),
    verbalization: { imageSize: side },
  });
  const { imageMask, languageMask } = model.sequence(batch);
  return gateTables(model.gateWeights(batch), { imageMask, languageMask: languageMask! });
}

async function readJson<T>(file: string, schema: z.ZodType<T>, expected: string): Promise<T> {
  try {
    return schema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (cause) {
    const received =
      cause instanceof z.ZodError
        ? `${cause.issues[0]!.path.join('.')}: ${cause.issues[0]!.message}`
        : cause instanceof Error
          ? cause.message
          : String(cause);
    throw new CheckpointError({ operation: 'visualize moai', file, expected, received, cause });
  }
}

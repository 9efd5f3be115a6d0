import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { z } from 'zod';
import { canonicalJson, type JsonValue } from '../json.js';

const json = z.json() as unknown as z.ZodType<JsonValue>;
const checksums = z.record(z.string(), z.string());

/** `trainer.json` of a checkpoint: all of a run that is no tensor. */
export const trainerStateSchema = z.strictObject({
  version: z.literal(1),
  /** Optimizer steps of the whole run. */
  step: z.int().nonnegative(),
  /** Index of the stage. */
  stage: z.int().nonnegative(),
  /** Steps of that stage. */
  stageStep: z.int().nonnegative(),
  /** Updates of the stage's optimizer, which its bias corrections depend on. */
  optimizerStep: z.int().nonnegative(),
  /** Where the stage's batches are; null before the first. */
  cursor: json,
  /** Root of all random numbers; a step's key is derived from it and the step. */
  seed: z.int(),
  /** The resolved config of the run. */
  config: json,
  configHash: z.string(),
  /** What the caller said the run depends on beside the config. */
  identity: json,
  /** Latest values, `loss` as the mean since the checkpoint before. */
  metrics: z.record(z.string(), z.number()),
  versions: z.record(z.string(), z.string()),
  /** SHA-256 by tensor. */
  checksums: z.strictObject({ model: checksums, optimizer: checksums }),
});

export type TrainerState = Readonly<z.output<typeof trainerStateSchema>>;

/** Short name of a config: the start of the SHA-256 of its canonical JSON. */
export function configHash(config: JsonValue): string {
  return createHash('sha256').update(canonicalJson(config)).digest('hex').slice(0, 16);
}

/** Versions of what computes. */
export function packageVersions(): Record<string, string> {
  const load = createRequire(import.meta.url);
  const versionOf = (name: string) => (load(`${name}/package.json`) as { version: string }).version;
  const packages = ['@ocelli/trainer', '@ocelli/core-tensor'];
  return { node: process.versions.node, ...Object.fromEntries(packages.map((name) => [name, versionOf(name)])) };
}

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type CheckpointReader, fetchCheckpointOutline, readJsonFile } from '@ocelli/core-tensor';
import { exitCodes } from '../errors.js';
import type { Terminal } from '../terminal.js';
import { describeAdapter, fitAdapter } from './describe-adapter.js';
import { describeModel, fits } from './describe-model.js';
import { describeQuantization } from './describe-quantization.js';
import { describeDTypes, describeFiles, describeTensors } from './describe-tensors.js';
import { formatInspection } from './format-inspection.js';
import type { Inspection } from './inspection.js';
import { exists, openWeights } from './open-weights.js';

/** Options of {@link inspect}. */
export interface InspectOptions {
  /** Of a model of the hub. Default: `main`. */
  readonly revision?: string;
  /** Folder or id of the model that an adapter is for. */
  readonly base?: string;
}

/** Options of `ocelli inspect`. */
export interface InspectCommandOptions extends InspectOptions {
  /** Lists the tensors, also of a known model. */
  readonly tensors?: boolean;
  readonly json?: boolean;
}

/**
 * What a checkpoint holds and how it fits the model that it is of: names, dtypes and shapes; no tensor is read. Of a
 * model of the hub only configurations and headers are downloaded.
 *
 * @param target folder, index or file of a checkpoint, or the id of a model on the Hugging Face hub
 * @throws CheckpointError if there is none, or a file is malformed
 */
export async function inspect(target: string, { revision, base }: InspectOptions = {}): Promise<Inspection> {
  return withLocal(target, revision, async (path) => {
    const config = await readObject(join(path, 'config.json'));
    const adapterFile = join(path, 'adapter_config.json');
    const hasAdapter = await exists(adapterFile);
    const reader = await openWeights(path);
    try {
      const common = {
        path: target,
        architecture: architectureOf(config),
        quantization: await describeQuantization(reader, config),
        ...(await describeFilesAndTensors(reader)),
      };
      if (hasAdapter) return { ...common, ...(await inspectAdapter(adapterFile, path, base)) };
      const { model, fit, problem, note } = await describeModel({ path, config });
      return { ...common, model, fit, problem, note, adapter: null };
    } finally {
      await reader.close();
    }
  });
}

/** `ocelli inspect`. Fails where what is stored does not fit. */
export async function inspectCommand(
  terminal: Terminal,
  target: string,
  { json = false, tensors = false, ...options }: InspectCommandOptions,
): Promise<number> {
  const inspection = await inspect(target, options);
  terminal.write(
    json ? `${JSON.stringify(inspection, undefined, 2)}\n` : formatInspection(inspection, { withTensors: tensors }),
  );
  const { problem, fit } = inspection;
  return problem === null && (fit === null || fits(fit)) ? exitCodes.success : exitCodes.failure;
}

/** Does something with a checkpoint on this machine: with its outline, where it is on the hub. */
async function withLocal<T>(
  target: string,
  revision: string | undefined,
  work: (path: string) => Promise<T>,
): Promise<T> {
  if (await isThere(target)) return work(target);
  const outline = await fetchCheckpointOutline(target, revision === undefined ? {} : { revision });
  try {
    return await work(outline.folder);
  } finally {
    await outline.remove();
  }
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function readObject(file: string): Promise<Readonly<Record<string, unknown>>> {
  if (!(await exists(file))) return {};
  const content = await readJsonFile(file, 'inspect');
  return typeof content === 'object' && content !== null && !Array.isArray(content)
    ? (content as Record<string, unknown>)
    : {};
}

function architectureOf({ architectures, model_type: type }: Readonly<Record<string, unknown>>): string | null {
  const [name] = Array.isArray(architectures) ? architectures : [];
  const kind = typeof type === 'string' ? `model_type ${type}` : undefined;
  if (typeof name === 'string') return kind ? `${name} (${kind})` : name;
  return kind ?? null;
}

async function describeFilesAndTensors(
  reader: CheckpointReader,
): Promise<Pick<Inspection, 'files' | 'dtypes' | 'tensors'>> {
  return { files: await describeFiles(reader), dtypes: describeDTypes(reader), tensors: describeTensors(reader) };
}

async function inspectAdapter(
  file: string,
  folder: string,
  base: string | undefined,
): Promise<Pick<Inspection, 'adapter' | 'model' | 'fit' | 'problem' | 'note'>> {
  const adapter = describeAdapter(await readJsonFile(file, 'inspect'));
  const nothing = { adapter, model: null, fit: null, problem: null };
  if (base === undefined) return { ...nothing, note: 'Name its base model with --base to see whether it fits.' };
  return withLocal(base, undefined, async (path) => {
    const config = await readObject(join(path, 'config.json'));
    const { module, model, problem, note } = await describeModel({ path, config });
    if (!module) return { ...nothing, problem: problem ?? note, note: null };
    return { adapter, model, ...(await fitAdapter(module, folder)), note: null };
  });
}

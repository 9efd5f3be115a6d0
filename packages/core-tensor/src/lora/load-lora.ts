import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CheckpointError } from '../errors.js';
import { Module, type NamedParameters } from '../nn/module.js';
import { fileError } from '../safetensors/file-error.js';
import { openSafetensors, type TensorReader } from '../safetensors/reader.js';
import { loadWeights } from '../weights/load-weights.js';
import { describeMismatches, matchWeights } from '../weights/match-weights.js';
import { setAdapter } from './adapted-layers.js';
import { createLoraAdapter } from './adapter.js';
import { adapterOptions, freezeBeside, requireBare, trainedBeside } from './apply-lora.js';
import type { LoraConfig } from './config.js';
import { loraConfigFromPeft } from './peft-config.js';
import { adapterEntries, peftFiles, plainReader } from './peft-names.js';
import { loraTargets } from './targets.js';

/** Options of {@link loadLora}. */
export interface LoadLoraOptions {
  /** Go on training what the folder holds, and freeze all else, as `applyLora` does. Default: false, which freezes all. */
  readonly trainable?: boolean;
}

const operation = 'load adapter';

/**
 * Puts the adapter in a PEFT folder on a model: `adapter_config.json` and `adapter_model.safetensors`, with whatever
 * biases and whole modules they hold, and LLaVA's `non_lora_trainables.safetensors` where it is there. Names, shapes and
 * dtypes are checked before anything is changed.
 *
 * @param module the model, or the part of one, that the adapter was made for: paths in it are those in the file
 * @returns the adapter's configuration
 * @throws ConfigError if the adapter is of another kind, or the model lacks the layers it is for
 * @throws CheckpointError if a file is missing or damaged, or lists what is missing, unexpected or misshapen in it
 */
export async function loadLora(
  module: Module,
  folder: string,
  { trainable = false }: LoadLoraOptions = {},
): Promise<LoraConfig> {
  const config = loraConfigFromPeft(await readJson(join(folder, peftFiles.config)));
  const targets = loraTargets(module, config, `${operation} ${folder}`);
  requireBare(targets, `${operation} ${folder}`);
  const adapters = targets.layers.map((target) => {
    const adapter = createLoraAdapter(target.layer, adapterOptions(target, config));
    return { ...target, adapter: trainable ? adapter : adapter.freeze() };
  });
  const files = await openAll(folder);
  try {
    // PEFT leaves the biases of adapted layers out where only these train.
    const required = config.bias === 'lora_only' ? { ...config, bias: 'none' as const } : config;
    const expected = { ...adapterEntries(adapters, ''), ...trainedBeside(module, required, targets) };
    const plans = files.map(({ file, reader, isAdapter }) => {
      const stored = plainReader(reader);
      const named = storedParameters(module, stored);
      const view = new ParameterView(isAdapter ? { ...expected, ...named } : named);
      requireMatch(view, stored, file, config);
      return { view, stored, others: isAdapter ? {} : named };
    });
    for (const { view, stored } of plans) await loadWeights(view, stored, { operation });
    const trained = Object.assign(trainedBeside(module, config, targets), ...plans.map(({ others }) => others));
    freezeBeside(module, trainable ? trained : {});
    for (const { layer, adapter } of adapters) setAdapter(layer, adapter);
  } finally {
    await Promise.all(files.map(({ reader }) => reader.close()));
  }
  return config;
}

/** Parameters from here and there as a module's, for what loads into modules. */
class ParameterView extends Module {
  constructor(private readonly parameters: NamedParameters) {
    super();
  }

  override namedParameters(): NamedParameters {
    return { ...this.parameters };
  }

  override namedModules(): Record<string, Module> {
    return { '': this };
  }
}

/** Parameters of the model itself that a file holds in full. */
function storedParameters(module: Module, stored: TensorReader): NamedParameters {
  return Object.fromEntries(Object.entries(module.namedParameters()).filter(([name]) => stored.has(name)));
}

function requireMatch(view: Module, stored: TensorReader, file: string, config: LoraConfig): void {
  const problems = describeMismatches(matchWeights(view, stored));
  if (problems.length === 0) return;
  const origin = config.baseModelNameOrPath === null ? '' : `It was made for ${config.baseModelNameOrPath}. `;
  throw new CheckpointError({
    operation,
    file,
    expected: 'the tensors of adapters that fit the model',
    received: problems.join(' | '),
    remedy: `${origin}Load it into the model, or the part of a model, that it was made for.`,
  });
}

interface AdapterFile {
  readonly file: string;
  readonly isAdapter: boolean;
  readonly reader: Awaited<ReturnType<typeof openSafetensors>>;
}

async function openAll(folder: string): Promise<AdapterFile[]> {
  const { weights, pickledWeights, others, pickledOthers } = peftFiles;
  const files: AdapterFile[] = [];
  try {
    if (!(await exists(join(folder, weights)))) throw await absent(folder, weights, pickledWeights);
    files.push({ file: join(folder, weights), isAdapter: true, reader: await openSafetensors(join(folder, weights)) });
    if (await exists(join(folder, others))) {
      files.push({ file: join(folder, others), isAdapter: false, reader: await openSafetensors(join(folder, others)) });
    } else if (await exists(join(folder, pickledOthers))) throw await absent(folder, others, pickledOthers);
    return files;
  } catch (error) {
    await Promise.all(files.map(({ reader }) => reader.close()));
    throw error;
  }
}

async function absent(folder: string, name: string, pickled: string): Promise<CheckpointError> {
  const isPickled = await exists(join(folder, pickled));
  return new CheckpointError({
    operation,
    file: folder,
    expected: `${name} in the folder`,
    received: isPickled ? `only ${pickled}` : 'none',
    remedy: isPickled
      ? 'Convert the PyTorch file to safetensors first: pickles are programs, and are not executed here.'
      : 'Check the path, or download the adapter.',
  });
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function readJson(file: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw fileError(operation, file, 'the configuration of an adapter', cause);
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    const received = cause instanceof Error ? cause.message : String(cause);
    throw new CheckpointError({
      operation,
      file,
      expected: 'JSON',
      received,
      remedy: 'Download or write the file again.',
      cause,
    });
  }
}

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateMicroworld } from '@ocelli/data';
import { afterAll } from 'vitest';
import { runCommandLine } from '../../src/command-line.js';
import type { Reporter } from '../../src/terminal.js';
import { memoryTerminal } from '../memory-terminal.js';

const folders: string[] = [];

afterAll(async () => {
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true })));
});

/** A folder that is removed after the file's tests. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ocelli-train-'));
  folders.push(folder);
  return folder;
}

/** Pictures and questions of 24 training scenes and 6 test scenes in `world` of a folder. */
export async function generateWorld(folder: string): Promise<void> {
  await generateMicroworld(join(folder, 'world'), {
    seed: 1,
    imageSize: 32,
    scenes: { train: 24, test: 6 },
    questionsPerScene: 2,
    questionTypes: ['existence', 'colour'],
    scene: { content: 'shapes' },
  });
}

/** A model of two stages that trains in seconds. */
export const tinyConfig = {
  seed: 3,
  data: {
    captions: { file: 'world/pretrain.json' },
    questions: { file: 'world/train.json' },
    test: { file: 'world/test.json' },
  },
  template: 'honeybee_default',
  tokenizer: { vocabularySize: 300 },
  vision: {
    config: {
      hiddenSize: 16,
      intermediateSize: 32,
      numHiddenLayers: 2,
      numAttentionHeads: 2,
      imageSize: 32,
      patchSize: 16,
    },
  },
  language: {
    config: { hiddenSize: 16, intermediateSize: 32, numHiddenLayers: 1, numAttentionHeads: 2, tieWordEmbeddings: true },
  },
  projector: { type: 'mlp' },
  maximumLength: 256,
  buckets: [256],
  stages: [
    { name: 'captions', data: 'captions', trainable: ['projector'], steps: 3, batchSize: 4, learningRate: 1e-3 },
    {
      name: 'questions',
      data: [{ name: 'questions', weight: 3 }, { name: 'captions' }],
      trainable: ['projector', 'language'],
      steps: 20,
      batchSize: 4,
      learningRate: 3e-3,
    },
  ],
  workers: 1,
} as const;

/** Writes a configuration; JSON is YAML. Returns its path. */
export async function writeConfig(folder: string, config: object, name = 'tiny.yaml'): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, JSON.stringify(config));
  return file;
}

/** A reporter that keeps its lines. */
export function memoryReporter(): Reporter & { readonly lines: string[] } {
  const lines: string[] = [];
  return { lines, line: (text) => void lines.push(text), status: () => undefined };
}

export const neverAborted = new AbortController().signal;

/** Runs the command line; what it wrote and its exit code. */
export async function ocelli(...args: string[]) {
  const terminal = memoryTerminal();
  const code = await runCommandLine(args, terminal);
  return { code, output: terminal.output, errors: terminal.errors };
}

export async function readJson<Content>(file: string): Promise<Content> {
  return JSON.parse(await readFile(file, 'utf8')) as Content;
}

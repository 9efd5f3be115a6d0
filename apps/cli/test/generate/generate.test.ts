import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { closeEngine } from '@ocelli/core-tensor';
import { buildTokenizer, loadTokenizer, saveTokenizer } from '@ocelli/data';
import { Llama, loadLlama, saveLlama } from '@ocelli/language';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommandLine } from '../../src/command-line.js';
import { promptTokens } from '../../src/generate/prompt-tokens.js';
import { memoryTerminal } from '../memory-terminal.js';

const chatTemplate =
  "{% for message in messages %}[{{ message['role'] }}] {{ message['content'] }}\n{% endfor %}{% if add_generation_prompt %}[assistant] {% endif %}";
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocelli-generate-'));
  const { tokenizerJson, tokenizerConfig } = buildTokenizer(['Name three shapes. A circle, a square.'], {
    vocabularySize: 300,
  });
  await saveTokenizer({ tokenizerJson, tokenizerConfig: { ...tokenizerConfig, chat_template: chatTemplate } }, folder);
  const { vocabularySize } = await loadTokenizer(folder);
  const model = new Llama({
    vocabSize: vocabularySize,
    hiddenSize: 32,
    intermediateSize: 64,
    numHiddenLayers: 2,
    numAttentionHeads: 4,
    maxPositionEmbeddings: 128,
    initializerRange: 0.5,
  }).initialize(1);
  await saveLlama(folder, model);
});

afterAll(async () => {
  await closeEngine();
  await rm(folder, { recursive: true });
});

async function generate(...args: string[]) {
  const terminal = memoryTerminal();
  const code = await runCommandLine(['generate', ...args], terminal);
  return { code, output: terminal.output, errors: terminal.errors };
}

describe('ocelli generate', () => {
  it("answers a prompt in the model's chat template, and says how fast", async () => {
    const { code, output, errors } = await generate(folder, '-p', 'Name three shapes.', '--max-new-tokens', '12');
    expect(errors).toMatch(/^\d+ tokens read in [\d.]+ s, 12 written at [\d.]+ a second\n$/);
    expect(code).toBe(0);
    expect(output.trim().length).toBeGreaterThan(0);
    const again = await generate(folder, '-p', 'Name three shapes.', '--max-new-tokens', '12');
    expect(again.output).toBe(output);
    const raw = await generate(folder, '-p', 'Name three shapes.', '--max-new-tokens', '12', '--raw');
    expect(raw.output).not.toBe(output);
  });

  it('draws at random where it is told to, by a seed', async () => {
    const drawn = (seed: string) =>
      generate(folder, '-p', 'Name', '--max-new-tokens', '8', '--temperature', '2', '--seed', seed);
    const [first, same, other] = [await drawn('1'), await drawn('1'), await drawn('2')];
    expect(first.output).toBe(same.output);
    expect(first.output).not.toBe(other.output);
  });

  it('holds the weights in 4 bits', async () => {
    const { code, output } = await generate(folder, '-p', 'Name', '--max-new-tokens', '4', '--quantize', '4');
    expect(code).toBe(0);
    expect(output.length).toBeGreaterThan(1);
  });

  it.each([
    [['--quantize', '3'], /choices are 4, 8/, 2],
    [['--temperature', 'warm'], /a number of at least 0/, 2],
    [['--system', 'Be brief.', '--raw'], /Leave out --raw/, 1],
    [['--max-new-tokens', '500'], /128/, 1],
  ])('says what is wrong with %j', async (options, message, exitCode) => {
    const { code, errors } = await generate(folder, '-p', 'Name', ...options);
    expect(errors).toMatch(message);
    expect(code).toBe(exitCode);
  });

  it('refuses a folder without a language model', async () => {
    const empty = await mkdtemp(join(tmpdir(), 'ocelli-generate-'));
    await writeFile(join(empty, 'config.json'), JSON.stringify({ model_type: 'clip' }));
    const { code, errors } = await generate(empty, '-p', 'Name');
    expect(code).toBe(1);
    expect(errors).toContain('tokenizer.json');
    await rm(empty, { recursive: true });
  });
});

describe('promptTokens', () => {
  it('puts the turns into the chat template, or takes the text as it is', async () => {
    const tokenizer = await loadTokenizer(folder);
    const text = (ids: readonly number[]) => tokenizer.decode(ids);
    expect(text(promptTokens(tokenizer, { prompt: 'Name', system: 'a square' }))).toBe(
      '[system] a square\n[user] Name\n[assistant] ',
    );
    expect(text(promptTokens(tokenizer, { prompt: 'Name', raw: true }))).toBe('<s>Name');
    expect((await loadLlama(folder)).config.vocabSize).toBe(tokenizer.vocabularySize);
  });
});

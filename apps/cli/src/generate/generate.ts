import { closeEngine, fetchCheckpoint, tensor } from '@ocelli/core-tensor';
import { loadTokenizer } from '@ocelli/data';
import { generateStream, loadGenerationConfig, loadLlama } from '@ocelli/language';
import type { LongCommandEnvironment } from '../commands/long-command.js';
import type { Terminal } from '../terminal.js';
import { promptTokens } from './prompt-tokens.js';

/** What `ocelli generate` is told. */
export interface GenerateSettings {
  readonly prompt: string;
  readonly system?: string;
  readonly raw?: boolean;
  readonly maxNewTokens: number;
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly greedy?: boolean;
  readonly seed?: number;
  /** Of quantized weights. Default: floats. */
  readonly bits?: 4 | 8;
  readonly revision?: string;
}

/**
 * Answers a prompt, writing the words as they come.
 *
 * @throws CheckpointError or ConfigError for a folder without a language model, TokenizerError for one without its
 *   tokenizer, ConversationError for a chat template that refuses the turns
 */
export async function generateCommand(
  terminal: Terminal,
  idOrFolder: string,
  settings: GenerateSettings,
  { reporter, signal }: LongCommandEnvironment,
): Promise<void> {
  const { maxNewTokens, seed, bits, revision } = settings;
  const folder = await fetchCheckpoint(idOrFolder, {
    signal,
    ...(revision !== undefined && { revision }),
    onProgress: ({ file }) => reporter.status(`downloading ${file}`),
  });
  const tokenizer = await loadTokenizer(folder);
  const ids = promptTokens(tokenizer, settings);
  const model = await loadLlama(folder, {
    ...(bits && { quantize: { bits, accuracyLevel: 4, head: true } }),
    onProgress: ({ tensors: { done, total } }) => reporter.status(`reading weights: ${done} of ${total} tensors`),
  });
  model.freeze();
  reporter.status('reading the prompt');
  const started = performance.now();
  let tokens = 0;
  let firstToken = started;
  try {
    for await (const { text } of generateStream(model, {
      inputIds: tensor(Int32Array.from(ids), [1, ids.length]),
      generationConfig: { eosTokenId: tokenizer.eosTokenId, ...(await loadGenerationConfig(folder)) },
      ...sampling(settings),
      maxNewTokens,
      seed,
      signal,
      decode: (answer) => tokenizer.decode(answer, { skipSpecialTokens: true }),
    })) {
      if (tokens++ === 0) firstToken = performance.now();
      terminal.write(text ?? '');
    }
    terminal.write('\n');
    const seconds = (performance.now() - firstToken) / 1000;
    reporter.status('');
    terminal.writeError(
      `${ids.length} tokens read in ${((firstToken - started) / 1000).toFixed(1)} s, ${tokens} written` +
        `${tokens > 1 ? ` at ${((tokens - 1) / seconds).toFixed(1)} a second` : ''}\n`,
    );
  } finally {
    await closeEngine();
  }
}

/** Settings that the checkpoint's own give way to. */
function sampling({ temperature, topK, topP, greedy }: GenerateSettings) {
  if (greedy) return { doSample: false };
  const given = {
    ...(temperature !== undefined && { temperature }),
    ...(topK !== undefined && { topK }),
    ...(topP !== undefined && { topP }),
  };
  return Object.keys(given).length === 0 ? {} : { ...given, doSample: true };
}

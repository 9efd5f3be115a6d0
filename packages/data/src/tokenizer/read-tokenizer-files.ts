import { join } from 'node:path';
import { z } from 'zod';
import { convertSentencePieceModel } from './convert-sentencepiece.js';
import { readIfPresent, readJsonIfPresent } from './json-file.js';
import { parseSentencePieceModel } from './sentencepiece-model.js';
import { templateProcessor } from './template-processor.js';
import { TokenizerError } from './tokenizer-error.js';
import {
  CONFIG_FILE,
  parseFile,
  parseTokenizerConfig,
  parseTokenizerFiles,
  TOKENIZER_FILE,
  type TokenizerConfigJson,
  type TokenizerFiles,
  type TokenizerJson,
  textOfToken,
} from './tokenizer-files.js';

const SENTENCEPIECE_FILE = 'tokenizer.model';
const SPECIAL_TOKENS_FILE = 'special_tokens_map.json';
const ADDED_TOKENS_FILE = 'added_tokens.json';
const CHAT_TEMPLATE_FILE = 'chat_template.jinja';

/** Classes that put bos and eos around a text as their configuration says, whatever `tokenizer.json` says. */
const LLAMA_CLASSES: ReadonlySet<string> = new Set(
  ['Llama', 'CodeLlama', 'InternLM2'].flatMap((name) => [`${name}Tokenizer`, `${name}TokenizerFast`]),
);

/**
 * Reads the tokenizer of a model's folder: `tokenizer.json`, or the byte-pair encoding of a SentencePiece
 * `tokenizer.model`, with `tokenizer_config.json` (which a `tokenizer.model` can do without). Where Hugging Face's
 * libraries would read them, tokens come from `special_tokens_map.json` and `added_tokens.json` as well, and the chat
 * template from `chat_template.jinja`.
 *
 * @returns what the two files of a complete, current folder would hold; {@link saveTokenizer} writes them
 * @throws TokenizerError naming the file that is missing or malformed, and what to do about it
 */
export async function readTokenizerFiles(directory: string): Promise<TokenizerFiles> {
  const config = await readConfig(directory);
  const { tokenizerJson, tokenizerConfig } = await readVocabulary(directory, config);
  return {
    tokenizerJson: withConfiguredBos(await withAddedTokens(tokenizerJson, tokenizerConfig, directory), tokenizerConfig),
    tokenizerConfig,
  };
}

async function readConfig(directory: string): Promise<TokenizerConfigJson | undefined> {
  const value = await readJsonIfPresent(join(directory, CONFIG_FILE));
  const config = value === undefined ? undefined : parseTokenizerConfig(value, directory);
  const template = await readIfPresent(join(directory, CHAT_TEMPLATE_FILE));
  // Since configurations list all added tokens, the map beside them is a copy that older libraries read.
  const map = config?.added_tokens_decoder ? undefined : await readJsonIfPresent(join(directory, SPECIAL_TOKENS_FILE));
  if (config === undefined && template === undefined && map === undefined) return undefined;
  return {
    ...config,
    ...(map === undefined ? {} : parseTokenizerConfig(map, directory)),
    ...(template === undefined ? {} : { chat_template: template.toString('utf8') }),
  };
}

async function readVocabulary(directory: string, config: TokenizerConfigJson | undefined): Promise<TokenizerFiles> {
  const tokenizerJson = await readJsonIfPresent(join(directory, TOKENIZER_FILE));
  if (tokenizerJson !== undefined) {
    if (config === undefined) throw missing(join(directory, CONFIG_FILE));
    return parseTokenizerFiles({ tokenizerJson, tokenizerConfig: config }, directory);
  }
  const file = join(directory, SENTENCEPIECE_FILE);
  const bytes = await readIfPresent(file);
  if (bytes === undefined) throw missing(join(directory, TOKENIZER_FILE));
  return convertSentencePieceModel(parseSentencePieceModel(bytes, file), { file, ...(config ? { config } : {}) });
}

function missing(file: string): TokenizerError {
  return new TokenizerError({
    operation: `read ${file}`,
    expected: 'the file to exist',
    received: 'ENOENT',
    remedy: 'pass a directory that holds tokenizer.json and tokenizer_config.json, or tokenizer.model',
    file,
  });
}

/** The vocabulary with the tokens that stand in the configuration or in `added_tokens.json` alone. */
async function withAddedTokens(
  json: TokenizerJson,
  config: TokenizerConfigJson,
  directory: string,
): Promise<TokenizerJson> {
  const file = join(directory, ADDED_TOKENS_FILE);
  const listed = config.added_tokens_decoder ? undefined : await readJsonIfPresent(file);
  const ids = listed === undefined ? {} : parseFile(z.record(z.string().min(1), z.int().nonnegative()), listed, file);
  const candidates = [
    ...Object.entries(config.added_tokens_decoder ?? {}).map(([id, token]) => ({ ...token, id: Number(id) })),
    // Older tokenizers, which have this file, look for added tokens in the text as it is.
    ...Object.entries(ids).map(([content, id]) => ({
      id,
      content,
      special: isSpecial(content, config),
      normalized: false,
    })),
  ];
  const known = new Set(json.added_tokens.map(({ content }) => content));
  const added = candidates.filter(({ content }) => !known.has(content));
  if (added.length === 0) return json;
  return { ...json, added_tokens: [...json.added_tokens, ...added], model: renamed(json.model, added) };
}

function isSpecial(content: string, config: TokenizerConfigJson): boolean {
  return Object.values(config).some((value) => typeof value === 'string' && value === content);
}

/** An added token that takes the id of a piece takes its place: InternLM2's chat marks were pieces without a use. */
function renamed(
  model: TokenizerJson['model'],
  added: readonly { readonly id: number; readonly content: string }[],
): TokenizerJson['model'] {
  if (Array.isArray(model.vocab)) return model;
  const replaced = new Set(added.map(({ id }) => id));
  const kept = Object.entries(model.vocab as Readonly<Record<string, number>>).filter(([, id]) => !replaced.has(id));
  return { ...model, vocab: Object.fromEntries(kept) };
}

function withConfiguredBos(json: TokenizerJson, config: TokenizerConfigJson): TokenizerJson {
  if (!LLAMA_CLASSES.has(config.tokenizer_class ?? '')) return json;
  const placed = (token: string | undefined, wanted: boolean) => {
    if (!wanted || token === undefined) return undefined;
    const id = json.added_tokens.find(({ content }) => content === token)?.id;
    const own = (json.model.vocab as Readonly<Record<string, number>>)[token];
    const found = id ?? own;
    return found === undefined ? undefined : { token, id: found };
  };
  return {
    ...json,
    post_processor: templateProcessor({
      bos: placed(textOfToken(config.bos_token), config.add_bos_token ?? true),
      eos: placed(textOfToken(config.eos_token), config.add_eos_token ?? false),
    }),
  };
}

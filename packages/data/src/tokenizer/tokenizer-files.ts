import { join } from 'node:path';
import { z } from 'zod';
import { firstIssue } from '../data-error.js';
import { writeJson } from './json-file.js';
import { TokenizerError } from './tokenizer-error.js';

export const TOKENIZER_FILE = 'tokenizer.json';
export const CONFIG_FILE = 'tokenizer_config.json';

/** No published vocabulary comes near it; a larger id would make tables of that length. */
const LARGEST_ID = 2 ** 24;

const idSchema = z.int().nonnegative().max(LARGEST_ID);

const addedTokenSchema = z.looseObject({
  id: idSchema,
  content: z.string().min(1),
  single_word: z.boolean().optional(),
  lstrip: z.boolean().optional(),
  rstrip: z.boolean().optional(),
  normalized: z.boolean().optional(),
  special: z.boolean().optional(),
});

/** A list of pieces with their scores, or ids by token. Not checked by zod, which would copy some 10⁵ entries. */
const vocabularySchema = z.custom<Readonly<Record<string, number>> | readonly unknown[]>(
  (value) =>
    Array.isArray(value) ||
    (typeof value === 'object' &&
      value !== null &&
      Object.values(value).every((id) => Number.isInteger(id) && id >= 0 && id <= LARGEST_ID)),
  'expected a vocabulary',
);

const tokenizerJsonSchema = z.looseObject({
  added_tokens: z.array(addedTokenSchema),
  normalizer: z.unknown(),
  pre_tokenizer: z.unknown(),
  post_processor: z.unknown(),
  decoder: z.unknown(),
  model: z.looseObject({ vocab: vocabularySchema }),
});

const specialTokenSchema = z.union([z.string(), z.looseObject({ content: z.string() })]).nullish();

/** Names under which a configuration gives special tokens. */
export const SPECIAL_TOKEN_NAMES = [
  'bos_token',
  'eos_token',
  'unk_token',
  'sep_token',
  'pad_token',
  'cls_token',
  'mask_token',
  'image_token',
] as const;

export type SpecialTokenName = (typeof SPECIAL_TOKEN_NAMES)[number];

const specialTokensSchema = z.object(
  Object.fromEntries(SPECIAL_TOKEN_NAMES.map((name) => [name, specialTokenSchema])) as Record<
    SpecialTokenName,
    typeof specialTokenSchema
  >,
);

const chatTemplateSchema = z.union([
  z.string(),
  z.array(z.looseObject({ name: z.string(), template: z.string() })),
  z.record(z.string(), z.string()),
]);

const tokenizerConfigSchema = z.looseObject({
  ...specialTokensSchema.shape,
  tokenizer_class: z.string().nullish(),
  added_tokens_decoder: z.record(z.string().regex(/^\d{1,8}$/), addedTokenSchema.omit({ id: true })).optional(),
  chat_template: chatTemplateSchema.nullish(),
  clean_up_tokenization_spaces: z.boolean().nullish(),
  add_bos_token: z.boolean().nullish(),
  add_eos_token: z.boolean().nullish(),
  legacy: z.boolean().nullish(),
});

/** The contents of a Hugging Face `tokenizer.json`. */
export type TokenizerJson = z.infer<typeof tokenizerJsonSchema>;

/** The contents of a Hugging Face `tokenizer_config.json`. */
export type TokenizerConfigJson = z.infer<typeof tokenizerConfigSchema>;

/** The two files of a tokenizer, parsed. */
export interface TokenizerFiles {
  readonly tokenizerJson: TokenizerJson;
  readonly tokenizerConfig: TokenizerConfigJson;
}

/**
 * Checks the two parsed files of a tokenizer.
 *
 * @param directory where they came from, for the message
 * @throws TokenizerError naming the file and the field at fault
 */
export function parseTokenizerFiles(files: { tokenizerJson: unknown; tokenizerConfig: unknown }, directory = '.') {
  return {
    tokenizerJson: parseFile(tokenizerJsonSchema, files.tokenizerJson, join(directory, TOKENIZER_FILE)),
    tokenizerConfig: parseTokenizerConfig(files.tokenizerConfig, directory),
  } satisfies TokenizerFiles;
}

/** @throws TokenizerError naming the field at fault */
export function parseTokenizerConfig(value: unknown, directory = '.'): TokenizerConfigJson {
  return parseFile(tokenizerConfigSchema, value, join(directory, CONFIG_FILE));
}

/**
 * Checks a value that was read from a file.
 *
 * @throws TokenizerError naming the file and the field at fault
 */
export function parseFile<T>(schema: z.ZodType<T>, value: unknown, file: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new TokenizerError({
    operation: `read ${file}`,
    expected: 'the format that the Hugging Face tokenizers library writes',
    received: firstIssue(result.error),
    remedy: 'save the tokenizer again with save_pretrained or saveTokenizer',
    file,
    value,
  });
}

/** The text of a special token, which a configuration gives as such or inside an object. */
export function textOfToken(token: z.infer<typeof specialTokenSchema>): string | undefined {
  return typeof token === 'string' ? token : token?.content;
}

/**
 * Writes `tokenizer.json` and `tokenizer_config.json` to a directory, which is created. Each file is written under a
 * temporary name and then renamed, so that a reader never sees half of one.
 *
 * @throws TokenizerError naming the file that could not be written
 */
export async function saveTokenizer(files: TokenizerFiles, directory: string): Promise<void> {
  const checked = parseTokenizerFiles(files, directory);
  await writeJson(directory, TOKENIZER_FILE, checked.tokenizerJson);
  await writeJson(directory, CONFIG_FILE, checked.tokenizerConfig);
}

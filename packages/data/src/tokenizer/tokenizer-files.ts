import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { firstIssue } from '../problem.js';
import { TokenizerError } from './tokenizer-error.js';

const TOKENIZER_FILE = 'tokenizer.json';
const CONFIG_FILE = 'tokenizer_config.json';

const addedTokenSchema = z.looseObject({ id: z.int().nonnegative(), content: z.string().min(1) });

/** Checked for being there only: a vocabulary has some 10⁵ entries, and the library reads every one of them anyway. */
const vocabularySchema = z.custom<Readonly<Record<string, number>> | readonly unknown[]>(
  (value) => typeof value === 'object' && value !== null,
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

const tokenizerConfigSchema = z.looseObject({
  bos_token: specialTokenSchema,
  eos_token: specialTokenSchema,
  pad_token: specialTokenSchema,
  unk_token: specialTokenSchema,
  image_token: specialTokenSchema,
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
    tokenizerConfig: parseFile(tokenizerConfigSchema, files.tokenizerConfig, join(directory, CONFIG_FILE)),
  } satisfies TokenizerFiles;
}

function parseFile<T>(schema: z.ZodType<T>, value: unknown, file: string): T {
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

/**
 * Reads `tokenizer.json` and `tokenizer_config.json` from a directory.
 *
 * @throws TokenizerError naming the file that is missing or malformed, and what to do about it
 */
export async function readTokenizerFiles(directory: string): Promise<TokenizerFiles> {
  const tokenizerJson = await readJson(join(directory, TOKENIZER_FILE));
  const tokenizerConfig = await readJson(join(directory, CONFIG_FILE));
  return parseTokenizerFiles({ tokenizerJson, tokenizerConfig }, directory);
}

async function readJson(file: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new TokenizerError({
      operation: `read ${file}`,
      expected: 'a readable file',
      received: (cause as NodeJS.ErrnoException).code ?? String(cause),
      remedy:
        'pass a directory that holds tokenizer.json and tokenizer_config.json; a checkpoint with tokenizer.model alone has to be converted first (load it with AutoTokenizer, then save_pretrained)',
      file,
      cause,
    });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new TokenizerError({
      operation: `read ${file}`,
      expected: 'JSON',
      received: (cause as Error).message,
      remedy: 'the file is cut short or no JSON (a Git LFS pointer, for example): fetch it again',
      file,
      cause,
    });
  }
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

async function writeJson(directory: string, name: string, value: unknown): Promise<void> {
  const file = join(directory, name);
  const temporary = join(directory, `.${name}.${randomUUID()}`);
  try {
    await mkdir(directory, { recursive: true });
    const handle = await open(temporary, 'wx');
    try {
      await handle.writeFile(`${JSON.stringify(value, null, 2)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw new TokenizerError({
      operation: `write ${file}`,
      expected: 'a writable directory',
      received: (cause as NodeJS.ErrnoException).code ?? String(cause),
      remedy: 'choose another directory or free space on its disk',
      file,
      cause,
    });
  }
}

import { readFile } from 'node:fs/promises';
import { ConfigError } from '@ocelli/core-tensor';
import { parse } from 'yaml';
import type { z } from 'zod';

/**
 * Reads a YAML (or JSON) file and checks it against a schema.
 *
 * @throws ConfigError that names the file, and every missing, unknown or invalid key in it.
 */
export async function readYaml<Schema extends z.ZodType>(file: string, schema: Schema): Promise<z.output<Schema>> {
  const refuse = (expected: string, received: string, cause?: unknown) =>
    new ConfigError({ operation: `read ${file}`, expected, received, remedy: 'Correct the file and run the command again.', cause });
  let content: unknown;
  try {
    content = parse(await readFile(file, 'utf8'));
  } catch (cause) {
    throw refuse('a readable YAML file', cause instanceof Error ? cause.message : String(cause), cause);
  }
  const checked = schema.safeParse(content);
  if (checked.success) return checked.data;
  const problems = checked.error.issues.map(({ path, message }) => [path.map(String).join('.'), message].filter(Boolean).join(': '));
  throw refuse('the keys and values of its kind of file', problems.join('; '));
}

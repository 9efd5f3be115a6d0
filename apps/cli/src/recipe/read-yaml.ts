import { readFile } from 'node:fs/promises';
import { ConfigError, type ConfigSchema, parseConfig } from '@ocelli/core-tensor';
import { parse } from 'yaml';

/**
 * Reads a YAML (or JSON) file and checks it against a schema.
 *
 * @throws ConfigError that names the file, and every missing, unknown or invalid key in it.
 */
export async function readYaml<Content>(file: string, schema: ConfigSchema<Content>): Promise<Content> {
  const operation = `read ${file}`;
  let content: unknown;
  try {
    content = parse(await readFile(file, 'utf8'));
  } catch (cause) {
    throw new ConfigError({
      operation,
      expected: 'a readable YAML file',
      received: cause instanceof Error ? cause.message : String(cause),
      remedy: 'Correct the file and run the command again.',
      cause,
    });
  }
  return parseConfig(operation, schema, content);
}

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';

const directories: string[] = [];
afterEach(async () => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  await Promise.all(directories.splice(0).map((directory) => rm(directory, { recursive: true, force: true })));
});

describe('README.md', () => {
  it('has an example that runs and prints two batches', async () => {
    const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
    const examples = [...readme.matchAll(/```ts\n(.*?)```/gs)].map((match) => match[1]!);
    expect(examples).toHaveLength(1);
    const directory = await mkdtemp(join(tmpdir(), 'ocelli-readme-'));
    directories.push(directory);
    const file = join(directory, 'example.ts');
    await writeFile(file, examples[0]!);
    // The example works in the system's temporary directory; this way it leaves nothing there.
    vi.stubEnv('TMPDIR', directory);
    const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    await import(/* @vite-ignore */ pathToFileURL(file).href);
    expect(log).toHaveBeenCalledTimes(2);
    expect(log.mock.calls[1]![1]).toMatchObject({ batch: 4, images: 4, height: 56, width: 56 });
    expect(log.mock.calls[1]![2]).toMatchObject({ epoch: 1, position: 0 });
  });
});

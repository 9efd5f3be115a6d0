import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { format } from 'node:util';

/**
 * Runs the first `ts` code block of a package's README.md as a module, and fails as it fails.
 *
 * The block becomes a file in the package's `test` folder while it runs, so that its imports resolve as the package's own.
 *
 * @returns what the block gave to `console.log`, one text a call
 */
export async function runReadmeExample(packageDirectory: string): Promise<string[]> {
  const readme = join(packageDirectory, 'README.md');
  const block = /^```ts\n(.*?)^```/ms.exec(await readFile(readme, 'utf8'))?.[1];
  if (block === undefined) throw new Error(`${readme}: expected a \`\`\`ts code block, found none`);
  const file = join(packageDirectory, 'test', `.readme-example-${process.pid}.ts`);
  const printed: string[] = [];
  const print = console.log;
  try {
    await writeFile(file, `${block}\nexport {};\n`);
    console.log = (...values: unknown[]) => {
      printed.push(format(...values));
    };
    await import(/* @vite-ignore */ pathToFileURL(file).href);
  } finally {
    console.log = print;
    await rm(file, { force: true });
  }
  return printed;
}

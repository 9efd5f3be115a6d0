import { copyFile, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { prepareTraining } from '../../src/train/prepare.js';
import { temporaryFolder } from './tiny-run.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

it('the example fits the data that the README generates', async () => {
  const folder = await temporaryFolder();
  const readme = await readFile(join(root, 'README.md'), 'utf8');
  const program = /^```js\n(.*?)^```/ms.exec(readme)![1]!;
  const fewer = program
    .replace("'microworld'", JSON.stringify(join(folder, 'microworld')))
    .replace(/train: \d+, test: \d+/, 'train: 40, test: 4');
  expect(fewer).not.toBe(program);
  // In the package, so that its imports resolve as the package's own.
  const file = join(root, 'test', `.generate-microworld-${process.pid}.js`);
  try {
    await writeFile(file, fewer);
    await import(/* @vite-ignore */ pathToFileURL(file).href);
  } finally {
    await rm(file, { force: true });
  }
  await copyFile(join(root, 'examples', 'microworld.yaml'), join(folder, 'microworld.yaml'));
  const { config, model, batches } = await prepareTraining(join(folder, 'microworld.yaml'));
  expect(model.visualTokensPerImage).toBe(16);
  expect(config.stages.map(({ name, steps }) => ({ name, steps }))).toEqual([
    { name: 'captions', steps: 200 },
    { name: 'questions', steps: 500 },
  ]);
  const stream = batches({ stage: config.stages[1]! as never, state: undefined });
  for await (const { inputs, samples } of stream) {
    expect(samples).toBe(32);
    expect(inputs.pixelValues.shape).toEqual([32, 3, 32, 32]);
    break;
  }
  await stream.close!();
});

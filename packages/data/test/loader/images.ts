import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Conversation } from '../../src/conversation/conversation.js';
import { encodePng } from '../../src/image/decode.js';
import { imageProcessor } from '../../src/image/image-processor.js';
import { solidImage } from '../../src/image/rgb-image.js';
import type { LoaderOptions } from '../../src/loader/loader-options.js';
import { buildTokenizer } from '../../src/tokenizer/build-tokenizer.js';
import { createTokenizer } from '../../src/tokenizer/tokenizer.js';

export interface ImageFolder {
  readonly path: string;
  /** A grey image of this brightness. */
  add(brightness: number): Promise<string>;
  remove(): Promise<void>;
}

export async function imageFolder(): Promise<ImageFolder> {
  const path = await mkdtemp(join(tmpdir(), 'ocelli-loader-'));
  return {
    path,
    async add(brightness) {
      const file = join(path, `${brightness}.png`);
      const image = solidImage({ width: 9, height: 7 }, [brightness, brightness, brightness]);
      await writeFile(file, await encodePng(image));
      return file;
    },
    remove: () => rm(path, { recursive: true, force: true }),
  };
}

export function question(id: string, image?: string): Conversation {
  const text = image === undefined ? `What is ${id}?` : `<image>\nWhat is ${id}?`;
  return {
    id,
    images: image === undefined ? [] : [image],
    turns: [
      { role: 'user', text },
      { role: 'assistant', text: `It is ${id}.` },
    ],
  };
}

const tokenizer = createTokenizer(buildTokenizer(['What is it? It is red.'], { vocabularySize: 280 }));

/** Options under which a pixel of a grey image is its brightness. */
export const OPTIONS: LoaderOptions = {
  tokenizer,
  template: 'vicuna_v1',
  imageProcessor: imageProcessor({ resize: { width: 4, height: 4 }, rescaleFactor: null }),
  batchSize: 2,
  visualTokensPerImage: 3,
  maximumLength: 512,
  seed: 11,
  workers: 1,
};

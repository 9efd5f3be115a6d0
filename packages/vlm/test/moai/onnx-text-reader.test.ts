import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  add,
  closeEngine,
  concat,
  exportOnnx,
  mean,
  mul,
  reshape,
  sigmoid,
  sliceAxis,
  sub,
  type Tensor,
  tensor,
  zeros,
} from '@ocelli/core-tensor';
import { type RgbImage, solidImage } from '@ocelli/data';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OnnxTextReaderOptions, onnxTextReader } from '../../src/index.js';
import { cropRegion, upsideDown } from '../../src/moai/crop-region.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'text-reader-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
  await closeEngine();
});

/** A picture whose colours a function tells. */
function picture(width: number, height: number, colour: (x: number, y: number) => readonly number[]): RgbImage {
  const image = solidImage({ width, height }, [0, 0, 0]);
  for (let pixel = 0; pixel < width * height; pixel++) {
    image.data.set(colour(pixel % width, Math.floor(pixel / width)), pixel * 3);
  }
  return image;
}

async function written(name: string, shape: readonly number[], fn: (x: Tensor) => Tensor): Promise<string> {
  const source = join(folder, `${name}.onnx`);
  await exportOnnx(source, ({ x }) => ({ result: fn(x!) }), { inputs: { x: zeros(shape) } });
  return source;
}

/** 1 in white, 0 in black: undoes ImageNet's normalisation of grey pixels, on average. */
const detector = (x: Tensor) => mul(add(mean(x, { axes: 1, keepDims: true }), 2.036), 1 / 4.465);

/** How much brighter the right half of a line of so many pixels is: scalar. */
function rightward(x: Tensor, length: number): Tensor {
  const half = (from: number, to: number) => mean(sliceAxis(x, 3, from, to));
  return sub(half(length / 2, length), half(0, length / 2));
}

/** Probability of 180 degrees where the right half is brighter. */
function classifier(x: Tensor): Tensor {
  const turned = reshape(sigmoid(mul(rightward(x, 120), 40)), [1, 1]);
  return concat([sub(1, turned), turned], 1);
}

/** Reads "L ", or "R " where the right half is brighter, in three steps of the blank and three characters. */
function recogniser(x: Tensor): Tensor {
  const right = reshape(sigmoid(mul(rightward(x, 120), 40)), [1, 1, 1]);
  const none = mul(right, 0);
  const first = concat([none, sub(1, right), right, none], 2);
  return concat([first, add(none, tensor([1, 0, 0, 0], [1, 1, 4])), add(none, tensor([0, 0, 0, 1], [1, 1, 4]))], 1);
}

/** A bar of text, one half brighter than the other. */
const bar = (left: number, right: number) =>
  picture(64, 32, (x, y) => {
    const value = x < 6 || x > 45 || y < 8 || y > 20 ? 0 : x < 26 ? left : right;
    return [value, value, value];
  });

async function options(): Promise<OnnxTextReaderOptions> {
  return {
    detection: { source: await written('detector', [1, 3, 32, 64], detector) },
    direction: { source: await written('classifier', [1, 3, 48, 192], classifier) },
    recognition: {
      source: await written('recogniser', [1, 3, 48, 320], recogniser),
      alphabet: ['L', 'R', ' '],
    },
  };
}

describe('onnxTextReader', () => {
  it('reads what is found, upright', async () => {
    const { direction, ...plain } = await options();
    const [asItIs, turning] = [onnxTextReader(plain), onnxTextReader({ ...plain, direction: direction! })];
    const [left, right] = [bar(255, 190), bar(190, 255)];
    expect((await asItIs(left)).map(({ text }) => text)).toEqual(['L ']);
    expect((await asItIs(right)).map(({ text }) => text)).toEqual(['R ']);
    const [line, ...others] = await turning(right);
    expect(others).toEqual([]);
    expect(line!.text).toBe('L ');
    expect(line!.confidence).toBeGreaterThan(0.9);
    expect(await turning(bar(0, 0))).toEqual([]);
  });

  it('leaves out what it is not confident of', async () => {
    const { direction: _, ...plain } = await options();
    const unsure = { ...plain, recognition: { ...plain.recognition, threshold: 0.9 } };
    // Of two equal halves either letter is as probable: (0.5 + 1) / 2.
    expect(await onnxTextReader(unsure)(bar(255, 255))).toEqual([]);
    expect(await onnxTextReader(plain)(bar(255, 255))).toHaveLength(1);
  });

  it('gives the models RGB as published, or BGR as they were made for', async () => {
    const { direction: _, ...plain } = await options();
    const red = async (channels?: OnnxTextReaderOptions['channels']) => {
      const source = await written('red', [1, 3, 32, 64], (x) => mul(add(sliceAxis(x, 1, 0, 1), 2.118), 1 / 4.367));
      const lines = await onnxTextReader({
        ...plain,
        detection: { source },
        ...(channels && { channels }),
      })(picture(64, 32, (x, y) => (x < 6 || x > 45 || y < 8 || y > 20 ? [0, 0, 0] : [255, 0, 0])));
      return lines.length;
    };
    expect(await red()).toBe(1);
    expect(await red('correct')).toBe(0);
  });
});

describe('cropRegion', () => {
  const ramp = picture(12, 10, (x, y) => [10 * x, 20 * y, 7]);

  it('cuts an upright region out as it is', () => {
    const cut = cropRegion(ramp, [
      [2, 3],
      [8, 3],
      [8, 6],
      [2, 6],
    ]);
    expect([cut.width, cut.height]).toEqual([6, 3]);
    expect(Array.from(cut.data.slice(0, 6))).toEqual([20, 60, 7, 30, 60, 7]);
    expect(Array.from(cut.data.slice(-3))).toEqual([70, 100, 7]);
  });

  it('turns a high one to the left', () => {
    const cut = cropRegion(ramp, [
      [2, 1],
      [5, 1],
      [5, 8],
      [2, 8],
    ]);
    expect([cut.width, cut.height]).toEqual([7, 3]);
    // What was at the top right is at the top left.
    expect(Array.from(cut.data.slice(0, 3))).toEqual([40, 20, 7]);
    expect(Array.from(cut.data.slice(-3))).toEqual([20, 140, 7]);
  });

  it('makes a slanted one upright', () => {
    // A square on its corner: its left corner becomes the top left one.
    const cut = cropRegion(
      picture(21, 21, (x) => [10 * x, 0, 0]),
      [
        [2, 10],
        [10, 2],
        [18, 10],
        [10, 18],
      ],
    );
    expect([cut.width, cut.height]).toEqual([11, 11]);
    const red = (x: number, y: number) => cut.data[(y * 11 + x) * 3]!;
    expect(red(0, 0)).toBe(20);
    // The place (5, 5) of 11 is 5/11 along both edges.
    expect(red(5, 5)).toBe(Math.round(20 + 160 * (5 / 11)));
    expect(red(5, 0)).toBe(red(0, 5));
  });

  it('turns pictures upside down', () => {
    const turned = upsideDown(ramp);
    expect(Array.from(turned.data.slice(0, 3))).toEqual([110, 180, 7]);
    expect(upsideDown(turned).data).toEqual(ramp.data);
  });
});

import { describe, expect, it } from 'vitest';
import { collate } from '../../src/collate/collate.js';
import type { CollateSample } from '../../src/collate/visual-tokens.js';
import { readFixture } from '../image/read-fixture.js';

/**
 * The reference replaces runs of −1 by visual tokens, sample by sample. Here the same happens through the plan; the
 * gather and its gradient, a scatter, are spelled out in plain arithmetic.
 */
describe("Honeybee's assembly of text and visual tokens", () => {
  const { tensors, config } = readFixture('honeybee/assembly.safetensors');
  const visualTokensPerImage = (config as { visual_tokens: number }).visual_tokens;
  const table = tensors['param.language_model.embed.weight']!;
  const ids = tensors['in.input_ids']!;
  const visual = tensors['in.visual']!;
  const [batchSize, length] = ids.shape as [number, number];
  const width = table.shape[1]!;

  const samples: CollateSample[] = Array.from({ length: batchSize }, (_, row) => {
    const all = Array.from({ length }, (_cell, column) => ids.data[row * length + column]!);
    const padding = all.length - all.findLastIndex((id) => id !== 0) - 1;
    const inputIds = Int32Array.from(all.slice(0, length - padding));
    const images: { start: number; image: number }[] = [];
    inputIds.forEach((id, start) => {
      if (id === -1 && inputIds[start - 1] !== -1) images.push({ start, image: images.length });
    });
    const pixels = images.map(() => ({ data: new Float32Array(3), height: 1, width: 1 }));
    return { sampleId: `row ${row}`, inputIds, labels: inputIds.map(() => -100), images, pixels };
  });
  const batch = collate(samples, {
    visualTokensPerImage,
    padTokenId: 0,
    buckets: [length],
    purpose: 'generation',
    padding: 'right',
  });
  const rows = [
    ...Array.from(batch.inputIds, (id) => table.data.slice(id * width, (id + 1) * width)),
    ...Array.from({ length: batch.shape.images * visualTokensPerImage }, (_, row) =>
      visual.data.slice(row * width, (row + 1) * width),
    ),
  ];

  it('gathers the embeddings of the reference', () => {
    expect(batch.shape.images).toBe(visual.shape[0]);
    const gathered = Array.from(batch.plan).flatMap((row) => [...rows[row]!]);
    expect(gathered).toEqual([...tensors['out.embeddings']!.data]);
    expect([...batch.attentionMask]).toEqual([...tensors['out.attention_mask']!.data]);
  });

  it('scatters gradients to where the reference has them', () => {
    const cotangent = tensors['cot.embeddings']!.data;
    const tableGradient = new Float64Array(table.data.length);
    const visualGradient = new Float64Array(visual.data.length);
    batch.plan.forEach((row, cell) => {
      const isText = row < batch.plan.length;
      const target = isText ? tableGradient : visualGradient;
      const offset = (isText ? batch.inputIds[row]! : row - batch.plan.length) * width;
      for (let column = 0; column < width; column++) {
        target[offset + column]! += cotangent[cell * width + column]!;
      }
    });
    const expectClose = (actual: Float64Array, expected: ArrayLike<number>) => {
      expect(actual.length).toBe(expected.length);
      actual.forEach((value, index) => {
        expect(value).toBeCloseTo(expected[index]!, 5);
      });
    };
    expectClose(tableGradient, tensors['grad.language_model.embed.weight']!.data);
    expectClose(visualGradient, tensors['gradin.visual']!.data);
  });
});

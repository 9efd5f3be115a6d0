import {
  compareWithFixture,
  concat,
  type Fixture,
  gather,
  type ParityChecks,
  type ParityResult,
  reshape,
  tensor,
  toTensor,
} from '@ocelli/core-tensor';
import { type CollateSample, collate } from '../collate/collate.js';
import { IGNORE_LABEL, VISUAL_TOKEN } from '../collate/tokenize-segments.js';

/** The reference replaces runs of −1 by visual tokens, sample by sample; here one gather by the batch's plan does. */
async function checkAssembly(fixture: Fixture): Promise<ParityResult> {
  const { visual_tokens: visualTokensPerImage } = fixture.config as { readonly visual_tokens: number };
  const [table, ids, visual] = ['param.language_model.embed.weight', 'in.input_ids', 'in.visual'].map(
    (name) => fixture.tensors.get(name)!,
  );
  const [rows, length] = ids!.shape as [number, number];
  const width = table!.shape[1]!;
  const samples = Array.from({ length: rows }, (_, row) =>
    sampleOf(
      `row ${row}`,
      Array.from({ length }, (_cell, column) => Number(ids!.data[row * length + column])),
      visualTokensPerImage,
    ),
  );
  const batch = collate(samples, {
    visualTokensPerImage,
    padTokenId: 0,
    buckets: [length],
    purpose: 'generation',
    padding: 'right',
  });
  const weight = toTensor(table!);
  const tokens = toTensor(visual!);
  const all = concat([gather(weight, batch.inputIds), reshape(tokens, [-1, width])], 0); // [text and visual rows, width]
  const embeddings = gather(all, tensor(batch.plan, [rows, length])); // [batch, length, width]
  return compareWithFixture(fixture, {
    outputs: { embeddings, attention_mask: tensor(Float32Array.from(batch.attentionMask), [rows, length]) },
    parameters: { 'language_model.embed.weight': weight },
    inputs: { visual: tokens },
  });
}

/** A row of ids, zeros at its end being padding, as a sample. */
function sampleOf(sampleId: string, row: readonly number[], visualTokensPerImage: number): CollateSample {
  const inputIds = Int32Array.from(row.slice(0, row.findLastIndex((id) => id !== 0) + 1));
  const images: { start: number; image: number }[] = [];
  for (let start = 0; start < inputIds.length; start++) {
    if (inputIds[start] !== VISUAL_TOKEN) continue;
    images.push({ start, image: images.length });
    start += visualTokensPerImage - 1;
  }
  const pixels = images.map(() => ({ data: new Float32Array(3), height: 1, width: 1 }));
  return { sampleId, inputIds, labels: inputIds.map(() => IGNORE_LABEL), images, pixels };
}

/** Text and visual tokens in one sequence. */
export const assemblyChecks: ParityChecks = { 'honeybee/assembly': checkAssembly };

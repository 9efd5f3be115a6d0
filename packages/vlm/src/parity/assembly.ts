import { compareWithFixture, embedding, type Fixture, type ParityResult, tensor, toTensor } from '@ocelli/core-tensor';
import { type CollateSample, collate, IGNORE_LABEL, VISUAL_TOKEN } from '@ocelli/data';
import { assembleSequences } from '../assemble.js';

const padTokenId = 0;

/** Runs of −1 in the ids are replaced by visual tokens, image by image. */
export async function checkAssembly(fixture: Fixture): Promise<ParityResult> {
  const { visual_tokens: visualTokensPerImage } = fixture.config as { readonly visual_tokens: number };
  const [ids, table, visual] = ['in.input_ids', 'param.language_model.embed.weight', 'in.visual'].map(
    (name) => fixture.tensors.get(name)!,
  );
  const [rows, length] = ids!.shape as [number, number];
  const all = Array.from(ids!.data as BigInt64Array, Number);
  const samples = Array.from({ length: rows }, (_, row) =>
    sampleOf(`row ${row}`, all.slice(row * length, (row + 1) * length), visualTokensPerImage),
  );
  const { inputIds, plan, attentionMask } = collate(samples, {
    visualTokensPerImage,
    padTokenId,
    buckets: [length],
    purpose: 'generation',
    padding: 'right',
  });
  const [weight, tokens] = [toTensor(table!), toTensor(visual!)];
  const text = embedding(tensor(inputIds, [rows, length]), weight); // [batch, length, width]
  const embeddings = assembleSequences(text, tokens, tensor(plan, [rows, length]));
  const mask = tensor(Float32Array.from(attentionMask), [rows, length]);
  return compareWithFixture(fixture, {
    outputs: { embeddings, attention_mask: mask },
    parameters: { 'language_model.embed.weight': weight },
    inputs: { visual: tokens },
  });
}

/** A row of ids as a sample; zeros at its end are padding. Only the size of the pixels matters. */
function sampleOf(sampleId: string, row: readonly number[], visualTokensPerImage: number): CollateSample {
  const inputIds = Int32Array.from(row.slice(0, row.findLastIndex((id) => id !== padTokenId) + 1));
  const images: { start: number; image: number }[] = [];
  for (let start = inputIds.indexOf(VISUAL_TOKEN); start >= 0; ) {
    images.push({ start, image: images.length });
    start = inputIds.indexOf(VISUAL_TOKEN, start + visualTokensPerImage);
  }
  const pixels = images.map(() => ({ data: new Float32Array(3), height: 1, width: 1 }));
  return { sampleId, inputIds, labels: inputIds.map(() => IGNORE_LABEL), images, pixels };
}

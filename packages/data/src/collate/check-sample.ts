import { CollationError } from './collation-error.js';
import { IGNORE_LABEL, type TokenizedSample, VISUAL_TOKEN } from './tokenize-segments.js';

/**
 * Checks that a sample adds up: every label is the token at its place, every image has its positions and no other
 * position is one.
 *
 * @param requireLabels whether at least one position has to be trained. The first token does not count: nothing
 * predicts it.
 * @throws CollationError naming the sample
 */
export function checkSample(sample: TokenizedSample, visualTokensPerImage: number, requireLabels: boolean): void {
  const { sampleId, inputIds, labels, images } = sample;
  const fail = (expected: string, received: string, remedy: string): never => {
    throw new CollationError({
      operation: `collate (${sampleId})`,
      expected,
      received,
      remedy,
      sampleId,
      value: sample,
    });
  };
  const rebuild = 'make the sample with tokenizeSegments';

  if (inputIds.length === 0) fail('at least one token', 'none', 'remove the sample');
  if (labels.length !== inputIds.length) {
    fail(`as many labels as the ${inputIds.length} tokens`, String(labels.length), rebuild);
  }
  const image = new Uint8Array(inputIds.length);
  let promised = 0;
  for (const { start, tokens = visualTokensPerImage } of images) {
    if (start < 0 || start + tokens > inputIds.length) {
      fail(`${tokens} positions from ${start} on for an image`, `${inputIds.length} tokens`, rebuild);
    }
    image.fill(1, start, start + tokens);
    promised += tokens;
  }
  let trained = 0;
  for (let position = 0; position < inputIds.length; position++) {
    const id = inputIds[position]!;
    const label = labels[position]!;
    if ((id === VISUAL_TOKEN) !== (image[position] === 1)) {
      const expected = image[position] === 1 ? 'an image' : 'text';
      fail(`${expected} at position ${position}`, `token ${id}`, rebuild);
    }
    if (label === IGNORE_LABEL) continue;
    if (label !== id) fail(`label ${id} or ${IGNORE_LABEL} at position ${position}`, String(label), rebuild);
    if (position > 0) trained++;
  }
  const visible = image.reduce((sum, value) => sum + value, 0);
  if (visible !== promised) {
    fail(`${images.length} separate images of ${promised} positions in all`, `${visible} positions`, rebuild);
  }
  if (requireLabels && trained === 0) {
    fail(
      'at least one token to train',
      `none among ${inputIds.length}`,
      "raise maximumLength if the answer was cut off, remove the sample, or collate with { purpose: 'generation' }",
    );
  }
}

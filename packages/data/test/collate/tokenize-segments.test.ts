import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { tokenizeSegments } from '../../src/collate/tokenize-segments.js';
import { renderConversation } from '../../src/conversation/render.js';
import type { Segment } from '../../src/conversation/segment.js';
import { buildTokenizer } from '../../src/tokenizer/build-tokenizer.js';
import { createTokenizer, loadTokenizer } from '../../src/tokenizer/tokenizer.js';
import { toyTokenizer } from './toy-tokenizer.js';

const fixtures = fileURLToPath(new URL('../fixtures/', import.meta.url));

function text(content: string, trained = false, continues = false): Segment {
  return { kind: 'text', text: content, trained, continues };
}

describe("LLaVA's tokens", () => {
  interface Case {
    readonly tokenizer: string;
    readonly style: string;
    readonly sample: string;
    readonly pairs: readonly (readonly [string, string])[];
    readonly input_ids: number[];
    readonly labels: number[];
  }
  const { cases } = JSON.parse(readFileSync(`${fixtures}backbones/label_masks.json`, 'utf8')) as { cases: Case[] };
  const templates = { vicuna_v1: 'vicuna_v1', plain: 'llava_plain' } as const;

  for (const expected of cases) {
    if (!(expected.style in templates)) continue;
    it(`agree with the reference: ${expected.style}, ${expected.tokenizer}, ${expected.sample}`, async () => {
      const tokenizer = await loadTokenizer(`${fixtures}backbones/tokenizers/${expected.tokenizer}`);
      const markers =
        expected.pairs
          .map(([question]) => question)
          .join('')
          .split('<image>').length - 1;
      const conversation = {
        id: expected.sample,
        images: Array.from({ length: markers }, (_, index) => `${index}.png`),
        turns: expected.pairs.flatMap(([question, answer]) => [
          { role: 'user' as const, text: question },
          { role: 'assistant' as const, text: answer },
        ]),
      };
      const segments = renderConversation(conversation, templates[expected.style as keyof typeof templates]);
      const { inputIds, labels } = tokenizeSegments(segments, tokenizer, {
        sampleId: expected.sample,
        visualTokensPerImage: 1,
      });
      expect({ ids: [...inputIds], labels: [...labels] }).toEqual({
        ids: expected.input_ids.map((id) => (id === -200 ? -1 : id)),
        labels: expected.labels,
      });
    });
  }
});

describe('tokenizeSegments', () => {
  const options = { sampleId: 'sample-3', visualTokensPerImage: 3 };
  const image: Segment = { kind: 'image', image: 0, trained: false };
  const end: Segment = { kind: 'end', trained: true };

  it('keeps where each image starts', () => {
    const segments = [text('ab'), image, text('c'), { ...image, image: 1 } as const, image, text('d', true), end];
    const sample = tokenizeSegments(segments, toyTokenizer, options);
    expect(sample.images).toEqual([
      { start: 3, image: 0 },
      { start: 7, image: 1 },
      { start: 10, image: 0 },
    ]);
    expect([...sample.inputIds]).toEqual([1, 107, 108, -1, -1, -1, 109, -1, -1, -1, -1, -1, -1, 110, 2]);
    expect([...sample.labels.slice(-3)]).toEqual([-100, 110, 2]);
  });

  it('drops an image that does not fit, with all that follows', () => {
    const segments = [text('ab'), image, text('c'), { ...image, image: 1 } as const, text('d', true)];
    const sample = tokenizeSegments(segments, toyTokenizer, { ...options, maximumLength: 9 });
    expect([...sample.inputIds]).toEqual([1, 107, 108, -1, -1, -1, 109]);
    expect(sample.images).toEqual([{ start: 3, image: 0 }]);
  });

  it('refuses to cut where it must not', () => {
    const segments = [text('abcdef'), image];
    expect(() =>
      tokenizeSegments(segments, toyTokenizer, { ...options, maximumLength: 9, truncation: 'error' }),
    ).toThrow(/sample-3.*at most 9 tokens, received 10/);
    const fitting = tokenizeSegments(segments, toyTokenizer, { ...options, maximumLength: 10, truncation: 'error' });
    expect(fitting.inputIds).toHaveLength(10);
  });

  it('gives text behind the prompt the tokens that it has in the whole text', async () => {
    const tokenizer = createTokenizer(buildTokenizer([' ASSISTANT: red red red'], { vocabularySize: 300 }));
    const segments = [text('USER: a ASSISTANT:'), text(' red', true, true)];
    const { inputIds } = tokenizeSegments(segments, tokenizer, options);
    expect([...inputIds]).toEqual(tokenizer.encode('USER: a ASSISTANT: red'));
  });

  it('takes text alone where a token would cover the seam', async () => {
    const tokenizer = createTokenizer(buildTokenizer(['redred redred'], { vocabularySize: 300 }));
    expect(tokenizer.encode('redred', { addSpecialTokens: false })).toHaveLength(1);
    const { inputIds, labels } = tokenizeSegments([text('red'), text('red', true, true)], tokenizer, options);
    const red = tokenizer.encode('red', { addSpecialTokens: false });
    expect([...inputIds]).toEqual([1, ...red, ...red]);
    expect([...labels]).toEqual([-100, ...red.map(() => -100), ...red]);
  });

  it('names the sample whose text has no tokens, spells out an image, or needs an eos that is missing', () => {
    const tokenizer = createTokenizer(buildTokenizer([], { vocabularySize: 260 }));
    expect(() => tokenizeSegments([text('', true)], tokenizer, options)).toThrow(/sample-3.*no token at all, for ""/);
    expect(() => tokenizeSegments([text('see <image>', true)], tokenizer, options)).toThrow(
      expect.objectContaining({ name: 'CollationError', sampleId: 'sample-3', value: 'see <image>' }),
    );
    expect(() => tokenizeSegments([end], { ...toyTokenizer, eosTokenId: undefined }, options)).toThrow(/eos_token/);
    const broken = { ...toyTokenizer, encode: () => [5, -3] };
    expect(() => tokenizeSegments([text('x')], broken, options)).toThrow(/negative token id/);
  });
});

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { CollationError } from '../../src/collate/collation-error.js';
import { tokenizeConversation } from '../../src/collate/tokenize-conversation.js';
import { encodeImagePrompt, IMAGE_TOKEN } from '../../src/labels/image-prompt.js';
import { publishedLabels } from '../../src/labels/published-labels.js';
import { conversationOf, publishedTemplate } from '../../src/parity/conversations.js';
import { loadTokenizer } from '../../src/tokenizer/tokenizer.js';

const fixtures = fileURLToPath(new URL('../fixtures/backbones/', import.meta.url));
const tokenizer = (name: string) => loadTokenizer(`${fixtures}tokenizers/${name}`);

interface Case {
  readonly tokenizer: string;
  readonly style: string;
  readonly sample: string;
  readonly pairs: readonly (readonly [string, string])[];
  readonly input_ids: readonly number[];
  readonly labels: readonly number[];
}

const { cases } = JSON.parse(readFileSync(`${fixtures}label_masks.json`, 'utf8')) as { cases: Case[] };

describe('a prompt with images', () => {
  it('is tokenized text by text, with one bos', async () => {
    const llama = await tokenizer('llama_legacy');
    const [the, dog] = [llama.encode('the').slice(1), llama.encode('\ndog').slice(1)];
    expect(encodeImagePrompt('the<image>\ndog', llama)).toEqual([1, ...the, IMAGE_TOKEN, ...dog]);
    expect(encodeImagePrompt('<image><image>', llama)).toEqual([1, IMAGE_TOKEN, IMAGE_TOKEN]);
    const qwen = await tokenizer('qwen2');
    expect(encodeImagePrompt('the<image>', qwen)).toEqual([...qwen.encode('the'), IMAGE_TOKEN]);
  });
});

describe('the labels of published code', () => {
  it.each(cases)(
    'are those of tokenizeConversation: $style, $tokenizer, $sample',
    async ({ tokenizer: name, style, sample, pairs, input_ids, labels }) => {
      const conversation = conversationOf(sample, pairs.flat());
      const ours = tokenizeConversation(conversation, publishedTemplate(style)!, await tokenizer(name), {
        visualTokensPerImage: 1,
      });
      const expected = input_ids.map((id) => (id === IMAGE_TOKEN ? -1 : id));
      expect([...ours.inputIds]).toEqual(expected);
      expect([...ours.labels]).toEqual(labels);
    },
  );

  const broken = conversationOf('sample-7', ['Say it.', 'USER: a ASSISTANT: b'], {});

  it('do not add up where an answer holds the mark: an error that names the sample', async () => {
    const llama = await tokenizer('llama_legacy');
    expect(() => publishedLabels(broken, 'vicuna_v1', llama)).toThrow(
      expect.objectContaining({
        name: 'CollationError',
        sampleId: 'sample-7',
        message: expect.stringMatching(/\(sample-7\): expected rounds that add up to the \d+ tokens .*, received 1\. /),
      }),
    );
    const trained = tokenizeConversation(broken, 'vicuna_v1', llama, { visualTokensPerImage: 1 });
    expect(llama.decode(trained.labels.filter((label) => label >= 0))).toBe('USER: a ASSISTANT: b</s>');
  });

  it('or, as published, nothing of the sample is trained', async () => {
    const { inputIds, labels } = publishedLabels(broken, 'vicuna_v1', await tokenizer('llama_legacy'), {
      onMismatch: 'mask',
    });
    expect(inputIds.length).toBeGreaterThan(20);
    expect(new Set(labels)).toEqual(new Set([-100]));
  });

  it("of ConvLLaVA need a tokenizer that is not legacy; LLaVA's take either", async () => {
    const two = conversationOf('two', ['hello', 'yes', 'there', 'no']);
    const [legacy, current] = [await tokenizer('llama_legacy'), await tokenizer('llama_new')];
    const rule = 'convllava_v1';
    expect(publishedLabels(two, 'vicuna_v1', current, { rule })).toEqual(publishedLabels(two, 'vicuna_v1', current));
    expect(publishedLabels(two, 'vicuna_v1', legacy).labels.some((label) => label >= 0)).toBe(true);
    expect(() => publishedLabels(two, 'vicuna_v1', legacy, { rule })).toThrow(CollationError);
  });

  it('are not counted out where a text was cut', async () => {
    const llama = await tokenizer('llama_legacy');
    const text = conversationOf('long', ['hello there', 'the end of the line']);
    const whole = publishedLabels(text, 'vicuna_v1', llama);
    const maximumLength = whole.inputIds.length - 3;
    const cut = publishedLabels(text, 'vicuna_v1', llama, { maximumLength });
    expect(cut.inputIds).toEqual(whole.inputIds.slice(0, maximumLength));
    expect(cut.labels).toEqual(whole.labels.slice(0, maximumLength));
  });

  it('train all marks of LLaMA-3 in LLaVA-NeXT, but not its empty lines', async () => {
    const llama = await tokenizer('llama3');
    const { inputIds, labels } = publishedLabels(conversationOf('one', ['hello', 'yes']), 'llava_llama_3', llama);
    expect(inputIds[0]).toBe(llama.bosTokenId);
    expect(inputIds[1]).toBe(llama.tokenToId('<|start_header_id|>'));
    const trained = inputIds.filter((_, position) => labels[position] !== -100);
    expect(llama.decode(trained)).toBe(
      '<|begin_of_text|><|start_header_id|><|end_header_id|><|eot_id|><|start_header_id|><|end_header_id|><|eot_id|>' +
        '<|start_header_id|>assistant<|end_header_id|>\n\nyes<|eot_id|>',
    );
  });

  it('need a rule', async () => {
    const llama = await tokenizer('llama_legacy');
    const sample = conversationOf('one', ['hello', 'yes']);
    expect(() => publishedLabels(sample, 'honeybee_default', llama)).toThrow(
      /\(one\): expected a rule among vicuna_v1, .*, received none for the template honeybee_default/,
    );
    expect(() => publishedLabels(sample, 'vicuna_v1', llama, { rule: 'v7' as never })).toThrow(/received "v7"/);
  });
});

import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { tokenizeConversation } from '../../src/collate/tokenize-conversation.js';
import type { TemplateName } from '../../src/conversation/template.js';
import { loadTokenizer } from '../../src/tokenizer/tokenizer.js';

const root = fileURLToPath(new URL('../fixtures/backbones/tokenizers/', import.meta.url));
const conversation = {
  id: 'sample-1',
  images: [],
  turns: [
    { role: 'user', text: 'hello' },
    { role: 'assistant', text: 'yes' },
  ],
} as const;

async function tokens(template: TemplateName, tokenizer: string) {
  const loaded = await loadTokenizer(`${root}${tokenizer}`);
  const { inputIds, labels } = tokenizeConversation(conversation, template, loaded, { visualTokensPerImage: 1 });
  return { inputIds: [...inputIds], trained: loaded.decode(labels.filter((label) => label >= 0)), loaded };
}

describe('tokenizeConversation', () => {
  it("begins with the tokenizer's bos, the template's, or both", async () => {
    const bos = async (template: TemplateName, tokenizer: string) => {
      const { inputIds, loaded } = await tokens(template, tokenizer);
      return inputIds.filter((id) => id === loaded.bosTokenId).length;
    };
    expect(await bos('vicuna_v1', 'llama_legacy')).toBe(1);
    expect(await bos('internlm2', 'llama_legacy')).toBe(1);
    expect(await bos('llava_llama_3', 'llama3')).toBe(1);
    expect(await bos('llama3', 'llama3')).toBe(2);
  });

  it('trains marks wherever they stand where the template says so', async () => {
    expect((await tokens('qwen_1_5', 'qwen2')).trained).toBe(
      '<|im_start|>\n<|im_end|>\n<|im_start|>\n<|im_end|>\n<|im_start|>assistant\nyes<|im_end|>\n',
    );
    expect((await tokens('chatml_direct', 'qwen2')).trained).toBe('yes<|im_end|>');
    expect((await tokens('llama3', 'llama3')).trained).toBe('yes<|eot_id|>');
  });

  it('names the sample whose marks are no single tokens', async () => {
    await expect(tokens('qwen_1_5', 'llama_legacy')).rejects.toThrow(
      /sample-1.*expected one token for "<\|im_start\|>".*received 1\d\. Use the tokenizer/,
    );
  });
});

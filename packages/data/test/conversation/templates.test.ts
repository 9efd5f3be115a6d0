import { describe, expect, it } from 'vitest';
import type { Conversation } from '../../src/conversation/conversation.js';
import { collapseImages, moveImageToFront } from '../../src/conversation/place-images.js';
import { renderConversation } from '../../src/conversation/render.js';
import { segmentsToText } from '../../src/conversation/segment.js';
import { answerStop } from '../../src/conversation/stop.js';
import { strip } from '../../src/conversation/strip.js';
import { conversationTemplateSchema, TEMPLATES, type TemplateName } from '../../src/conversation/template.js';

const dialogue: Conversation = {
  id: 'sample-1',
  images: ['0.png'],
  turns: [
    { role: 'user', text: 'What is it?\n<image>' },
    { role: 'assistant', text: ' A kite.\n' },
    { role: 'user', text: 'Why?' },
    { role: 'assistant', text: 'Wind.' },
  ],
};

const trainedText = (template: TemplateName) =>
  renderConversation(dialogue, template).flatMap((segment) =>
    segment.kind === 'text' && segment.trained ? [segment.text] : [],
  );

describe('templates', () => {
  it.each(Object.entries(TEMPLATES))('are valid and named by their keys: %s', (name, template) => {
    expect(conversationTemplateSchema.parse(template)).toEqual(template);
    expect(template.name).toBe(name);
  });

  it("train Qwen's headers with the answers behind them, and no question", () => {
    expect(renderConversation(dialogue, 'qwen_1_5')).toEqual([
      {
        kind: 'text',
        text: '<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n',
        trained: false,
        continues: false,
      },
      { kind: 'image', image: 0, trained: false },
      { kind: 'text', text: '\nWhat is it?<|im_end|>\n', trained: false, continues: false },
      { kind: 'text', text: '<|im_start|>assistant\n A kite.\n<|im_end|>\n', trained: true, continues: true },
      { kind: 'text', text: '<|im_start|>user\nWhy?<|im_end|>\n', trained: false, continues: true },
      { kind: 'text', text: '<|im_start|>assistant\nWind.<|im_end|>\n', trained: true, continues: true },
    ]);
  });

  it('train what the others train', () => {
    expect(trainedText('internlm2')).toEqual([' A kite.\n<|im_end|>\n', 'Wind.<|im_end|>\n']);
    expect(trainedText('llama3')).toEqual([' A kite.\n<|eot_id|>', 'Wind.<|eot_id|>']);
    expect(trainedText('llava_llama_2')).toEqual(['  A kite.\n ', ' Wind. ']);
    const header = '<|start_header_id|>assistant<|end_header_id|>\n\n';
    // LLaMA-3 drops white space around texts.
    expect(trainedText('llava_llama_3')).toEqual([`${header}A kite.<|eot_id|>`, `${header}Wind.<|eot_id|>`]);
  });

  it('begin as the model expects', () => {
    const start = (template: TemplateName, system?: string) => {
      const turns = [...(system === undefined ? [] : [{ role: 'system' as const, text: system }]), ...dialogue.turns];
      return segmentsToText(renderConversation({ ...dialogue, turns }, template)).slice(0, 90);
    };
    expect(start('internlm2')).toMatch(/^<s><\|im_start\|>user\n<image>/);
    expect(start('internlm2', 'Hi.')).toMatch(/^<s><\|im_start\|>system\nHi\.<\|im_end\|>\n<\|im_start\|>user\n/);
    expect(start('mistral_instruct')).toMatch(/^\[INST\] <image>\nWhat is it\? \[\/INST\]/);
    expect(start('mistral_instruct', 'Hi.')).toMatch(/^\[INST\] <<SYS>>\nHi\.\n<<\/SYS>>\n\n<image>/);
    expect(start('llama3')).toMatch(/^<\|begin_of_text\|><\|start_header_id\|>system<\|end_header_id\|>\n\nA chat/);
  });

  it('open a turn after which the assistant speaks', () => {
    const end = (template: TemplateName) =>
      segmentsToText(renderConversation(dialogue, template, { purpose: 'generation' })).slice(-60);
    expect(end('qwen_2_5')).toMatch(/<\|im_end\|>\n<\|im_start\|>assistant\n$/);
    expect(end('llava_llama_2')).toMatch(/<\/s><s>\[INST\] Why\? \[\/INST\]$/);
    expect(end('llava_llama_3')).toMatch(/<\|start_header_id\|>assistant<\|end_header_id\|>\n\n$/);
    expect(end('v0')).toMatch(/###Human: Why\?###Assistant:$/);
  });
});

describe('images in a text', () => {
  it('go in front of it: the only one, or one for all', () => {
    expect(moveImageToFront(' What <image> is it? ')).toBe('<image>\nWhat  is it?');
    expect(moveImageToFront('<image> and more ')).toBe('<image> and more ');
    expect(moveImageToFront('a <image> and <image>')).toBe('a <image> and <image>');
    expect(collapseImages('a <image> and <image>')).toBe('<image>\na  and');
    expect(collapseImages('<image>\n')).toBe('<image>');
    expect(collapseImages(' none ')).toBe(' none ');
  });

  it('lose the white space that Python strips', () => {
    expect(strip('\u0085\u001f \ttext\u3000\n')).toBe('text');
    expect(strip('\uFEFFtext\u200b')).toBe('\uFEFFtext\u200b');
  });
});

describe('what ends an answer', () => {
  const tokenizer = (tokens: Readonly<Record<string, number>>, eosTokenId?: number) => ({
    eosTokenId,
    tokenToId: (token: string) => tokens[token],
  });

  it('is the end of sequence and the marks of the template, as tokens where there are such', () => {
    expect(answerStop('vicuna_v1', tokenizer({}, 2))).toEqual({ tokenIds: [2], strings: [] });
    expect(answerStop('qwen_1_5', tokenizer({ '<|im_end|>': 9 }, 7))).toEqual({ tokenIds: [7, 9], strings: [] });
    expect(answerStop('qwen_1_5', tokenizer({ '<|im_end|>': 9 }, 9))).toEqual({ tokenIds: [9], strings: [] });
    expect(answerStop('v0', tokenizer({}, 2))).toEqual({ tokenIds: [2], strings: ['###'] });
    expect(answerStop('chatml_direct', tokenizer({}))).toEqual({ tokenIds: [], strings: ['<|im_end|>'] });
  });
});

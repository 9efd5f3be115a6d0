import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Conversation, Turn } from '../../src/conversation/conversation.js';
import { segmentHoneybeePrompt } from '../../src/conversation/honeybee-prompt.js';
import { renderConversation } from '../../src/conversation/render.js';
import { segmentsToText } from '../../src/conversation/segment.js';
import { type ConversationTemplate, getTemplate, TEMPLATES } from '../../src/conversation/template.js';

function conversation(pairs: readonly (readonly [string, string | null])[], images = 0, system?: string): Conversation {
  const turns: Turn[] = system === undefined ? [] : [{ role: 'system', text: system }];
  for (const [question, answer] of pairs) {
    turns.push({ role: 'user', text: question });
    if (answer !== null) turns.push({ role: 'assistant', text: answer });
  }
  return { id: 'sample-1', images: Array.from({ length: images }, (_, index) => `${index}.png`), turns };
}

function fixture<T>(path: string): T {
  return JSON.parse(readFileSync(new URL(`../fixtures/${path}`, import.meta.url), 'utf8')) as T;
}

const HONEYBEE = TEMPLATES.honeybee_default.system;

describe('honeybee_default', () => {
  it('gives the image a turn of its own and trains the answers with their ends', () => {
    const sample = conversation(
      [
        ['<image>\nWhat is it?', 'A kite.'],
        ['Why?', 'Wind.'],
      ],
      1,
    );
    expect(renderConversation(sample, 'honeybee_default')).toEqual([
      { kind: 'text', text: HONEYBEE, trained: false, continues: false },
      { kind: 'text', text: '\nHuman: ', trained: false, continues: false },
      { kind: 'image', image: 0, trained: false },
      { kind: 'text', text: '\nHuman: ', trained: false, continues: false },
      { kind: 'text', text: 'What is it?', trained: false, continues: false },
      { kind: 'text', text: '\nAI: ', trained: false, continues: false },
      { kind: 'text', text: 'A kite.', trained: true, continues: false },
      { kind: 'end', trained: true },
      { kind: 'text', text: '\nHuman: ', trained: false, continues: false },
      { kind: 'text', text: 'Why?', trained: false, continues: false },
      { kind: 'text', text: '\nAI: ', trained: false, continues: false },
      { kind: 'text', text: 'Wind.', trained: true, continues: false },
      { kind: 'end', trained: true },
    ]);
  });

  it('does not train marks that are spelled out inside a question', () => {
    const sample = conversation([['Say\nAI: now', 'no\nHuman: here']]);
    const trained = renderConversation(sample, 'honeybee_default').filter((segment) => segment.trained);
    expect(trained).toEqual([
      { kind: 'text', text: 'no\nHuman: here', trained: true, continues: false },
      { kind: 'end', trained: true },
    ]);
  });

  interface TemplateCase {
    readonly dataset: string;
    readonly patterns: readonly { readonly input: string; readonly target: string }[] | null;
    readonly texts?: readonly {
      readonly pattern: number;
      readonly examples: readonly Record<string, string>[];
      readonly image: boolean;
      readonly text: string;
    }[];
  }

  it('renders every question template of the reference byte for byte', () => {
    const fill = (pattern: string, values: Record<string, string>) =>
      pattern.replace(/\{(\w+)\}/g, (whole, key: string) => values[key] ?? whole);
    let compared = 0;
    for (const { patterns, texts } of fixture<{ datasets: TemplateCase[] }>('honeybee/templates.json').datasets) {
      for (const { pattern, examples, image, text } of texts ?? []) {
        const { input, target } = patterns![pattern]!;
        // Patterns without input are captions; empty targets belong to prompts for generation.
        if (input === '' || target === '') continue;
        const pairs = examples.map(
          (example, index) =>
            [(image && index === 0 ? '<image>\n' : '') + fill(input, example), fill(target, example)] as const,
        );
        const rendered = renderConversation(conversation(pairs, image ? 1 : 0), 'honeybee_default');
        expect(segmentsToText(rendered, { endOfSequence: '' })).toBe(text);
        compared++;
      }
    }
    expect(compared).toBe(76);
  });

  it('renders the instruction data of the reference, with images before and after the question', () => {
    interface Item {
      readonly cls: string;
      readonly config: { readonly as_instruct?: boolean };
      readonly raw: readonly { readonly conversations: readonly { readonly value: string }[] }[];
      readonly items: readonly { readonly text: string }[];
    }
    const { datasets } = fixture<{ datasets: Item[] }>('honeybee/conversations.json');
    const llava = datasets.find((item) => item.cls === 'LLaVAInstructDataset' && item.config.as_instruct)!;
    for (const [index, { conversations }] of llava.raw.entries()) {
      const values = conversations.map((turn) => turn.value);
      const pairs = values.flatMap((value, turn) => (turn % 2 === 0 ? [[value, values[turn + 1]!] as const] : []));
      const images = values.some((value) => value.includes('<image>')) ? 1 : 0;
      const rendered = renderConversation(conversation(pairs, images), 'honeybee_instruction');
      expect(segmentsToText(rendered, { endOfSequence: '' })).toBe(llava.items[index]!.text);
    }
    expect(llava.raw).toHaveLength(3);
  });

  it('agrees with cutting the rendered text at its marks', () => {
    const sample = conversation(
      [
        ['<image>\nLeft <image> or right?\n<image>', 'right'],
        ['Sure?', 'yes\nand again'],
      ],
      3,
    );
    const rendered = renderConversation(sample, 'honeybee_default');
    const text = segmentsToText(rendered, { endOfSequence: '' });
    expect(text).toBe(
      `${HONEYBEE}\nHuman: <image>\nHuman: Left <image> or right?\nHuman: <image>\nAI: right\nHuman: Sure?\nAI: yes\nand again`,
    );
    expect(segmentHoneybeePrompt(text)).toEqual(rendered);
  });
});

describe('vicuna_v1', () => {
  it('joins what is not trained and trains answers with their ends', () => {
    const sample = conversation(
      [
        ['What is it?\n<image>', 'A kite.'],
        ['Why?', 'Wind.'],
      ],
      1,
    );
    expect(renderConversation(sample, 'vicuna_v1')).toEqual([
      { kind: 'text', text: `${TEMPLATES.vicuna_v1.system} USER: `, trained: false, continues: false },
      { kind: 'image', image: 0, trained: false },
      { kind: 'text', text: '\nWhat is it? ASSISTANT:', trained: false, continues: false },
      { kind: 'text', text: ' A kite.', trained: true, continues: true },
      { kind: 'end', trained: true },
      { kind: 'text', text: 'USER: Why? ASSISTANT:', trained: false, continues: true },
      { kind: 'text', text: ' Wind.', trained: true, continues: true },
      { kind: 'end', trained: true },
    ]);
  });

  interface ChatCase {
    readonly turns: { readonly pairs: readonly (readonly [string, string | null])[]; readonly system?: string };
    readonly rendered: Record<string, string>;
  }

  it('renders the conversations of the reference byte for byte, open or complete', () => {
    const { conversations } = fixture<{ conversations: ChatCase[] }>('backbones/chat_templates.json');
    let open = 0;
    for (const { turns, rendered } of conversations) {
      const images = turns.pairs.reduce((sum, [question]) => sum + question.split('<image>').length - 1, 0);
      const purpose = turns.pairs.at(-1)![1] === null ? 'generation' : 'training';
      if (purpose === 'generation') open++;
      const segments = renderConversation(conversation(turns.pairs, images), 'vicuna_v1', { purpose });
      expect(segmentsToText(segments)).toBe(rendered.vicuna_v1);
    }
    expect(conversations).toHaveLength(5);
    expect(open).toBeGreaterThan(0);
    expect(open).toBeLessThan(5);
  });

  it('leaves several markers of a turn where they are', () => {
    const segments = renderConversation(conversation([['the <image> and the <image>', 'yes']], 2), 'vicuna_v1');
    expect(segmentsToText(segments)).toContain('USER: the <image> and the <image> ASSISTANT: yes</s>');
  });

  it('takes the system turn of the conversation instead of its own', () => {
    const segments = renderConversation(conversation([['Hello', 'Hi']], 0, 'Be brief.'), 'vicuna_v1');
    expect(segmentsToText(segments)).toBe('Be brief. USER: Hello ASSISTANT: Hi</s>');
  });
});

describe('captions', () => {
  const sample = conversation([['<image>\nDescribe it.', 'a red kite']], 1);

  it('are an image, a caption and an end', () => {
    expect(renderConversation(sample, 'plain')).toEqual([
      { kind: 'image', image: 0, trained: false },
      { kind: 'text', text: 'a red kite', trained: true, continues: false },
      { kind: 'end', trained: true },
    ]);
    expect(segmentHoneybeePrompt('[NO_PROMPT] <image> a red kite')).toEqual(renderConversation(sample, 'plain'));
  });

  it("end with a newline in LLaVA's alignment stage", () => {
    expect(renderConversation(sample, 'llava_plain')).toEqual([
      { kind: 'image', image: 0, trained: false },
      { kind: 'text', text: 'a red kite\n', trained: true, continues: false },
    ]);
  });

  it('are prompted by the image alone', () => {
    expect(renderConversation(sample, 'plain', { purpose: 'generation' })).toEqual([
      { kind: 'image', image: 0, trained: false },
    ]);
  });

  it('need an image and a single answer', () => {
    expect(() => renderConversation(conversation([['Describe.', 'a kite']]), 'plain')).toThrow(/sample-1.*0 images/);
    const two = conversation(
      [
        ['<image>', 'a'],
        ['more', 'b'],
      ],
      1,
    );
    expect(() => renderConversation(two, 'plain')).toThrow(/1 images and 4 turns/);
  });
});

describe('a prompt for generation', () => {
  it('ends with the open turn and drops the known answer', () => {
    const sample = conversation(
      [
        ['<image>\nWhat?', 'A kite.'],
        ['Why?', 'Wind.'],
      ],
      1,
    );
    const honeybee = renderConversation(sample, 'honeybee_default', { purpose: 'generation' });
    expect(segmentsToText(honeybee)).toBe(
      `${HONEYBEE}\nHuman: <image>\nHuman: What?\nAI: A kite.</s>\nHuman: Why?\nAI: `,
    );
    const open = conversation([['Why?', null]]);
    expect(segmentsToText(renderConversation(open, 'vicuna_v1', { purpose: 'generation' }))).toMatch(
      /USER: Why\? ASSISTANT:$/,
    );
    expect(() => renderConversation(open, 'vicuna_v1')).toThrow(/sample-1.*answer to the last question/);
  });
});

describe('getTemplate', () => {
  it('lists the valid names for an unknown one', () => {
    expect(() => getTemplate('vicuna' as never)).toThrow(/one of honeybee_default, .*received "vicuna"/);
    expect(() => getTemplate('toString' as never)).toThrow(/honeybee_default/);
  });

  it('takes a template of the user', () => {
    const chatml: ConversationTemplate = {
      ...TEMPLATES.vicuna_v1,
      name: 'chatml',
      system: '',
      userPrefix: '<|im_start|>user\n',
      userSuffix: '<|im_end|>\n',
      assistantPrefix: '<|im_start|>assistant\n',
      answerPrefix: '',
      answerSuffix: '<|im_end|>\n',
      endOfSequence: false,
    };
    expect(segmentsToText(renderConversation(conversation([['Hi', 'Hello']]), chatml))).toBe(
      '<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello<|im_end|>\n',
    );
  });
});

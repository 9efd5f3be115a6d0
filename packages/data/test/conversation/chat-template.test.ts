import { describe, expect, it } from 'vitest';
import { renderChatTemplate } from '../../src/conversation/chat-template.js';
import { ConversationError } from '../../src/conversation/conversation-error.js';

const messages = [
  { role: 'user', content: ' Hi ' },
  { role: 'assistant', content: 'Hello <b>"you"</b>' },
];

describe('a Jinja chat template', () => {
  it('loses the newline behind a block and the white space in front of one', () => {
    const template =
      '{% for m in messages %}\n  {%- if m.role == "user" %}\n[{{ m.content | trim }}]\n  {% endif %}\n{% endfor %}\nend';
    expect(renderChatTemplate(template, messages)).toBe('[Hi]\nend');
  });

  it('is given special tokens, variables, and whether the assistant is to speak', () => {
    const template =
      '{{ bos_token }}{% if add_generation_prompt %}go{% endif %}{{ tools | length if tools else "none" }}';
    expect(renderChatTemplate(template, [])).toBe('none');
    expect(
      renderChatTemplate(template, [], {
        addGenerationPrompt: true,
        specialTokens: { bos_token: '<s>' },
        variables: { tools: [1, 2] },
      }),
    ).toBe('<s>go2');
  });

  it('writes JSON without HTML entities', () => {
    expect(renderChatTemplate('{{ messages[1].content | tojson }}', messages)).toBe('"Hello <b>\\"you\\"</b>"');
  });

  it('counts, breaks and goes on', () => {
    const template =
      '{% for i in range(5) %}{% if i == 1 %}{% continue %}{% elif i == 3 %}{% break %}{% endif %}{{ i }}{% endfor %}|{{ range(6, 0, -2) | join(",") }}';
    expect(renderChatTemplate(template, [])).toBe('02|6,4,2');
    expect(() => renderChatTemplate('{{ range(100000000) | length }}', [])).toThrow(/range of 100000000 numbers/);
  });

  it('is told the time in English', () => {
    const now = new Date(Date.UTC(2024, 2, 5, 14, 7, 9));
    const template = '{{ strftime_now("%d %b %Y, %A %B %I:%M:%S %p %H %y %a 100%% %Q") }}';
    expect(renderChatTemplate(template, [], { now })).toBe('05 Mar 2024, Tuesday March 02:07:09 PM 14 24 Tue 100% %Q');
  });

  it('may refuse the messages', () => {
    const template =
      "{% if messages[0].role != 'system' %}{{ raise_exception('a system turn comes first') }}{% endif %}";
    expect(() => renderChatTemplate(template, messages)).toThrow(ConversationError);
    expect(() => renderChatTemplate(template, messages)).toThrow(
      /received a system turn comes first\. Check the order/,
    );
  });

  it('that does not parse, or asks for what is not there, is an error with the reason', () => {
    expect(() => renderChatTemplate('{% for m in %}', messages)).toThrow(ConversationError);
    expect(() => renderChatTemplate('{{ unknown_function() }}', messages)).toThrow(ConversationError);
  });
});

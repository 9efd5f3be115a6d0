import { ConfigError } from '@ocelli/core-tensor';
import { describe, expect, it } from 'vitest';
import { moaiAnswerText, moaiPrompt, readMoaiAnswer, readMoaiDemoAnswer, tokenizeMoaiPrompt } from '../../src/index.js';

const tokenize = (text: string) =>
  text.split(/(<image>)| /).flatMap((piece) => (piece ? [piece === '<image>' ? 99 : piece.length] : []));

describe('prompts', () => {
  it('end their answers as the model was trained to', () => {
    expect(moaiAnswerText('two dogs')).toBe(' two dogs[UNUSED_TOKEN_145]</s>');
    expect(readMoaiAnswer(`assistant\n${moaiAnswerText('two dogs')}`)).toBe('two dogs');
  });

  it('are not part of an answer, but of what the demonstration prints', () => {
    const decoded = 'system <image> [UNUSED_TOKEN_146]user\nQ';
    expect(readMoaiAnswer(decoded)).toBe('system <image> ');
    expect(readMoaiDemoAnswer(decoded)).toBe('system <image> ');
    expect(readMoaiDemoAnswer('an answer')).toBe('an answer');
  });

  it('are those of the training, or of the demonstration', () => {
    expect(moaiPrompt('Why?').turn).toBe(
      ' [UNUSED_TOKEN_146]user\nWhy?[UNUSED_TOKEN_145]\n[UNUSED_TOKEN_146]assistant\n',
    );
    expect(moaiPrompt('Why?', 'demo').turn).toBe(' USER: Why? ASSISTANT:');
    expect(moaiPrompt('Why?', 'demo').system).toBe(moaiPrompt('Why?').system);
  });

  it('count the places of the image', () => {
    const { imageMask, systemLength } = tokenizeMoaiPrompt(moaiPrompt('Why?'), tokenize, {
      imageToken: 99,
      imageTokens: 3,
    });
    expect(imageMask.reduce((sum, each) => sum + each, 0)).toBe(3);
    expect([...imageMask.slice(systemLength - 3, systemLength)]).toEqual([1, 1, 1]);
  });

  it('are refused where tokens of parts and whole are not as many, or the image is not at the end', () => {
    const options = { imageToken: 99 };
    const merging = (text: string) => (text.includes('user') && text.includes('<image>') ? [1] : tokenize(text));
    expect(() => tokenizeMoaiPrompt(moaiPrompt('Why?'), merging, options)).toThrow(ConfigError);
    expect(() => tokenizeMoaiPrompt({ system: '<image> first', turn: 'x' }, tokenize, options)).toThrow(ConfigError);
  });
});

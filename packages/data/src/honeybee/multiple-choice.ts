import { posix } from 'node:path';
import { z } from 'zod';
import { strip } from '../conversation/strip.js';
import { annotationError, parseAnnotations, records } from './annotation-error.js';
import type { ImageExample } from './group-examples.js';

const aokvqaSchema = records({
  split: z.string(),
  image_id: z.int(),
  question: z.string(),
  choices: z.array(z.string()).min(1),
  correct_choice_idx: z.int().nonnegative(),
  rationales: z.array(z.string()).optional(),
});

/** A-OKVQA; images are COCO's of 2017. */
export function aokvqaExamples(raw: unknown, imageRoot: string): ImageExample[] {
  return parseAnnotations('A-OKVQA', aokvqaSchema, raw).map((row) => {
    const { split, image_id: image, question, choices, correct_choice_idx: answer, rationales = [] } = row;
    requireChoice('A-OKVQA', choices, answer);
    return [
      posix.join(imageRoot, `${split}2017`, `${String(image).padStart(12, '0')}.jpg`),
      { values: { question, rationale: rationales.join(' ') }, options: { choices, answer } },
    ];
  });
}

const scienceQaSchema = records({
  image: z.string().optional(),
  conversations: z.array(z.looseObject({ value: z.string() })).min(2),
});

/** ScienceQA as LLaVA ships it: question, context and options in one text, lecture, solution and answer in another. */
export function scienceQaExamples(raw: unknown, imageRoot: string): ImageExample[] {
  return parseAnnotations('ScienceQA', scienceQaSchema, raw).map(({ image, conversations: [asked, told] }) => {
    const { question, context, choices } = parseQuestion(asked!.value);
    const { lecture, solution, answer } = parseAnswer(told!.value);
    requireChoice('ScienceQA', choices, answer);
    return [
      image === undefined ? null : posix.join(imageRoot, image),
      { values: { question, context, lecture, solution }, options: { choices, answer } },
    ];
  });
}

function requireChoice(name: string, choices: readonly string[], answer: number): void {
  if (answer in choices) return;
  throw annotationError(name, `an answer among ${choices.length} options`, `option ${answer}`, choices);
}

function parseQuestion(text: string): { question: string; context: string; choices: string[] } {
  const found = /^(.+?)\nContext: (.*?)\nOptions: (.+)/s.exec(text);
  if (found === null) {
    throw annotationError('ScienceQA', 'a question, "Context: " and "Options: "', JSON.stringify(text), text);
  }
  const [, question, context, options] = found as unknown as [string, string, string, string];
  const choices = strip(options.replaceAll('<image>', ''))
    .split(/\([A-Z]\)/)
    .map(strip)
    .filter((choice) => choice !== '');
  return { question, context, choices };
}

const PARTS = /(LECTURE:|SOLUTION:|###\nANSWER:)/;

function parseAnswer(text: string): { lecture: string; solution: string; answer: number } {
  const [, ...pieces] = text.split(PARTS);
  const part = (mark: string): string => pieces[pieces.lastIndexOf(mark) + 1]?.trimStart() ?? '';
  const named = (mark: string): string => (pieces.includes(mark) ? part(mark) : '');
  const letter = named('###\nANSWER:').replace(/\.+$/, '');
  if (!/^[A-Z]$/.test(letter)) {
    throw annotationError('ScienceQA', 'a letter behind "ANSWER:"', JSON.stringify(letter), text);
  }
  return {
    lecture: named('LECTURE:'),
    solution: named('SOLUTION:'),
    answer: letter.charCodeAt(0) - 'A'.charCodeAt(0),
  };
}

import { extname, posix } from 'node:path';
import { z } from 'zod';
import { strip } from '../conversation/strip.js';
import { annotationError, parseAnnotations, records } from './annotation-error.js';
import type { ImageExample } from './group-examples.js';

const id = z.union([z.string(), z.number()]);

const vqaSchema = z.object({
  questions: z.looseObject({
    data_subtype: z.string(),
    questions: records({ question_id: id, image_id: z.int(), question: z.string() }),
  }),
  annotations: z.looseObject({
    data_subtype: z.string(),
    annotations: records({ question_id: id, image_id: z.int(), multiple_choice_answer: z.string() }),
  }),
});

/** VQAv2: questions and, in a file of their own, the most frequent answers; images are COCO's. */
export function vqaExamples(raw: { questions: unknown; annotations: unknown }, imageRoot: string): ImageExample[] {
  const { questions, annotations } = parseAnnotations('VQAv2', vqaSchema, raw);
  if (questions.questions.length !== annotations.annotations.length) {
    const received = `${annotations.annotations.length} answers`;
    throw annotationError('VQAv2', `an answer to each of the ${questions.questions.length} questions`, received);
  }
  return questions.questions.map(({ question_id: question, image_id: image, question: text }, index) => {
    const answer = annotations.annotations[index]!;
    if (answer.question_id !== question || answer.image_id !== image) {
      throw annotationError('VQAv2', `an answer to question ${question}`, `one to ${answer.question_id}`, answer);
    }
    const file = `COCO_${questions.data_subtype}_${String(image).padStart(12, '0')}.jpg`;
    return [posix.join(imageRoot, file), { values: { question: text, answer: answer.multiple_choice_answer } }];
  });
}

const gqaSchema = z.looseObject({
  imageId: z.string(),
  question: z.string(),
  answer: z.string(),
  fullAnswer: z.string().optional(),
});

/** GQA: questions by their ids, in the order of the file. */
export function gqaExamples(raw: Iterable<readonly [string, unknown]>, imageRoot: string): ImageExample[] {
  return Array.from(raw, ([key, value]) => {
    const { imageId, question, answer, fullAnswer = '' } = parseAnnotations(`GQA (${key})`, gqaSchema, value);
    return [posix.join(imageRoot, `${imageId}.jpg`), { values: { question, answer, full_answer: fullAnswer } }];
  });
}

const ocrSchema = z.looseObject({
  imageURL: z.string(),
  split: z.int(),
  questions: z.array(z.string()),
  answers: z.array(z.string()),
});

const OCR_SPLITS = ['train', 'val', 'test'] as const;

/** OCR-VQA: questions about book covers, by the ids of the books in the order of the file. */
export function ocrVqaExamples(
  raw: Iterable<readonly [string, unknown]>,
  imageRoot: string,
  split: (typeof OCR_SPLITS)[number],
): ImageExample[] {
  return Array.from(raw).flatMap(([key, value]): ImageExample[] => {
    const book = parseAnnotations(`OCR-VQA (${key})`, ocrSchema, value);
    if (book.split !== OCR_SPLITS.indexOf(split) + 1) return [];
    const image = posix.join(imageRoot, key + extname(book.imageURL));
    const count = Math.min(book.questions.length, book.answers.length);
    return Array.from({ length: count }, (_, index) => [
      image,
      { values: { question: book.questions[index]!, answer: book.answers[index]! } },
    ]);
  });
}

const vsrSchema = records({
  image_link: z.string(),
  caption: z.string(),
  label: z.union([z.literal(0), z.literal(1)]),
});

/**
 * How a caption becomes a question. `published`: every "is" is taken out, also of words, and put in front: "The island is …"
 * becomes "Is the land …", and "The dogs are …" "Is the dogs are …". Honeybee was trained with that. `corrected`: the first
 * word "is" or "are" goes to the front; what has neither is asked as it is published.
 */
export type QuestionForm = 'published' | 'corrected';

/** VSR: captions that are true or false, made questions. */
export function vsrExamples(raw: unknown, imageRoot: string, form: QuestionForm = 'published'): ImageExample[] {
  return parseAnnotations('VSR', vsrSchema, raw).map(({ image_link: link, caption, label }) => [
    posix.join(imageRoot, link.split('/').slice(-2).join('/')),
    { values: { question: caption, question_interro: asQuestion(caption, form), answer: label === 1 ? 'yes' : 'no' } },
  ]);
}

function asQuestion(caption: string, form: QuestionForm): string {
  const plain = (text: string) => strip(text.toLowerCase().replaceAll('.', '?'));
  const verb = form === 'corrected' ? /\b(?:is|are)\b/i.exec(caption) : null;
  if (verb === null) return `Is ${caption.split('is').map(plain).join(' ')}`;
  const [word] = verb;
  const [subject, rest] = [caption.slice(0, verb.index), caption.slice(verb.index + word.length)].map(plain);
  return `${word.toLowerCase() === 'is' ? 'Is' : 'Are'} ${subject} ${rest}`;
}

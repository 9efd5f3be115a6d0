import { captionScene } from './caption.js';
import type { MicroworldOptions, MicroworldSplit } from './microworld-options.js';
import type { QuestionType } from './question.js';
import type { QuestionedScene } from './question-scenes.js';

/** A turn in LLaVA's conversation format. */
export interface ConversationTurn {
  readonly from: 'human' | 'gpt';
  readonly value: string;
}

/** A sample in LLaVA's conversation format. */
export interface ConversationRecord {
  readonly id: string;
  /** Path of the picture relative to the dataset's directory. */
  readonly image: string;
  readonly conversations: readonly ConversationTurn[];
  /** Type of each question, in the order of the turns. */
  readonly question_types: readonly QuestionType[];
}

/** File name of a scene's picture; scenes are counted from 1. */
export function imageName(index: number): string {
  return `${String(index + 1).padStart(6, '0')}.png`;
}

/** Path of a scene's picture relative to the dataset's directory. */
export function imagePath(split: MicroworldSplit, index: number): string {
  return `images/${split}/${imageName(index)}`;
}

/** Id of a scene's sample. */
export function recordId(split: MicroworldSplit, index: number): string {
  return `${split}-${String(index + 1).padStart(6, '0')}`;
}

/** Answers that are not a word or phrase; the instruction to be short would contradict them. */
const LONG_ANSWERS: readonly QuestionType[] = ['box', 'caption'];

/** A scene's questions as one conversation; the picture comes before the first question. */
export function conversationRecord(
  { questions }: QuestionedScene,
  split: MicroworldSplit,
  index: number,
  { answerInstruction }: Pick<MicroworldOptions, 'answerInstruction'>,
): ConversationRecord {
  return {
    id: recordId(split, index),
    image: imagePath(split, index),
    conversations: questions.flatMap(({ type, text, answer }, turn): ConversationTurn[] => {
      const instruction = answerInstruction === '' || LONG_ANSWERS.includes(type) ? '' : `\n${answerInstruction}`;
      return [
        { from: 'human', value: `${turn === 0 ? '<image>\n' : ''}${text}${instruction}` },
        { from: 'gpt', value: answer },
      ];
    }),
    question_types: questions.map(({ type }) => type),
  };
}

/** A scene's caption in the form of LLaVA's pre-training data: the picture alone, then the caption. */
export function captionRecord({ scene }: QuestionedScene, split: MicroworldSplit, index: number): ConversationRecord {
  return {
    id: recordId(split, index),
    image: imagePath(split, index),
    conversations: [
      { from: 'human', value: '<image>' },
      { from: 'gpt', value: captionScene(scene) },
    ],
    question_types: ['caption'],
  };
}

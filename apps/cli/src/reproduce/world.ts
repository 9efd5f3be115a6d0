import { join, resolve } from 'node:path';
import {
  buildTokenizer,
  type Conversation,
  captionScene,
  createTokenizer,
  generateMicroworld,
  type MicroworldSample,
  microworldHash,
  readMicroworldSplit,
  type Tokenizer,
  type TokenizerFiles,
} from '@ocelli/data';
import type { Question } from '../evaluate/answer-questions.js';
import type { Scale } from '../recipe/schema.js';
import { cacheFolder } from './cache.js';
import type { ReproduceContext } from './context.js';

/** Generated pictures and questions, and a tokenizer for their words. */
export interface World {
  /** Changes with everything that the world is made from. */
  readonly identity: string;
  readonly train: readonly MicroworldSample[];
  readonly test: readonly MicroworldSample[];
  readonly tokenizer: Tokenizer;
  readonly tokenizerFiles: TokenizerFiles;
  /** Conversations in LLaVA's format: the questions of all pictures of a split. */
  readonly files: Readonly<Record<'train' | 'test', string>>;
}

/** What a model is asked for a caption with. */
const captionRequest = 'Describe the image.';

/** Generates the world, or finds the one that was generated before. */
export async function prepareWorld(
  { world: options, vocabularySize }: Scale,
  { reporter, signal }: ReproduceContext,
): Promise<World> {
  const identity = microworldHash(options);
  const directory = join(cacheFolder(), `microworld-${identity.slice(0, 16)}`);
  const { reused } = await generateMicroworld(directory, {
    ...options,
    signal,
    onProgress: ({ done, total }) => reporter.status(`Drawing pictures ${done}/${total}`),
  });
  reporter.line(
    `${reused ? 'Found' : 'Generated'} ${options.scenes.train} training and ${options.scenes.test} test pictures in ${directory}`,
  );
  const [train, test] = await Promise.all([
    readMicroworldSplit(directory, 'train'),
    readMicroworldSplit(directory, 'test'),
  ]);
  const texts = train.flatMap(({ scene, questions }) => [
    captionScene(scene),
    captionRequest,
    ...questions.flatMap(({ text, answer }) => [text, answer]),
  ]);
  const tokenizerFiles = buildTokenizer(texts, { vocabularySize });
  return {
    identity: `${identity}/${vocabularySize}`,
    train,
    test,
    tokenizer: createTokenizer(tokenizerFiles),
    tokenizerFiles,
    files: { train: resolve(directory, 'train.json'), test: resolve(directory, 'test.json') },
  };
}

/** A picture and its caption. */
export function captionConversation({ id, image, scene }: MicroworldSample): Conversation {
  return {
    id,
    images: [image],
    turns: [
      { role: 'user', text: `<image>\n${captionRequest}` },
      { role: 'assistant', text: captionScene(scene) },
    ],
  };
}

/** A picture and all questions about it. */
export function questionConversation({ id, image, questions }: MicroworldSample): Conversation {
  const turns = questions.flatMap(({ text, answer }, turn) => [
    { role: 'user' as const, text: turn === 0 ? `<image>\n${text}` : text },
    { role: 'assistant' as const, text: answer },
  ]);
  return { id, images: [image], turns };
}

/** The questions about a picture, each asked alone. */
export function testQuestions({ id, image, questions }: MicroworldSample): Question[] {
  return questions.map(({ type, text, answer }, turn) => {
    const asked = `${id}#${turn}`;
    const conversation = { id: asked, images: [image], turns: [{ role: 'user' as const, text: `<image>\n${text}` }] };
    return { id: asked, type, text, expected: answer, conversation };
  });
}

/** The caption in words and questions that it answers: what a language model can learn without seeing. */
export function textConversation({ id, scene, questions }: MicroworldSample): Conversation {
  const asked = [{ text: captionRequest, answer: captionScene(scene) }, ...questions];
  const turns = asked.flatMap(({ text, answer }) => [
    { role: 'user' as const, text },
    { role: 'assistant' as const, text: answer },
  ]);
  return { id, images: [], turns };
}

import {
  type Batch,
  buildTokenizer,
  type Conversation,
  collate,
  createTokenizer,
  preprocessImage,
  renderConversation,
  siglipImageProcessor,
  solidImage,
  tokenizeSegments,
} from '@ocelli/data';

const processor = siglipImageProcessor(8);

/** Two pictures of one colour each with two questions, one longer than the other: only the pictures tell the answers. */
const colours = [
  { colour: [220, 20, 20], answer: 'red' },
  { colour: [20, 20, 220], answer: 'blue' },
] as const;
const texts = ['<image>\nWhat colour is this?', '<image>\nWhich is it?'];
const questions = texts.flatMap((text) => colours.map((each) => ({ ...each, text })));

export const answers = questions.map(({ answer }) => answer);

export const tokenizer = createTokenizer(
  buildTokenizer(
    questions.map(({ text, answer }) => `${text} ${answer}`),
    { vocabularySize: 300, minimumFrequency: 1 },
  ),
);

/** All four questions as a batch. */
export function collateQuestions(purpose: 'training' | 'generation', visualTokensPerImage: number): Batch {
  const samples = questions.map(({ colour, text, answer }, index) => {
    const conversation: Conversation = {
      id: `question ${index}`,
      images: [`${index}.png`],
      turns: [
        { role: 'user', text },
        { role: 'assistant', text: answer },
      ],
    };
    const segments = renderConversation(conversation, frame, { purpose });
    const sample = tokenizeSegments(segments, tokenizer, { sampleId: conversation.id, visualTokensPerImage });
    return { ...sample, pixels: [preprocessImage(solidImage({ width: 12, height: 12 }, colour), processor)] };
  });
  return collate(samples, { visualTokensPerImage, padTokenId: tokenizer.padTokenId!, buckets: 4, purpose });
}

const frame = {
  name: 'short',
  system: '',
  systemSuffix: '',
  userPrefix: '\nQ: ',
  userSuffix: '',
  assistantPrefix: '\nA: ',
  answerPrefix: '',
  answerSuffix: '',
  endOfSequence: true,
  images: 'own-turn',
  joined: false,
} as const;

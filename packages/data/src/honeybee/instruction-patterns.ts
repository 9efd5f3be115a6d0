/**
 * How an example becomes a question and its answer. `{name}` stands for a value of the example. Captions, which have no
 * question, are marked by {@link NO_PROMPT}.
 */
export interface InstructionPattern {
  /** Follows the first sentence of the conversation; or {@link NO_PROMPT}. */
  readonly instruction: string;
  readonly input: string;
  /** Empty in evaluation, where the model answers. */
  readonly target: string;
}

export const NO_PROMPT = '[NO_PROMPT]';

const WORD = 'Answer the question using a single word or phrase.';
const LETTER = "Answer with the option's letter from the given choices directly.";
const OPTIONS = '\nThere are several options:\n{option}\n';

const pattern = (input: string, target: string): InstructionPattern => ({ instruction: '', input, target });

const CAPTION = [{ instruction: NO_PROMPT, input: '', target: '{caption}' }] as const;
const ANSWER = [pattern(`${WORD} {question}`, '{answer}')] as const;
const QUESTION = [pattern(`${WORD} {question}`, '')] as const;
const GROUNDING = 'Provide the bounding box coordinate of the region this sentence describes. {phrase}';
const YES_OR_NO = `${WORD} {question_interro} Please answer yes or no.`;
const CONTEXT = `${LETTER} {question}\nContext: {context}${OPTIONS}`;

/** Grounding, and the other way round. */
const region = (input: string) => [pattern(GROUNDING, '{bbox}'), pattern(input, '{phrase}')] as const;

const example = (text: string) => `Example: 'The large blue teddy bear ${text}'`;
const REGION = region('Provide a short description for this region. {bbox}');

/**
 * The patterns of Honeybee's data sets (`honeybee_default`; khanrc/honeybee `pipeline/data_utils/templates/dev.py`). One
 * is drawn for each conversation. In front of the phrase or the region the paper prints a colon (table 13), the code a full
 * stop, as here. Names beginning with `eval-`, `mme` and `mmb` are for evaluation.
 */
export const INSTRUCTION_PATTERNS = {
  coyo100m: CAPTION,
  blip: CAPTION,
  textcaps: CAPTION,
  vqa: ANSWER,
  vgqa: ANSWER,
  okvqa: ANSWER,
  ocrvqa: ANSWER,
  gqa: ANSWER,
  kvqa: ANSWER,
  vsr: [pattern(YES_OR_NO, '{answer}')],
  sqa: [pattern(CONTEXT, '{answer}')],
  aokvqa: [pattern(`${LETTER} {question}${OPTIONS}`, '{answer}')],
  refcoco: region(
    `Provide a description for the region {bbox}, utilizing positional words to refer to objects. ${example('next to the red balloon')}`,
  ),
  refcocop: region(
    `Provide a description for the region {bbox}, focusing on the appearance of objects without using positional words. ${example('holding a red balloon.')}`,
  ),
  refcocog: region(
    `Provide a description for the region {bbox}, using detailed and descriptive expressions to refer to objects. ${example('holding a red balloon with a joyful expression.')}`,
  ),
  vgloc: REGION,
  refexploc: REGION,
  mme: QUESTION,
  mmb: [pattern(`${LETTER} {question}`, '')],
  'eval-vqa': QUESTION,
  'eval-sqa': [pattern(CONTEXT, '')],
  'eval-refexploc': [pattern(GROUNDING, '')],
  'eval-vsr': [pattern(YES_OR_NO, '')],
} as const satisfies Record<string, readonly InstructionPattern[]>;

export type PatternName = keyof typeof INSTRUCTION_PATTERNS;

/**
 * Rounds of question and answer are counted out in the tokens of the whole prompt: the rendered text is cut where an
 * answer ends, each round is tokenized again, and its part up to the answer is masked. The numbers make up for what a
 * round has when it is tokenized alone.
 */
export interface RoundRule {
  readonly kind: 'rounds';
  /** Where the rendered text is cut. */
  readonly separator: string;
  /** Pieces between separators that make the first round; later ones are of `laterPieces`. */
  readonly firstPieces: number;
  readonly laterPieces: number;
  /** The last text of a round that is not trained. */
  readonly answerMark: string;
  /** Tokens in front of the first round. */
  readonly start: number;
  /** Added to the tokens of a round. */
  readonly roundOffset: number;
  /** Added to the tokens of its part up to the answer. */
  readonly instructionOffset: number;
  /**
   * When both are one fewer from the second round on: a word behind a separator has one token fewer than at the start
   * of a text, if the tokenizer is not legacy.
   */
  readonly shorterLater: 'never' | 'always' | 'unless-legacy';
}

/** Messages are tokenized one by one; those of the assistant are trained whole, and some tokens are in all of them. */
export interface MessageRule {
  readonly kind: 'messages';
}

/** An image and its caption: everything but the image is trained. */
export interface CaptionRule {
  readonly kind: 'caption';
}

export type LabelRule = RoundRule | MessageRule | CaptionRule;

const VICUNA = {
  kind: 'rounds',
  separator: '</s>',
  firstPieces: 1,
  laterPieces: 1,
  answerMark: ' ASSISTANT: ',
  start: 1,
  roundOffset: 0,
  // The bos, and the space behind the mark, which is a token of its own only there.
  instructionOffset: -2,
  shorterLater: 'unless-legacy',
} as const satisfies RoundRule;

/** How published training code decides which tokens are trained. */
export const LABEL_RULES = {
  /** LLaVA and Eagle, `preprocess_v1`. */
  vicuna_v1: VICUNA,
  /** ConvLLaVA, `preprocess_v1`: takes every tokenizer for one that is not legacy. */
  convllava_v1: { ...VICUNA, shorterLater: 'always' },
  /** LLaVA, `preprocess_llama_2`. */
  llama_2: { ...VICUNA, answerMark: '[/INST] ', shorterLater: 'never' },
  /** Eagle, `preprocess_llama_3`: the system text and the first two turns are one round. */
  llama3: {
    kind: 'rounds',
    separator: '<|eot_id|>',
    firstPieces: 3,
    laterPieces: 2,
    answerMark: '<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n',
    start: 0,
    // The separator behind the round; the bos stands in the first one alone.
    roundOffset: 1,
    instructionOffset: 0,
    shorterLater: 'always',
  },
  /** LLaVA-NeXT and LLaVA-OV-Manager, `preprocess_qwen` and `preprocess_llama3`. */
  messages: { kind: 'messages' },
  /** `preprocess_plain` of all. */
  plain: { kind: 'caption' },
} as const satisfies Record<string, LabelRule>;

export type LabelRuleName = keyof typeof LABEL_RULES;

import { CollationError } from '../collate/collation-error.js';
import { IGNORE_LABEL } from '../collate/tokenize-segments.js';
import { type Conversation, IMAGE_MARKER } from '../conversation/conversation.js';
import { renderConversation } from '../conversation/render.js';
import { segmentsToText } from '../conversation/segment.js';
import { type ConversationTemplate, getTemplate, type TemplateName } from '../conversation/template.js';
import type { Tokenizer } from '../tokenizer/tokenizer.js';
import { encodeImagePrompt, IMAGE_TOKEN } from './image-prompt.js';
import { LABEL_RULES, type LabelRule, type LabelRuleName, type RoundRule } from './label-rules.js';

/** What {@link publishedLabels} needs of a tokenizer. */
export type LabelTokenizer = Pick<
  Tokenizer,
  'encode' | 'bosTokenId' | 'eosTokenId' | 'padTokenId' | 'unknownTokenId' | 'idToToken' | 'legacy'
>;

export interface PublishedLabelOptions {
  /** Default: the rule that goes with the template. */
  readonly rule?: LabelRuleName | LabelRule;
  /**
   * What happens to a sample whose rounds do not add up to its tokens: `error` (default) names it; `mask` trains none
   * of its tokens, which is what the published code does, with a warning.
   */
  readonly onMismatch?: 'error' | 'mask';
  /** Texts without images are cut to it; a sample this long is not counted out. Default: unlimited. */
  readonly maximumLength?: number;
}

/** The ids of a sample, with {@link IMAGE_TOKEN} where an image is, and what is trained. */
export interface LabelledSample {
  readonly sampleId: string;
  readonly inputIds: Int32Array;
  /** Not shifted; −100 where nothing is trained. */
  readonly labels: Int32Array;
}

/** The rule that the published code of a template uses. */
const RULE_OF_TEMPLATE: Readonly<Record<string, LabelRuleName>> = {
  vicuna_v1: 'vicuna_v1',
  llava_v1: 'vicuna_v1',
  llava_llama_2: 'llama_2',
  mistral_instruct: 'llama_2',
  llama3: 'llama3',
  qwen_1_5: 'messages',
  qwen_2_5: 'messages',
  llava_llama_3: 'messages',
  llava_plain: 'plain',
};

/**
 * The tokens and labels that the published training code makes of a conversation, with its arithmetic. `tokenizeSegments`
 * gives the same ones wherever that arithmetic adds up, and needs none; this is for reproducing what the published
 * models were trained on, samples that were masked by mistake included.
 *
 * @throws CollationError naming the sample, if its rounds do not add up, or no rule goes with the template
 */
export function publishedLabels(
  conversation: Conversation,
  template: TemplateName | ConversationTemplate,
  tokenizer: LabelTokenizer,
  options: PublishedLabelOptions = {},
): LabelledSample {
  const frame = getTemplate(template);
  const rule = ruleOf(frame, options.rule, conversation.id);
  const { ids, labels } = label(rule, conversation, frame, tokenizer, options);
  return { sampleId: conversation.id, inputIds: Int32Array.from(ids), labels: Int32Array.from(labels) };
}

interface Labelled {
  readonly ids: readonly number[];
  readonly labels: readonly number[];
}

function ruleOf(
  { name }: ConversationTemplate,
  given: LabelRuleName | LabelRule | undefined,
  sampleId: string,
): LabelRule {
  const rule = given ?? RULE_OF_TEMPLATE[name];
  if (typeof rule === 'object') return rule;
  if (rule !== undefined && Object.hasOwn(LABEL_RULES, rule)) return LABEL_RULES[rule];
  throw new CollationError({
    operation: `publishedLabels (${sampleId})`,
    expected: `a rule among ${Object.keys(LABEL_RULES).join(', ')}`,
    received: rule === undefined ? `none for the template ${name}` : JSON.stringify(rule),
    remedy: 'pass the rule, or use tokenizeConversation, which needs none',
    sampleId,
    value: rule,
  });
}

function label(
  rule: LabelRule,
  conversation: Conversation,
  frame: ConversationTemplate,
  tokenizer: LabelTokenizer,
  options: PublishedLabelOptions,
): Labelled {
  switch (rule.kind) {
    case 'rounds':
      return labelRounds(rule, conversation, frame, tokenizer, options);
    case 'messages':
      return labelMessages(conversation, frame, tokenizer);
    case 'caption': {
      const ids = encodeImagePrompt(textOf(conversation, frame), tokenizer);
      const masked = encodeImagePrompt(IMAGE_MARKER, tokenizer).length;
      return { ids, labels: ids.map((id, position) => (position < masked ? IGNORE_LABEL : id)) };
    }
  }
}

/** The rendered text, the end of sequence spelled out as the rules look for it. */
function textOf(conversation: Conversation, frame: ConversationTemplate): string {
  return segmentsToText(renderConversation(conversation, frame), { endOfSequence: '</s>' });
}

function labelRounds(
  rule: RoundRule,
  conversation: Conversation,
  frame: ConversationTemplate,
  tokenizer: LabelTokenizer,
  { onMismatch = 'error', maximumLength = Number.POSITIVE_INFINITY }: PublishedLabelOptions,
): Labelled {
  const hasImage = conversation.images.length > 0;
  const encode = (text: string) => (hasImage ? encodeImagePrompt(text, tokenizer) : tokenizer.encode(text));
  const text = textOf(conversation, frame);
  const all = encode(text);
  const ids = hasImage ? all : all.slice(0, maximumLength);
  const labels = [...ids];
  const mask = (start: number, end: number): void => {
    for (let position = Math.max(0, start); position < Math.min(end, labels.length); position++) {
      labels[position] = IGNORE_LABEL;
    }
  };

  let position = rule.start;
  mask(0, position);
  for (const [index, round] of roundsOf(text, rule).entries()) {
    const parts = round.split(rule.answerMark);
    if (parts.length !== 2) break;
    const isShorter = rule.shorterLater === 'always' || (rule.shorterLater === 'unless-legacy' && !tokenizer.legacy);
    const less = index > 0 && isShorter ? 1 : 0;
    const instruction = encode(parts[0]! + rule.answerMark).length + rule.instructionOffset - less;
    mask(position, position + instruction);
    position += encode(round).length + rule.roundOffset - less;
  }
  mask(position, labels.length);

  const padTokenId = tokenizer.padTokenId ?? tokenizer.unknownTokenId;
  const total = ids.filter((id) => id !== padTokenId).length;
  if (position >= maximumLength || position === total) return { ids, labels };
  if (onMismatch === 'mask') return { ids, labels: ids.map(() => IGNORE_LABEL) };
  throw new CollationError({
    operation: `publishedLabels (${conversation.id})`,
    expected: `rounds that add up to the ${total} tokens of the conversation`,
    received: String(position),
    remedy: "use tokenizeConversation, or train nothing of such samples with { onMismatch: 'mask' }",
    sampleId: conversation.id,
    value: conversation,
  });
}

/** The pieces between separators, joined to rounds; an empty round ends them. */
function roundsOf(text: string, { separator, firstPieces, laterPieces }: RoundRule): string[] {
  const pieces = text.split(separator);
  const rounds = [pieces.slice(0, firstPieces).join(separator)];
  for (let start = firstPieces; start < pieces.length; start += laterPieces) {
    rounds.push(pieces.slice(start, start + laterPieces).join(separator));
  }
  const end = rounds.indexOf('');
  return end < 0 ? rounds : rounds.slice(0, end);
}

function labelMessages(conversation: Conversation, frame: ConversationTemplate, tokenizer: LabelTokenizer): Labelled {
  const marks = new Set(
    (frame.trainedMarks ?? []).flatMap((mark) => {
      const encoded = tokenizer.encode(mark, { addSpecialTokens: false });
      return encoded.length === 1 ? encoded : [];
    }),
  );
  const ids: number[] = [];
  const labels: number[] = [];
  for (const segment of renderConversation(conversation, frame)) {
    if (segment.kind === 'image') {
      ids.push(IMAGE_TOKEN);
      labels.push(IGNORE_LABEL);
      continue;
    }
    const encoded =
      segment.kind === 'end' ? [tokenizer.eosTokenId!] : tokenizer.encode(segment.text, { addSpecialTokens: false });
    for (const id of encoded) {
      ids.push(id);
      labels.push(segment.trained || marks.has(id) ? id : IGNORE_LABEL);
    }
  }
  return { ids, labels };
}

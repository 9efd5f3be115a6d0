import { dirname, join } from 'node:path';
import { compareExactly, type Fixture, type ParityChecks, type ParityResult, worstOf } from '@ocelli/core-tensor';
import type { Conversation } from '../conversation/conversation.js';
import { collapseImages, moveImageToFront } from '../conversation/place-images.js';
import { IMAGE_TOKEN } from '../labels/image-prompt.js';
import type { LabelRuleName } from '../labels/label-rules.js';
import { type LabelTokenizer, publishedLabels } from '../labels/published-labels.js';
import { loadTokenizer } from '../tokenizer/tokenizer.js';
import { conversationOf, promptOf, publishedTemplate } from './conversations.js';

interface Expected {
  readonly input_ids: readonly number[];
  readonly labels: readonly number[];
}

function checkLabels(
  conversation: Conversation,
  template: string,
  tokenizer: LabelTokenizer,
  { input_ids, labels }: Expected,
  rule?: LabelRuleName,
): ParityResult {
  const frame = publishedTemplate(template);
  if (frame === undefined) return compareExactly(template, 'a known template', conversation.id);
  const ours = publishedLabels(conversation, frame, tokenizer, { onMismatch: 'mask', ...(rule ? { rule } : {}) });
  return compareExactly(
    { input_ids: [...ours.inputIds], labels: [...ours.labels] },
    { input_ids, labels },
    conversation.id,
  );
}

interface MaskCase extends Expected {
  readonly tokenizer: string;
  readonly style: string;
  readonly sample: string;
  readonly pairs: readonly (readonly [string, string])[];
  readonly has_image: boolean;
}

/** The tokenizers are in folders beside the fixture. */
async function checkLabelMasks({ file, config }: Fixture): Promise<ParityResult> {
  const { cases } = config as { readonly cases: readonly MaskCase[] };
  const results: ParityResult[] = [];
  for (const { tokenizer, style, sample, pairs, has_image: hasImage, ...expected } of cases) {
    const conversation = conversationOf(`${style}, ${tokenizer}, ${sample}`, pairs.flat(), { hasImage });
    const loaded = await loadTokenizer(join(dirname(file), 'tokenizers', tokenizer));
    results.push(checkLabels(conversation, style, loaded, expected));
  }
  return worstOf(results);
}

/** A tokenizer whose tokens are the matches of an expression: a word has as many at the start of a text as elsewhere. */
function pieceTokenizer(options: {
  readonly pattern: RegExp;
  readonly idOf: (piece: string) => number | undefined;
  readonly bos?: number;
  readonly first?: number;
}): LabelTokenizer {
  const { pattern, idOf, bos, first } = options;
  return {
    bosTokenId: bos,
    eosTokenId: idOf('</s>'),
    padTokenId: undefined,
    unknownTokenId: undefined,
    legacy: true,
    idToToken: () => undefined,
    encode: (text, { addSpecialTokens = true } = {}) => [
      ...(addSpecialTokens && bos !== undefined ? [bos] : []),
      ...(first === undefined ? [] : [first]),
      ...(text.match(pattern) ?? []).map((piece) => idOf(piece) ?? Number.NaN),
    ],
  };
}

interface ConvllavaRow extends Expected {
  readonly sample: {
    readonly template: string;
    readonly has_image: boolean;
    readonly conversations: readonly { readonly value: string }[];
  };
  readonly vocab: Readonly<Record<string, number>>;
}

async function checkConvllavaLabels({ config }: Fixture): Promise<ParityResult> {
  const rows = Object.values(config as Record<string, unknown>).find(Array.isArray) as readonly ConvllavaRow[];
  return worstOf(
    rows.map(({ sample: { template, has_image: hasImage, conversations }, vocab, ...expected }, index) => {
      const texts = conversations.map(({ value }) => (hasImage ? collapseImages(value) : value));
      const tokenizer = pieceTokenizer({
        pattern: /<\/s>|\n| ?[^ \n<]+| /g,
        idOf: (piece) => vocab[piece],
        bos: vocab['<s>']!,
        first: vocab['▁']!,
      });
      const rule = template === 'plain' ? 'plain' : 'convllava_v1';
      return checkLabels(conversationOf(`[${index}]`, texts, { hasImage }), template, tokenizer, expected, rule);
    }),
  );
}

interface EagleConfig {
  readonly version: string;
  readonly conversation: readonly (readonly [string, string])[];
  readonly after_preprocess_multimodal: readonly string[];
  readonly prompt: string | null;
  readonly has_image: boolean;
  readonly bos: string;
  readonly piece_regex: string;
  readonly pieces: readonly string[];
}

async function checkEagleLabels(fixture: Fixture): Promise<ParityResult> {
  const { version, conversation, prompt, has_image: hasImage, ...given } = fixture.config as EagleConfig;
  const numbers = (name: string) => Array.from(fixture.tensors.get(`out.${name}`)!.data as BigInt64Array, Number);
  const { after_preprocess_multimodal: placed, bos, pieces } = given;
  const texts = conversation.map(([, text]) => (hasImage ? collapseImages(text) : text));
  const tokenizer = pieceTokenizer({
    pattern: new RegExp(given.piece_regex, 'gs'),
    idOf: (piece) => pieces.indexOf(piece),
    bos: pieces.indexOf(bos),
  });
  const expected = { input_ids: numbers('input_ids'), labels: numbers('labels') };
  return worstOf([
    compareExactly(texts, placed, 'after_preprocess_multimodal'),
    compareExactly(prompt === null ? null : promptOf(version, texts), prompt, 'prompt'),
    checkLabels(conversationOf(version, texts, { hasImage }), version, tokenizer, expected),
  ]);
}

interface ManagerRow {
  readonly conversation: readonly { readonly value: string }[];
  readonly template: string;
  readonly tokens: readonly string[];
  readonly image_positions: readonly number[];
  readonly supervised: readonly number[];
}

async function checkManagerLabels({ config }: Fixture): Promise<ParityResult> {
  const { rows } = config as { readonly rows: readonly ManagerRow[] };
  return worstOf(
    rows.map(({ conversation, template, tokens, image_positions: images, supervised }, index) => {
      const texts = conversation.map(({ value }) => moveImageToFront(value));
      const pieces: string[] = [];
      const tokenizer = pieceTokenizer({
        pattern: /<\|\w+\|>|\n| ?[^ \n<]+| |</g,
        idOf: (piece) => (pieces.includes(piece) ? pieces.indexOf(piece) : pieces.push(piece) - 1),
      });
      const { inputIds, labels } = publishedLabels(
        conversationOf(`[${index}]`, texts),
        publishedTemplate(template)!,
        tokenizer,
      );
      const ids = [...inputIds];
      const computed = {
        tokens: ids.map((id) => (id === IMAGE_TOKEN ? '<image>' : pieces[id])),
        image_positions: ids.flatMap((id, position) => (id === IMAGE_TOKEN ? [position] : [])),
        supervised: ids.map((id, position) => Number(labels[position] === id)),
      };
      return compareExactly(computed, { tokens, image_positions: images, supervised }, `rows[${index}]`);
    }),
  );
}

/** Which tokens of a conversation are trained. */
export const labelChecks: ParityChecks = {
  'backbones/label_masks': checkLabelMasks,
  'convllava/labels': checkConvllavaLabels,
  'eagle/labels': checkEagleLabels,
  'manager/chat_labels': checkManagerLabels,
};

import {
  add,
  cast,
  cumsum,
  dropout,
  Embedding,
  type Initializer,
  initializers,
  LayerNorm,
  Module,
  mul,
  notEqual,
  ShapeError,
  type StreamKey,
  type Tensor,
  tensor,
} from '@ocelli/core-tensor';
import type { RobertaConfig } from './config.js';

/** Tokens by their ids, or embedded already. */
export interface RobertaTokens {
  /** [batch, tokens], int32 or int64. Either these or `inputsEmbeds`. */
  readonly inputIds?: Tensor | undefined;
  /** [batch, tokens, width]. Their positions are counted without regard to padding, which cannot be seen. */
  readonly inputsEmbeds?: Tensor | undefined;
  /** [batch, tokens]. Default: all of type 0. */
  readonly tokenTypeIds?: Tensor | undefined;
  /** [batch, tokens]. Default: as {@link positionsOfIds} counts them. */
  readonly positionIds?: Tensor | undefined;
}

/**
 * Positions of tokens, int32 [batch, tokens]: a padding token has the padding id, the others count up from the number
 * after it. With padding id 1 the first token has position 2. Source: fairseq's `make_positions`.
 *
 * @param ids [batch, tokens]
 */
export function positionsOfIds(ids: Tensor, padTokenId: number): Tensor {
  const isToken = cast(notEqual(ids, padTokenId), 'int32');
  return add(mul(cumsum(isToken, 1), isToken), padTokenId);
}

/** Sums of word, type and position embeddings, normalised. */
export class RobertaEmbeddings extends Module {
  readonly word_embeddings: Embedding;
  readonly position_embeddings: Embedding;
  readonly token_type_embeddings: Embedding;
  readonly LayerNorm: LayerNorm;

  constructor(private readonly config: RobertaConfig) {
    super();
    const { vocabSize, maxPositionEmbeddings, typeVocabSize, hiddenSize, padTokenId, initializerRange } = config;
    const initializer = initializers.normal(0, initializerRange);
    const padded = { paddingIndex: padTokenId, initializer: withZeroRow(initializer, padTokenId) };
    this.word_embeddings = new Embedding(vocabSize, hiddenSize, padded);
    this.position_embeddings = new Embedding(maxPositionEmbeddings, hiddenSize, padded);
    this.token_type_embeddings = new Embedding(typeVocabSize, hiddenSize, { initializer });
    this.LayerNorm = new LayerNorm(hiddenSize, config.layerNormEps);
  }

  /**
   * Tokens → [batch, tokens, width].
   *
   * @throws ShapeError unless the tokens are given once, in a batch, and are no more than there are positions
   */
  forward(tokens: RobertaTokens, dropoutKey?: StreamKey): Tensor {
    const { inputIds, inputsEmbeds, tokenTypeIds, positionIds } = tokens;
    const count = this.requireTokens(tokens);
    const words = inputsEmbeds ?? this.word_embeddings.forward(inputIds!);
    const types = this.token_type_embeddings.forward(tokenTypeIds ?? tensor(new Int32Array(count), [1, count]));
    const places = positionIds ?? this.positions(inputIds, count);
    const sum = add(add(words, types), this.position_embeddings.forward(places)); // [batch, tokens, width]
    return dropout(this.LayerNorm.forward(sum), { rate: this.config.hiddenDropoutProb, key: dropoutKey });
  }

  private positions(inputIds: Tensor | undefined, count: number): Tensor {
    const { padTokenId } = this.config;
    if (inputIds) return positionsOfIds(inputIds, padTokenId);
    return tensor(
      Int32Array.from({ length: count }, (_, index) => padTokenId + 1 + index),
      [1, count],
    );
  }

  /** Number of tokens of a text. */
  private requireTokens({ inputIds, inputsEmbeds }: RobertaTokens): number {
    const { hiddenSize, maxPositionEmbeddings, padTokenId } = this.config;
    const longest = maxPositionEmbeddings - padTokenId - 1;
    const shape = (inputIds ?? inputsEmbeds)?.shape ?? [];
    const fits = inputIds ? shape.length === 2 : shape.length === 3 && shape[2] === hiddenSize;
    if (!fits || (inputIds && inputsEmbeds) || shape[1]! > longest) {
      throw new ShapeError({
        operation: 'Roberta',
        expected: `either inputIds [batch, tokens] or inputsEmbeds [batch, tokens, ${hiddenSize}], of at most ${longest} tokens`,
        received: inputIds && inputsEmbeds ? [inputIds.shape, inputsEmbeds.shape] : [shape],
        ...(fits && shape[1]! > longest ? { remedy: 'Truncate the texts.' } : {}),
      });
    }
    return shape[1]!;
  }
}

/** The initializer of a table whose row for padding starts at zero. */
function withZeroRow(initializer: Initializer, row: number): Initializer {
  return (shape, key) => {
    const [, width] = shape as readonly [number, number];
    return initializer(shape, key).fill(0, row * width, (row + 1) * width);
  };
}

import { ConfigError, concat, equal, gelu, Linear, Module, type Tensor, where } from '@ocelli/core-tensor';
import { createEncoder, type EncoderConfigInput, type VisionEncoder } from '@ocelli/encoders';
import type { LlamaOutput } from '@ocelli/language';
import { type ExpertWeights, MoaiCompressor } from '@ocelli/moai-mixer';
import { createProjector, type Projector } from '@ocelli/projectors';
import { assembleSequences } from '../assemble.js';
import { type MoaiConfig, type MoaiConfigInput, parseMoaiConfig } from './config.js';
import { isSet, MoaiDecoder, type MoaiPassOptions, type MoaiSequence } from './moai-decoder.js';

/** What auxiliary tokens are made of. */
export interface AuxInput {
  /** Ids of the verbalised findings, int32 [batch, any]. */
  readonly ids: Tensor;
  /** Pixels of the panoptic map [batch, 3, height, width]. */
  readonly panopticPixels: Tensor;
}

/** A batch of prompts with one image each, as tensors; see {@link mergeImageTokens}. */
export interface MoaiBatch {
  /** int32 [batch, ids], with an id for the image. */
  readonly inputIds: Tensor;
  /** int32 [batch, length]: rows of concat(text embeddings [batch · ids], visual tokens [batch · tokens]). */
  readonly plan: Tensor;
  /** int32 [batch, length] */
  readonly attentionMask: Tensor;
  /** [batch, length], not 0 at the image's places. */
  readonly imageMask: Tensor;
  /** [batch, length], not 0 at the language's places. Default: all that are neither of the image nor padding. */
  readonly languageMask?: Tensor | undefined;
  /** float32 [batch, 3, height, width] */
  readonly pixelValues: Tensor;
  /** What the external models found; or auxiliary tokens themselves, float32 [batch, any, width]. */
  readonly aux: AuxInput | Tensor;
  /** int32 [batch, length], −100 where nothing is trained. */
  readonly labels?: Tensor | undefined;
}

/** Linear, GELU, linear, named by their places in the published sequence. */
export class MoaiProjector extends Module {
  readonly 0: Linear;
  readonly 2: Linear;

  constructor(visionWidth: number, languageWidth: number) {
    super();
    this[0] = new Linear(visionWidth, languageWidth);
    this[2] = new Linear(languageWidth, languageWidth);
  }

  /** features [batch, tokens, visionWidth] → [batch, tokens, languageWidth] */
  forward(features: Tensor): Tensor {
    return this[2].forward(gelu(this[0].forward(features)));
  }
}

/**
 * MoAI (Lee et al. 2024, "MoAI: Mixture of All Intelligence for Large Language and Vision Models"): a vision tower, a
 * projector and a language model, into some layers of which six experts mix what external vision models found, put into
 * words and compressed. Source: `ByungKwanLee/MoAI`, `moai/arch_moai.py`.
 *
 * Parameters are named `vision.…`, `vision_proj.…`, `moai_compressor.…`, `decoder.…`; `moaiKeyMap` translates the
 * published names.
 */
export class MoaiModel extends Module {
  readonly config: MoaiConfig;
  readonly vision: VisionEncoder;
  readonly vision_proj: MoaiProjector | Projector;
  readonly moai_compressor: MoaiCompressor;
  readonly decoder: MoaiDecoder;

  /**
   * @param parts.vision an encoder in place of the one that the configuration describes
   * @throws ConfigError if a part's configuration is invalid, or the projector does not fit tower or language model
   */
  constructor(config: MoaiConfigInput = {}, { vision }: { readonly vision?: VisionEncoder } = {}) {
    super();
    const parsed = parseMoaiConfig(config);
    const { language, mixers, partialLora, projector } = parsed;
    const width = language.hiddenSize;
    this.vision = vision ?? createEncoder(parsed.vision);
    this.vision_proj = projector ? createProjector(projector) : new MoaiProjector(this.vision.width, width);
    this.moai_compressor = new MoaiCompressor({ ...parsed.compressor, hiddenSize: width });
    this.decoder = new MoaiDecoder({ language, mixers, partialLora });
    this.config = {
      ...parsed,
      vision: this.vision.config as EncoderConfigInput,
      projector: 'config' in this.vision_proj ? this.vision_proj.config : null,
    };
    if ('config' in this.vision_proj) {
      requireWidth('visionWidth', this.vision_proj.config.visionWidth, this.vision.width);
      requireWidth('languageWidth', this.vision_proj.config.languageWidth, width);
    }
  }

  /** Id that stands for the image: the one behind the vocabulary. */
  get imageToken(): number {
    return this.config.language.vocabSize;
  }

  /** Places that an image takes in a sequence. */
  get imageTokens(): number {
    const [rows, columns] = this.vision.featureGrid();
    return 'tokens' in this.vision_proj ? this.vision_proj.tokens(rows * columns) : rows * columns;
  }

  /** pixels [batch, 3, height, width] → visual tokens [batch, tokens, width] */
  encodeImages(pixels: Tensor): Tensor {
    return this.vision_proj.forward(this.vision.features(pixels, { layer: this.config.featureLayer }));
  }

  /** Embeddings of ids; that of the image, which stands for nothing, is any. ids [...] → [..., width] */
  embedText(ids: Tensor): Tensor {
    return this.decoder.language.embed(where(equal(ids, this.imageToken), 0, ids));
  }

  /** Auxiliary tokens [batch, any, width]: words first, then the panoptic map; their order makes no difference. */
  auxTokens({ ids, panopticPixels }: AuxInput): Tensor {
    return concat([this.embedText(ids), this.encodeImages(panopticPixels)], 1);
  }

  /** What the decoder reads: embedded prompts with their images, and compressed auxiliary tokens. */
  sequence({
    inputIds,
    plan,
    imageMask,
    languageMask,
    pixelValues,
    aux,
    attentionMask,
    labels,
  }: MoaiBatch): MoaiSequence {
    const tokens = 'ids' in aux ? this.auxTokens(aux) : aux;
    return {
      inputsEmbeds: assembleSequences(this.embedText(inputIds), this.encodeImages(pixelValues), plan),
      attentionMask: isSet(attentionMask),
      imageMask: isSet(imageMask),
      languageMask: languageMask && isSet(languageMask),
      aux: this.moai_compressor.forward(tokens),
      labels,
    };
  }

  /** Logits [batch, length, vocabulary], and with labels the loss. */
  forward(batch: MoaiBatch, options: MoaiPassOptions = {}): LlamaOutput {
    return this.decoder.forward(this.sequence(batch), options);
  }

  /** Weights of the experts of every layer with a mixer, by its number; `gateTables` averages them. */
  gateWeights(batch: MoaiBatch, options: Omit<MoaiPassOptions, 'onWeights'> = {}): Map<number, ExpertWeights> {
    return this.decoder.gateWeights(this.sequence(batch), options);
  }
}

function requireWidth(field: string, received: number, expected: number): void {
  if (received === expected) return;
  throw new ConfigError({
    operation: 'MoaiModel',
    expected: `projector.${field} of ${expected}, the width of the ${field === 'visionWidth' ? 'vision tower' : 'language model'}`,
    received: String(received),
  });
}

import {
  concat,
  equal,
  foldIn,
  foldStream,
  Module,
  randomKey,
  type Tensor,
  trainingKey,
  where,
} from '@ocelli/core-tensor';
import type { VisionEncoder } from '@ocelli/encoders';
import type { LlamaOutput } from '@ocelli/language';
import { type ExpertWeights, MoaiCompressor } from '@ocelli/moai-mixer';
import type { Projector } from '@ocelli/projectors';
import { assembleSequences } from '../assemble.js';
import { createFittingProjector } from '../projection.js';
import { createVision, type FeatureShape, featureShape, featuresOf, type VisionConfig } from '../vision.js';
import { type MoaiConfig, type MoaiConfigInput, parseMoaiConfig } from './config.js';
import { isSet, MoaiDecoder, type MoaiPassOptions, type MoaiSequence } from './moai-decoder.js';

/** Keeps what the projector draws apart from what others derive from the key of a training step. */
const projectorDropout = foldIn(randomKey('projector dropout'), 'moai').low;

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
  readonly vision_proj: Projector;
  readonly moai_compressor: MoaiCompressor;
  readonly decoder: MoaiDecoder;
  private readonly features: FeatureShape;

  /**
   * @param parts.vision an encoder in place of the one that the configuration describes
   * @throws ConfigError if a part's configuration is invalid, or the projector does not fit tower or language model
   */
  constructor(config: MoaiConfigInput = {}, { vision }: { readonly vision?: VisionEncoder } = {}) {
    super();
    const parsed = parseMoaiConfig(config);
    const { language, mixers, partialLora, projector } = parsed;
    const width = language.hiddenSize;
    this.vision = vision ?? createVision(parsed.vision);
    this.features = vision ? ownShape(vision) : featureShape(this.vision, parsed.featureLayer);
    this.vision_proj = createFittingProjector(projector, {
      operation: 'MoaiModel',
      features: this.features,
      languageWidth: width,
    });
    this.moai_compressor = new MoaiCompressor({ ...parsed.compressor, hiddenSize: width });
    this.decoder = new MoaiDecoder({ language, mixers, partialLora });
    this.config = { ...parsed, vision: this.vision.config as VisionConfig, projector: this.vision_proj.config };
  }

  /** Id that stands for the image: the one behind the vocabulary. */
  get imageToken(): number {
    return this.config.language.vocabSize;
  }

  /** Places that an image takes in a sequence. */
  get imageTokens(): number {
    return this.vision_proj.tokens(this.features.tokens);
  }

  /** pixels [batch, 3, height, width] → visual tokens [batch, tokens, width]; the projector drops in `withTrainingKey` */
  encodeImages(pixels: Tensor): Tensor {
    const key = trainingKey();
    const dropoutKey = key && foldStream(key, projectorDropout);
    return this.vision_proj.forward(featuresOf(this.vision, pixels, this.config.featureLayer), { dropoutKey });
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

/** What an encoder says that it makes of an image, which may have any aspect. */
function ownShape(vision: VisionEncoder): FeatureShape {
  const grid = vision.featureGrid();
  return { tokens: grid[0] * grid[1], width: vision.width, grid };
}

import { ConfigError, initializers, Module, Parameter, type StreamKey, type Tensor } from '@ocelli/core-tensor';
import type { VisionEncoder } from '@ocelli/encoders';
import { Llama } from '@ocelli/language';
import type { Projector } from '@ocelli/projectors';
import { assembleSequences } from './assemble.js';
import type { VisionLanguageBatch } from './batch.js';
import { parseVisionLanguageConfig, type ResolvedVisionLanguageConfig, type VisionLanguageConfig } from './config.js';
import { arrangeGridTokens, type GridTokens } from './grid-tokens.js';
import { createFittingProjector, requireRows } from './projection.js';
import { createVision, type FeatureShape, featureShape, featuresOf, type VisionConfig } from './vision.js';

export interface VisionLanguageOptions {
  /** Drops what the projector's configuration says; without a key nothing is dropped, as in evaluation. */
  readonly dropoutKey?: StreamKey | undefined;
}

/**
 * Vision encoder, projector and language model as one trainable model: features of the images become tokens of the
 * language model and stand in its sequences where the conversations have their images.
 *
 * Parameters are named `vision.…`, `projector.…`, `language.…`, and `imageNewline` where there is one.
 */
export class VisionLanguageModel extends Module {
  readonly vision: VisionEncoder;
  readonly projector: Projector;
  readonly language: Llama;
  /** [language width] The row behind each row of a grid, where the configuration has one. */
  readonly imageNewline: Parameter | undefined;

  /** The configuration with all defaults filled in. */
  readonly config: ResolvedVisionLanguageConfig;
  private readonly patches: number;

  /**
   * @throws ConfigError if a part's configuration is invalid, there is no such feature layer, the projector does not fit
   * the encoder or the language model, or there is a newline and visual tokens are no map
   * @throws ShapeError if the projector does not take as many features as the encoder has
   */
  constructor(config: VisionLanguageConfig) {
    super();
    const { vision, projector, language, featureLayer, imageNewline } = parseVisionLanguageConfig(config);
    const operation = 'VisionLanguageModel';
    this.vision = createVision(vision);
    this.language = new Llama(language);
    const width = this.language.config.hiddenSize;
    const features = shapeOfLayer(this.vision, featureLayer);
    this.projector = createFittingProjector(projector, { operation, features, languageWidth: width });
    if (imageNewline) requireRows(operation, this.projector, features.grid);
    this.imageNewline = imageNewline
      ? new Parameter([width], { initializer: initializers.normal(0, 1 / Math.sqrt(width)) })
      : undefined;
    this.config = {
      vision: this.vision.config as VisionConfig,
      projector: this.projector.config,
      language: this.language.config,
      ...(featureLayer !== undefined && { featureLayer }),
      imageNewline,
    };
    this.patches = features.tokens;
  }

  /** Side in pixels of the images that the encoder is made for. */
  get imageSize(): number {
    return this.vision.imageSize!;
  }

  /** Positions that an image takes in a sequence. */
  get visualTokensPerImage(): number {
    return this.projector.tokens(this.patches);
  }

  /** pixels [images, 3, height, width] → visual tokens [images, tokens, language width] */
  encodeImages(pixels: Tensor, { dropoutKey }: VisionLanguageOptions = {}): Tensor {
    const features = featuresOf(this.vision, pixels, this.config.featureLayer);
    return this.projector.forward(features, { dropoutKey });
  }

  /** Embedded sequences [batch, length, language width] with the visual tokens in their places. */
  embed({ inputIds, plan, pixelValues, grid }: VisionLanguageBatch, options: VisionLanguageOptions = {}): Tensor {
    const text = this.language.embed(inputIds);
    if (pixelValues.shape[0] === 0) return assembleSequences(text, undefined, plan);
    const features = this.encodeImages(pixelValues, options);
    return assembleSequences(text, grid === undefined ? features : this.arrangeGrids(features, grid), plan);
  }

  private arrangeGrids(features: Tensor, grid: GridTokens): Tensor {
    if (this.imageNewline !== undefined) return arrangeGridTokens(features, this.imageNewline, grid);
    throw new ConfigError({
      operation: 'VisionLanguageModel.embed',
      expected: 'a model with imageNewline, as the batch has images cut into tiles',
      received: 'one without',
      remedy: 'Set imageNewline in its configuration, or make batches without a grid.',
    });
  }

  /** Logits [batch, length, vocabulary]. Padding must be on the right: no row sees what comes after it. */
  forward(batch: VisionLanguageBatch, options: VisionLanguageOptions = {}): Tensor {
    return this.language.forward({ inputsEmbeds: this.embed(batch, options) }).logits;
  }

  /** Mean cross-entropy of the next token over the positions that the labels train, a scalar. */
  loss(batch: VisionLanguageBatch, options: VisionLanguageOptions = {}): Tensor {
    const { loss } = this.language.forward({ inputsEmbeds: this.embed(batch, options), labels: batch.labels });
    return loss!;
  }
}

/** What is wrong with a layer is said of the field that names it. */
function shapeOfLayer(vision: VisionEncoder, featureLayer: number | undefined): FeatureShape {
  try {
    return featureShape(vision, featureLayer);
  } catch (error) {
    if (!(error instanceof ConfigError) || featureLayer === undefined) throw error;
    const { expected, received, remedy } = error;
    const operation = 'VisionLanguageModel (featureLayer)';
    throw new ConfigError({ operation, expected, received, remedy, cause: error });
  }
}

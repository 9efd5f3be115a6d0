import { ConfigError, Module, type StreamKey, type Tensor } from '@ocelli/core-tensor';
import { type ClipVisionConfigInput, ClipVisionTower } from '@ocelli/encoders';
import { Llama, type LlamaConfigInput } from '@ocelli/language';
import { createProjector, type Projector, type ProjectorConfigInput } from '@ocelli/projectors';
import { assembleSequences } from './assemble.js';
import type { VisionLanguageBatch } from './batch.js';

/** Structure of a {@link VisionLanguageModel}; plain data. */
export interface VisionLanguageConfig {
  readonly vision: ClipVisionConfigInput;
  readonly projector: ProjectorConfigInput;
  readonly language: LlamaConfigInput;
  /** Hidden state of the tower that the projector gets; 0 is the first block's input. Default: −2, as LLaVA-1.5. */
  readonly featureLayer?: number;
}

export interface VisionLanguageOptions {
  /** Drops what the projector's configuration says; without a key nothing is dropped, as in evaluation. */
  readonly dropoutKey?: StreamKey | undefined;
}

/**
 * Vision tower, projector and language model as one trainable model: features of the images become tokens of the
 * language model and stand in its sequences where the conversations have their images.
 *
 * Parameters are named `vision.…`, `projector.…`, `language.…`.
 */
export class VisionLanguageModel extends Module {
  readonly vision: ClipVisionTower;
  readonly projector: Projector;
  readonly language: Llama;

  /**
   * @throws ConfigError if a part's configuration is invalid, or the projector does not fit the tower or the language
   * model.
   */
  constructor(readonly config: VisionLanguageConfig) {
    super();
    this.vision = new ClipVisionTower(config.vision);
    this.projector = createProjector(config.projector);
    this.language = new Llama(config.language);
    requireWidth('visionWidth', this.projector.config.visionWidth, this.vision.config.hiddenSize);
    requireWidth('languageWidth', this.projector.config.languageWidth, this.language.config.hiddenSize);
    this.visualTokensPerImage; // Fails early where the projector cannot take the tower's grid.
  }

  /** Positions that an image takes in a sequence. */
  get visualTokensPerImage(): number {
    const [rows, columns] = this.vision.patchGrid();
    return this.projector.tokens(rows * columns);
  }

  /** pixels [images, 3, height, width] → visual tokens [images, tokens, language width] */
  encodeImages(pixels: Tensor, { dropoutKey }: VisionLanguageOptions = {}): Tensor {
    const features = this.vision.features(pixels, { layer: this.config.featureLayer ?? -2 });
    return this.projector.forward(features, { dropoutKey });
  }

  /** Embedded sequences [batch, length, language width] with the visual tokens in their places. */
  embed({ inputIds, plan, pixelValues }: VisionLanguageBatch, options: VisionLanguageOptions = {}): Tensor {
    const text = this.language.embed(inputIds);
    const visual = pixelValues.shape[0] === 0 ? undefined : this.encodeImages(pixelValues, options);
    return assembleSequences(text, visual, plan);
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

function requireWidth(field: string, received: number, expected: number): void {
  if (received === expected) return;
  throw new ConfigError({
    operation: 'VisionLanguageModel',
    expected: `projector.${field} of ${expected}, the hidden size of the ${field === 'visionWidth' ? 'vision tower' : 'language model'}`,
    received: String(received),
  });
}

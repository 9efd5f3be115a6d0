import { ConfigError, Module, type Tensor, zeros } from '@ocelli/core-tensor';
import type { FeatureLevel, VisionEncoder } from '@ocelli/encoders';
import { type LlamaOutput, parseLlamaConfig } from '@ocelli/language';
import { createFittingProjector, requireRows } from '../projection.js';
import { createVision, type FeatureShape, type VisionConfig } from '../vision.js';
import type { ManagedVisionLanguageBatch } from './batch.js';
import { type ManagedVisionLanguageConfig, publishedProjector } from './config.js';
import { LevelAlignment } from './level-alignment.js';
import { ManagedDecoder, type ManagedDecoderOptions, type ManagedInput } from './managed-decoder.js';
import type { ManagedBatch } from './plan.js';

const operation = 'ManagedVisionLanguageModel';

/**
 * A vision encoder, a projector, and a language model with managers (LLaVA-OV-Manager; Xu et al. 2025, arXiv 2506.11515).
 * The published tower is SigLIP with 26 of its 27 layers and no pooling head; its output before the final norm is
 * projected. Any encoder with levels does: what its last level is, such as the last stage of a ConvNeXt or the fusion of
 * a mixture, is projected, and the managed ones are brought to its form ({@link LevelAlignment}).
 */
export class ManagedVisionLanguageModel extends Module {
  readonly vision: VisionEncoder;
  readonly alignment: LevelAlignment;
  readonly decoder: ManagedDecoder;
  private readonly last: FeatureShape;

  /**
   * @throws ConfigError if a part's configuration is invalid, the encoder lacks a managed level, levels have no common
   * grid, or the tokens of an image are no square number, or no map although there is a newline
   * @throws ShapeError if the projector does not take as many features as the last level has
   */
  constructor({ vision, projector = publishedProjector, ...rest }: ManagedVisionLanguageConfig) {
    super();
    this.vision = createVision(vision, 'siglip');
    const { imageSize } = this.vision;
    if (imageSize === undefined || !this.vision.levels) throw withoutLevels(this.vision);
    const levels = this.vision.levels(zeros([1, 3, imageSize, imageSize]));
    const { features, grid } = levels.at(-1)!;
    const [, tokens, width] = features.shape as [number, number, number];
    this.last = { tokens, width, grid };
    const fitted = createFittingProjector(projector, {
      operation,
      features: this.last,
      languageWidth: parseLlamaConfig(rest.language).hiddenSize,
    });
    this.decoder = new ManagedDecoder({ ...rest, projector: fitted.config, visionWidth: width });
    const { states } = this.decoder.managers;
    requireLevels(levels, states);
    this.alignment = new LevelAlignment(levels, states);
    if (this.decoder.config.imageNewline) requireRows(operation, fitted, grid);
    requireSquare(this.visualTokensPerImage);
  }

  /** The configuration with all defaults filled in. */
  get config() {
    const { visionWidth: _, ...decoder } = this.decoder.config;
    return { vision: this.vision.config as VisionConfig, ...decoder };
  }

  /** Side in pixels of the tower inputs. */
  get imageSize(): number {
    return this.vision.imageSize!;
  }

  /** Visual tokens of a tower input: a square number. Its root is the `featuresPerSide` of `planManagedBatch`. */
  get visualTokensPerImage(): number {
    return this.decoder.projector.tokens(this.last.tokens);
  }

  /**
   * Images and sequences → logits, and the loss of the labels.
   *
   * @param pixelValues tower inputs of all images, [inputs, 3, height, width]
   */
  forward(pixelValues: Tensor, batch: ManagedBatch, options: ManagedDecoderOptions = {}): LlamaOutput {
    return this.decoder.forward(this.states(pixelValues), batch, options);
  }

  /** Mean cross-entropy of the next token over the positions that the labels train, a scalar. */
  loss({ pixelValues, ...batch }: ManagedVisionLanguageBatch, options: ManagedDecoderOptions = {}): Tensor {
    return this.forward(pixelValues, batch, options).loss!;
  }

  /** What the language model reads of images and sequences, for generating. */
  input(pixelValues: Tensor, batch: ManagedBatch): ManagedInput {
    return this.decoder.input(this.states(pixelValues), batch);
  }

  /** All levels of the encoder, lowest first; those that are managed and the last one are [inputs, features, width]. */
  states(pixelValues: Tensor): readonly Tensor[] {
    return this.alignment.forward(this.vision.levels!(pixelValues));
  }
}

function withoutLevels({ config: { type } }: VisionEncoder): ConfigError {
  return new ConfigError({
    operation,
    expected: 'an encoder of images with levels to manage',
    received: `${type}, which has ${type === 'onnx' ? 'one output' : 'none'}`,
    remedy: `Take another encoder${type === 'onnx' ? ', or this one in a mixture, whose levels are its encoders' : ''}.`,
  });
}

function requireLevels(levels: readonly FeatureLevel[], managed: readonly number[]): void {
  const missing = managed.filter((index) => index >= levels.length);
  if (missing.length > 0) {
    throw new ConfigError({
      operation: `${operation} (managers.select)`,
      expected: `levels of the encoder, which are 0 to ${levels.length - 1}`,
      received: `${managed.join(', ')}`,
      remedy: 'Set start and end of managers.select so.',
    });
  }
  const { grid } = levels.at(-1)!;
  const other = managed.find((index) => levels[index]!.grid.join() !== grid.join());
  if (other === undefined || grid[0] === grid[1]) return;
  throw new ConfigError({
    operation,
    expected: 'a last level that is a square map, which the others can be resized to',
    received: `${grid.join(' × ')} beside ${levels[other]!.grid.join(' × ')} of level ${other}`,
    remedy: 'Take a fusion that keeps maps, such as channel-concat.',
  });
}

function requireSquare(tokens: number): void {
  if (Number.isInteger(Math.sqrt(tokens))) return;
  throw new ConfigError({
    operation,
    expected: 'a square number of visual tokens of an image',
    received: String(tokens),
    remedy: 'Choose outputTokens of the projector so, and no endTokens.',
  });
}

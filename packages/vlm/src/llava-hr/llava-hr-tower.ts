import { ConfigError, Module, type Tensor } from '@ocelli/core-tensor';
import {
  ConvNextTower,
  type FeatureLevel,
  type FeatureOptions,
  HighResolutionClipTower,
  type VisionEncoder,
} from '@ocelli/encoders';
import { LlavaHrFusion, MixtureOfResolutionAdapter, tokensToMap } from '@ocelli/projectors';
import { resizePixels } from '../mixture/expert.js';
import { type LlavaHrTowerConfig, type LlavaHrTowerConfigInput, parseLlavaHrTowerConfig } from './config.js';

/**
 * LLaVA-HR's tower (Luo et al. 2024, "Feast Your Eyes: Mixture-of-Resolution Adaptation for Multimodal Large Language
 * Models", §3; `multipath_encoder_wapper.py`): a ConvNeXt sees the images at high resolution once, and what it sees is
 * added to the tokens of a CLIP behind each of the first three quarters of its layers, and at the end. Eagle's fusion
 * `LLaVA-HR` (Shi et al. 2024, §2.4). Parameters are named as there, but for ConvNeXt ({@link llavaHrKeyMap}).
 */
export class LlavaHrTower extends Module implements VisionEncoder {
  readonly config: LlavaHrTowerConfig;
  readonly fast_vision_tower: HighResolutionClipTower;
  readonly slow_vision_tower: { readonly vision_tower: ConvNextTower };
  readonly align_stages_latent: readonly MixtureOfResolutionAdapter[];
  readonly align_stages: readonly [LlavaHrFusion];

  /** @throws ConfigError that names every unknown or invalid field */
  constructor(config: LlavaHrTowerConfigInput = {}) {
    super();
    this.config = parseLlavaHrTowerConfig(config);
    const { fast, slow, adapters, imageSize } = this.config;
    this.slow_vision_tower = { vision_tower: new ConvNextTower(slow) };
    const stride = slow.patchSize * 2 ** (slow.depths.length - 1);
    const inputSize = Math.max(Math.floor(imageSize / stride) * fast.patchSize, fast.imageSize);
    this.fast_vision_tower = new HighResolutionClipTower({ vision: fast, inputSize });
    const widths = [fast.hiddenSize, this.slow_vision_tower.vision_tower.width] as const;
    this.align_stages_latent = adapters ? [1, 2, 3].map(() => new MixtureOfResolutionAdapter(...widths)) : [];
    this.align_stages = [new LlavaHrFusion({ widths })];
  }

  get width(): number {
    return this.config.fast.hiddenSize;
  }

  get imageSize(): number {
    return this.config.imageSize;
  }

  /**
   * pixels [batch, 3, height, width] → [batch, patches, width]. The slow path takes the pixels as they are, the fast one
   * at the size whose grid is the slow path's, or at its own if that is larger.
   *
   * @throws ConfigError if a layer is chosen
   * @throws ShapeError if the grids of the paths do not divide one another
   */
  features(pixels: Tensor, { layer }: FeatureOptions = {}): Tensor {
    if (layer !== undefined) {
      throw new ConfigError({
        operation: 'LlavaHrTower.features',
        expected: 'no layer: the paths meet behind the last ones',
        received: String(layer),
        remedy: 'Leave it out.',
      });
    }
    return this.combine(this.embed(pixels), pixels);
  }

  /** Hidden states of the fast path with what the slow one adds to them, and what both give at the end. */
  levels(pixels: Tensor): FeatureLevel[] {
    const grid = this.featureGrid();
    return this.states(this.embed(pixels), pixels).map((features) => ({ features, grid }));
  }

  /** embedded patches [batch, side², width] of the fast path, without class token, and the slow path's pixels → same */
  combine(embedded: Tensor, pixels: Tensor): Tensor {
    return this.states(embedded, pixels).at(-1)!;
  }

  /** The fast path's patches, embedded: [batch, side², width]. */
  private embed(pixels: Tensor): Tensor {
    const { embeddings } = this.fast_vision_tower.vision_tower.vision_model;
    const small = resizePixels(pixels, this.fast_vision_tower.config.inputSize);
    return embeddings.forward(small, { classToken: false, antialias: true });
  }

  private states(embedded: Tensor, pixels: Tensor): Tensor[] {
    const { pre_layrnorm, encoder } = this.fast_vision_tower.vision_tower.vision_model;
    const slow = this.slow_vision_tower.vision_tower.forward(pixels).stages.at(-1)!;
    const quarter = encoder.layers.length / 4;
    const side = Math.sqrt(embedded.shape[1]!);
    const states = [pre_layrnorm.forward(embedded)];
    for (const [index, block] of encoder.layers.entries()) {
      const output = block.forward(states[index]!);
      const adapter = (index + 1) % quarter === 0 ? this.align_stages_latent[(index + 1) / quarter - 1] : undefined;
      states.push(adapter ? adapter.forward(tokensToMap(output, [side, side]), slow) : output);
    }
    return [...states, this.align_stages[0].fuse([tokensToMap(states.at(-1)!, [side, side]), slow])];
  }

  /** The same for all images, as they are resized. */
  featureGrid(): [rows: number, columns: number] {
    return this.fast_vision_tower.featureGrid();
  }
}

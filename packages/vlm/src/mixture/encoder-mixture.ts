import { ConfigError, Module, type Tensor } from '@ocelli/core-tensor';
import type { EncoderConfig, FeatureLevel, FeatureOptions, VisionEncoder } from '@ocelli/encoders';
import { createFusion, type Fusion, type FusionConfigInput, mapToTokens } from '@ocelli/projectors';
import { type EncoderMixtureConfig, type EncoderMixtureConfigInput, parseMixtureParts } from './config.js';
import { createExpert, type Expert } from './expert.js';

/**
 * Several encoders that see the same images, and a fusion of their maps, as one encoder (Shi et al. 2024, "Eagle:
 * Exploring The Design Space for Multimodal LLMs with Mixture of Encoders", §2). Each gets the normalised pixels at its
 * own size. Any encoder and any fusion go together as far as the fusion takes their grids.
 *
 * Parameters are named `vision_towers.{i}.vision_tower.…` as in Eagle's tower, and `fusion.…`, so that
 * `freeze('vision_towers.2')` freezes the third encoder alone.
 */
export class EncoderMixture extends Module implements VisionEncoder {
  readonly config: EncoderMixtureConfig;
  readonly vision_towers: readonly (VisionEncoder | { readonly vision_tower: VisionEncoder })[];
  readonly fusion: Fusion;
  private readonly experts: readonly Expert[];

  /**
   * @throws ConfigError if a part's configuration is invalid
   * @throws ShapeError if the grids of the encoders do not fit the fusion
   */
  constructor(config: EncoderMixtureConfigInput) {
    super();
    const parts = parseMixtureParts(config);
    this.experts = parts.encoders.map(createExpert);
    // Two encoders hold what they wrap under this name themselves.
    this.vision_towers = this.experts.map(({ encoder }) =>
      'vision_tower' in encoder ? encoder : { vision_tower: encoder },
    );
    const widths = this.experts.map(({ width }) => width);
    this.fusion = createFusion({ widths, ...parts.fusion } as FusionConfigInput);
    this.config = {
      type: 'mixture',
      encoders: this.experts.map(({ encoder }, index) => ({
        encoder: encoder.config as EncoderConfig,
        pyramid: parts.encoders[index]!.pyramid,
      })),
      fusion: this.fusion.config,
      imageSize: parts.imageSize,
    };
  }

  get width(): number {
    return this.fusion.width;
  }

  get imageSize(): number {
    return this.config.imageSize;
  }

  /**
   * pixels [batch, 3, height, width] → tokens of the fusion, [batch, rows · columns, width]
   *
   * @throws ConfigError if a layer is chosen
   * @throws ShapeError if the encoders do not take the pixels, or their maps do not go together
   */
  features(pixels: Tensor, { layer }: FeatureOptions = {}): Tensor {
    if (layer !== undefined) {
      throw new ConfigError({
        operation: 'EncoderMixture.features',
        expected: 'no layer: every encoder gives the features that its system takes',
        received: String(layer),
        remedy: 'Leave it out.',
      });
    }
    return this.fusion.fuse(this.featureMaps(pixels));
  }

  /** What each encoder sees, before the fusion, and what the fusion makes of it. */
  levels(pixels: Tensor): FeatureLevel[] {
    const maps = this.featureMaps(pixels);
    const own = maps.map((map, index) => ({ features: mapToTokens(map), grid: this.experts[index]!.grid }));
    return [...own, { features: this.fusion.fuse(maps), grid: this.featureGrid() }];
  }

  /** What each encoder sees, before the fusion: [batch, width, rows, columns] each. */
  featureMaps(pixels: Tensor): Tensor[] {
    return this.experts.map((expert) => expert.map(pixels));
  }

  /** The same for all images, as every encoder resizes them. */
  featureGrid(): [rows: number, columns: number] {
    const [rows, columns] = this.fusion.grid(this.experts.map(({ grid }) => grid));
    return [rows, columns];
  }
}

import {
  ConfigError,
  foldStream,
  type Initializer,
  initializers,
  LayerNorm,
  Linear,
  Module,
  notEqual,
  Parameter,
  type StreamKey,
  type Tensor,
} from '@ocelli/core-tensor';
import { type ClipVisionConfig, ClipVisionTower, Roberta, type RobertaConfig } from '@ocelli/encoders';
import {
  BridgeFusion,
  type BridgeFusionConfig,
  ClassificationHead,
  ContrastiveHead,
  type FusionInputs,
  type FusionOutput,
  ImageTextMatchingHead,
  LayerGate,
  ManagerFusion,
  type ManagerFusionConfig,
  MaskedLanguageModelHead,
  MeterFusion,
  type MeterFusionConfig,
  RankingHead,
} from '@ocelli/manager';
import { parseTwoTowerConfig, type TwoTowerConfig, type TwoTowerHeads } from './config.js';

/** Texts and images, pair by pair. */
export interface TwoTowerInputs {
  /** [batch, tokens], int32 or int64 */
  readonly inputIds: Tensor;
  /** 0 where padded: [batch, tokens]. Default: where the padding id is. */
  readonly attentionMask?: Tensor | undefined;
  /** [batch, 3, height, width]; one image stands for all texts. */
  readonly pixelValues: Tensor;
  /** Row of the token types for the image: 2 for the second image of a pair. Default: 1. */
  readonly imageTokenType?: number | undefined;
}

export interface TwoTowerOptions {
  /** Drops what the configurations say, and makes managers explore; without a key neither, as in evaluation. */
  readonly trainingKey?: StreamKey | undefined;
}

/** What an encoder gives the fusion, and the contrastive heads. */
export interface TowerStates {
  /** Topmost layers, projected to the fusion's width, bottom to top: each [batch, tokens, width]. */
  readonly levels: readonly Tensor[];
  /** The last layer as it is, [batch, tokens, tower width]. */
  readonly last: Tensor;
}

/** What combines the towers. */
type Fusion = ManagerFusion | BridgeFusion | MeterFusion;

/**
 * Text encoder, vision encoder, and cross-modal layers on top of both: ManagerTower (Xu et al. 2023, arXiv 2306.00103),
 * BridgeTower or METER, with heads for its tasks.
 *
 * Every managed layer of the vision tower passes the tower's final norm, and is projected; those of the text encoder
 * are projected as they are. Source: ManagerTower `src/modules/mt_module.py`, `bt_module.py`, `meter_module.py`.
 */
export class TwoTowerModel extends Module {
  readonly text: Roberta;
  readonly vision: ClipVisionTower;
  readonly cross_modal_text_transform: Linear;
  readonly cross_modal_image_transform: Linear;
  readonly fusion: Fusion;
  /** A norm for each layer of the vision encoder, where they share none. */
  readonly ln_separate: readonly LayerNorm[] | undefined;
  readonly text_gate: LayerGate | undefined;
  readonly image_gate: LayerGate | undefined;
  readonly mlm_score: MaskedLanguageModelHead | undefined;
  readonly itm_score: ImageTextMatchingHead | undefined;
  readonly cross_modal_itc_text_head: ContrastiveHead | undefined;
  readonly cross_modal_itc_image_head: ContrastiveHead | undefined;
  readonly temperature: Parameter | undefined;
  readonly vqa_classifier: ClassificationHead | undefined;
  readonly snli_classifier: ClassificationHead | undefined;
  readonly nlvr2_classifier: ClassificationHead | undefined;
  readonly rank_output: RankingHead | undefined;

  /** The configuration with all defaults filled in. */
  readonly config: {
    readonly text: RobertaConfig;
    readonly vision: ClipVisionConfig;
    readonly fusion: ManagerFusionConfig | BridgeFusionConfig | MeterFusionConfig;
    readonly visionNorms: 'shared' | 'separate';
    readonly heads: TwoTowerHeads;
  };

  /** @throws ConfigError if a part's configuration is invalid, or more layers are managed than a tower has */
  constructor(config: TwoTowerConfig = {}) {
    super();
    const { text, vision, fusion, visionNorms, heads } = parseTwoTowerConfig(config);
    this.text = new Roberta(text);
    this.vision = new ClipVisionTower(vision);
    const layers = {
      textLayers: this.text.config.numHiddenLayers,
      imageLayers: this.vision.config.numHiddenLayers,
    };
    this.fusion = createFusion(fusion, layers);
    requireLevels(this.fusion, layers);
    const { hiddenSize: visionWidth, layerNormEps } = this.vision.config;
    this.ln_separate =
      visionNorms === 'separate'
        ? Array.from({ length: layers.imageLayers }, () => new LayerNorm(visionWidth, layerNormEps))
        : undefined;
    const gated = this.fusion.config.type === 'meter' && this.fusion.config.layerGates;
    const gate = (width: number) => (gated ? new LayerGate(width, this.fusion.config.initializerRange) : undefined);
    this.text_gate = gate(this.text.config.hiddenSize);
    this.image_gate = gate(visionWidth);
    const { hiddenSize, initializerRange, tokenTypes } = this.fusion.config;
    const initializer = initializers.normal(0, initializerRange);
    this.cross_modal_text_transform = new Linear(this.text.config.hiddenSize, hiddenSize, { initializer });
    this.cross_modal_image_transform = new Linear(this.vision.config.hiddenSize, hiddenSize, { initializer });

    const pooled = 2 * hiddenSize;
    const hidden = ({ layers, hiddenScale }: { readonly layers: 1 | 2; readonly hiddenScale: number }) =>
      layers === 1 ? undefined : Math.floor(pooled * hiddenScale);
    const { imageTextContrast: itc, visualQuestionAnswering: vqa, visualEntailment, visualReasoning } = heads;
    this.mlm_score = heads.maskedLanguageModel && new MaskedLanguageModelHead(hiddenSize, this.text.config.vocabSize);
    this.itm_score = heads.imageTextMatching && new ImageTextMatchingHead(hiddenSize);
    this.cross_modal_itc_text_head = itc && new ContrastiveHead(this.text.config.hiddenSize, itc.outputs);
    this.cross_modal_itc_image_head = itc && new ContrastiveHead(this.vision.config.hiddenSize, itc.outputs);
    const start: Initializer = () => Float32Array.of(itc?.temperature ?? 1);
    this.temperature = itc && new Parameter([], { initializer: start });
    this.vqa_classifier = vqa && new ClassificationHead(pooled, vqa.classes, { hidden: hidden(vqa) });
    this.snli_classifier =
      visualEntailment &&
      new ClassificationHead(pooled, visualEntailment.classes, { hidden: hidden(visualEntailment) });
    this.nlvr2_classifier =
      visualReasoning &&
      new ClassificationHead(2 * pooled, 2, {
        hidden: hidden(visualReasoning),
        dropout: visualReasoning.dropout,
      });
    this.rank_output = heads.ranking && new RankingHead(hiddenSize);
    if (visualReasoning && tokenTypes < 3) {
      throw new ConfigError({
        operation: 'TwoTowerModel',
        expected: 'fusion.tokenTypes of 3 for visualReasoning: text and two images',
        received: String(tokenTypes),
      });
    }
    this.config = {
      text: this.text.config,
      vision: this.vision.config,
      fusion: this.fusion.config,
      visionNorms,
      heads,
    };
  }

  /** ids [batch, tokens] → the topmost layers */
  encodeText(inputIds: Tensor, attentionMask: Tensor = this.maskOf(inputIds), dropoutKey?: StreamKey): TowerStates {
    const { hiddenStates, lastHiddenState } = this.text.forward({ inputIds, attentionMask }, { dropoutKey });
    // The first state is that of the embeddings.
    const fused = this.text_gate ? [this.text_gate.sum(hiddenStates.slice(1))] : hiddenStates.slice(-this.levels.text);
    return { levels: fused.map((state) => this.cross_modal_text_transform.forward(state)), last: lastHiddenState };
  }

  /** pixels [batch, 3, height, width] → the topmost layers, class token first */
  encodeImage(pixelValues: Tensor): TowerStates {
    const states = this.vision.forward(pixelValues).hiddenStates.slice(1);
    const normalized = states.map((state, layer) => this.visionNorm(layer).forward(state));
    const fused = this.image_gate ? [this.image_gate.sum(normalized)] : normalized.slice(-this.levels.image);
    return {
      levels: fused.map((state) => this.cross_modal_image_transform.forward(state)),
      last: normalized.at(-1)!,
    };
  }

  /** Texts and images → cross-modal states, and what is pooled of them for the heads. */
  forward(inputs: TwoTowerInputs, { trainingKey }: TwoTowerOptions = {}): FusionOutput {
    const key = (use: number) => trainingKey && foldStream(trainingKey, use);
    return this.fusion.forward(this.fusionInputs(inputs, key(0)), { trainingKey: key(1) });
  }

  /**
   * What the fusion gets: both towers' layers. For `levelWeights` of a {@link ManagerFusion} whose managers are
   * adaptive.
   */
  fusionInputs(inputs: TwoTowerInputs, dropoutKey?: StreamKey): FusionInputs {
    const { inputIds, pixelValues, imageTokenType, attentionMask = this.maskOf(inputIds) } = inputs;
    const text = this.encodeText(inputIds, attentionMask, dropoutKey).levels;
    return { text, image: this.encodeImage(pixelValues).levels, textMask: attentionMask, imageTokenType };
  }

  /** 1 where a token is none of padding, bool [batch, tokens]. */
  maskOf(inputIds: Tensor): Tensor {
    return notEqual(inputIds, this.text.config.padTokenId);
  }

  /** What a layer of the vision encoder passes, counted from 0. */
  private visionNorm(layer: number): LayerNorm {
    return this.ln_separate?.[layer] ?? this.vision.vision_model.post_layernorm;
  }

  /** How many layers of each tower the fusion takes. */
  private get levels(): { readonly text: number; readonly image: number } {
    return levelsOf(this.fusion);
  }
}

/** Numbers of layers of both encoders. */
interface TowerLayers {
  readonly textLayers: number;
  readonly imageLayers: number;
}

function createFusion(config: NonNullable<TwoTowerConfig['fusion']>, layers: TowerLayers): Fusion {
  if (config.type === 'bridge') return new BridgeFusion(config);
  return config.type === 'meter' ? new MeterFusion(config) : new ManagerFusion({ ...config, ...layers });
}

function levelsOf({ config }: Fusion): { readonly text: number; readonly image: number } {
  if (config.type === 'manager') return { text: config.managedTextLayers, image: config.managedImageLayers };
  const count = config.type === 'bridge' ? config.numLayers : 1;
  return { text: count, image: count };
}

function requireLevels(fusion: Fusion, { textLayers, imageLayers }: TowerLayers): void {
  const { text, image } = levelsOf(fusion);
  if (text <= textLayers && image <= imageLayers) return;
  throw new ConfigError({
    operation: 'TwoTowerModel',
    expected: `at most ${textLayers} layers of the text encoder and ${imageLayers} of the vision encoder in the fusion`,
    received: `${text} and ${image}`,
    remedy: 'Fuse fewer layers, or use larger towers.',
  });
}

import {
  add,
  broadcastTo,
  Embedding,
  foldStream,
  initializers,
  Module,
  reshape,
  type StreamKey,
  select,
  sliceAxis,
  stack,
  type Tensor,
} from '@ocelli/core-tensor';
import { type LevelWeightTable, weightTable } from '../level-weights.js';
import { type ManagerFusionConfig, type ManagerFusionConfigInput, parseManagerFusionConfig } from './config.js';
import type { CrossModalLayer } from './cross-modal-layer.js';
import { createCrossModalParts, crossModalStep, poolStates } from './cross-modal-parts.js';
import { type FusionInputs, type FusionOptions, type FusionOutput, fusionBatch, type Pooler } from './fusion.js';
import { createManager } from './managers/create-manager.js';
import type { Manager, ManagerInputs } from './managers/manager.js';

/** A manager under the name that its keys begin with. */
interface ManagerPlace {
  readonly manager_layer: Manager;
}

/** What the managers in front of one cross-modal layer get. */
interface LayerInputs {
  readonly text: ManagerInputs;
  readonly image: ManagerInputs;
}

/**
 * ManagerTower's cross-modal part: in front of every cross-modal layer of each modality a manager combines all managed
 * layers of that modality's encoder; then the two blocks look at each other's managed states. Both managers see the
 * outputs of the layer before, and both blocks the manager's output of the other side.
 *
 * Parameters are named as in ManagerTower `src/modules/mt_module.py` (`MTTransformer`), which has them at its root.
 */
export class ManagerFusion extends Module {
  readonly config: ManagerFusionConfig;
  readonly token_type_embeddings: Embedding;
  readonly layer_embeddings_text: Embedding;
  readonly layer_embeddings_image: Embedding;
  readonly cross_modal_text_layers: readonly CrossModalLayer[];
  readonly cross_modal_image_layers: readonly CrossModalLayer[];
  readonly cross_modal_text_manager_tower: readonly ManagerPlace[];
  readonly cross_modal_image_manager_tower: readonly ManagerPlace[];
  readonly cross_modal_text_pooler: Pooler;
  readonly cross_modal_image_pooler: Pooler;

  /** @throws ConfigError that names every unknown or invalid field */
  constructor(config: ManagerFusionConfigInput = {}) {
    super();
    this.config = parseManagerFusionConfig(config);
    ({
      token_type_embeddings: this.token_type_embeddings,
      cross_modal_text_layers: this.cross_modal_text_layers,
      cross_modal_image_layers: this.cross_modal_image_layers,
      cross_modal_text_pooler: this.cross_modal_text_pooler,
      cross_modal_image_pooler: this.cross_modal_image_pooler,
    } = createCrossModalParts(this.config));
    const { hiddenSize, textLayers, imageLayers, initializerRange } = this.config;
    const table = (rows: number) =>
      new Embedding(rows, hiddenSize, { initializer: initializers.normal(0, initializerRange) });
    this.layer_embeddings_text = table(textLayers);
    this.layer_embeddings_image = table(imageLayers);
    this.cross_modal_text_manager_tower = this.createManagers(this.config.managedTextLayers);
    this.cross_modal_image_manager_tower = this.createManagers(this.config.managedImageLayers);
  }

  /**
   * Layers of both encoders → cross-modal states.
   *
   * @throws ShapeError if there are other numbers of layers than are managed, or shapes do not fit
   */
  forward(inputs: FusionInputs, options: FusionOptions = {}): FusionOutput {
    return this.run(inputs, options).output;
  }

  /**
   * The weights of all managers as tables, `text` and `image`. Those of adaptive managers follow from what they see:
   * means over the given samples. Static managers need no inputs.
   *
   * @throws ConfigError without inputs, where weights depend on them
   */
  async levelWeights(inputs?: FusionInputs): Promise<{ text: LevelWeightTable; image: LevelWeightTable }> {
    const seen = inputs && this.run(inputs, {}).seen;
    const { textLayers, imageLayers, managedTextLayers, managedImageLayers, numLayers, manager } = this.config;
    const tableOf = async (name: 'text' | 'image', places: readonly ManagerPlace[], count: number, managed: number) => {
      const rows = await Promise.all(
        places.map(async ({ manager_layer }, layer) => ({
          layer,
          weights: await manager_layer.levelWeights(seen?.[layer]?.[name]),
        })),
      );
      const levelNames = Array.from({ length: managed }, (_, index) => `${count - managed + 1 + index}`);
      const isAll = manager.type === 'static';
      const previousNames = isAll ? Array.from({ length: numLayers - 1 }, (_, index) => `C${index + 1}`) : ['C'];
      return weightTable(name, rows, { levelNames, previousNames: numLayers === 1 ? [] : previousNames });
    };
    return {
      text: await tableOf('text', this.cross_modal_text_manager_tower, textLayers, managedTextLayers),
      image: await tableOf('image', this.cross_modal_image_manager_tower, imageLayers, managedImageLayers),
    };
  }

  private createManagers(levels: number): ManagerPlace[] {
    const { hiddenSize, numLayers, initializerRange, manager } = this.config;
    const { explorationNoise, ...choices } = manager;
    return Array.from({ length: numLayers }, (_, layerIndex) => {
      const isAdaptive = layerIndex > 0 && !manager.type.startsWith('static');
      return {
        manager_layer: createManager({
          ...choices,
          explorationNoise: explorationNoise === 'all' || (explorationNoise === 'adaptive' && isAdaptive),
          hiddenSize,
          levels,
          layerIndex,
          initializerRange,
        }),
      };
    });
  }

  private run(inputs: FusionInputs, { trainingKey }: FusionOptions): { output: FusionOutput; seen: LayerInputs[] } {
    const { hiddenSize, numLayers, managedTextLayers, managedImageLayers, tokenTypes } = this.config;
    const sizes = { text: managedTextLayers, image: managedImageLayers, width: hiddenSize, tokenTypes };
    const batch = fusionBatch('ManagerFusion', inputs, sizes);
    const { textMask, imageMask, imageTokenType = 1 } = inputs;
    const text = this.levelsOf(inputs.text, this.layer_embeddings_text, 0, batch);
    const image = this.levelsOf(inputs.image, this.layer_embeddings_image, imageTokenType, batch);
    const outputs = { text: [] as Tensor[], image: [] as Tensor[] };
    const seen: LayerInputs[] = [];
    for (let layer = 0; layer < numLayers; layer++) {
      const key = (use: number): StreamKey | undefined => trainingKey && foldStream(trainingKey, 4 * layer + use);
      const given: LayerInputs = {
        text: {
          levels: text,
          previous: [...outputs.text],
          mask: textMask,
          other: outputs.image.at(-1),
          otherMask: imageMask,
        },
        image: {
          levels: image,
          previous: [...outputs.image],
          mask: imageMask,
          other: outputs.text.at(-1),
          otherMask: textMask,
        },
      };
      seen.push(given);
      const [textManager, imageManager] = [this.cross_modal_text_manager_tower, this.cross_modal_image_manager_tower];
      const managedText = textManager[layer]!.manager_layer.forward(given.text, { noiseKey: key(0) });
      const managedImage = imageManager[layer]!.manager_layer.forward(given.image, { noiseKey: key(1) });
      const managed = { text: managedText, image: managedImage };
      const states = crossModalStep(this, layer, managed, { ...inputs, dropoutKeys: [key(2), key(3)] });
      outputs.text.push(states.text);
      outputs.image.push(states.image);
    }
    return { output: poolStates(this, { text: outputs.text.at(-1)!, image: outputs.image.at(-1)! }), seen };
  }

  /**
   * States with the embeddings of their token type and of their layer. The rows of the layer table count from the
   * encoder's first layer, of which the topmost are managed. → [batch, levels, tokens, width]
   */
  private levelsOf(states: readonly Tensor[], layers: Embedding, tokenType: number, batch: number): Tensor {
    const levels = stack(states, 1);
    const [, count, tokens, width] = levels.shape as [number, number, number, number];
    const rows = layers.weight.shape[0]!;
    const ofLayers = reshape(sliceAxis(layers.weight, 0, rows - count), [1, count, 1, width]);
    const sum = add(add(levels, select(this.token_type_embeddings.weight, 0, tokenType)), ofLayers);
    return broadcastTo(sum, [batch, count, tokens, width]);
  }
}

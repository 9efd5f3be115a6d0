import {
  abs,
  add,
  foldStream,
  initializers,
  Module,
  mean,
  Parameter,
  reshape,
  ShapeError,
  type StreamKey,
  type Tensor,
} from '@ocelli/core-tensor';
import { type LevelWeightTable, weightTable } from '../level-weights.js';
import { AdaptiveResidualManager } from './adaptive-residual-manager.js';
import {
  injectionLayers,
  managedStates,
  parseResidualManagersConfig,
  type ResidualManagersConfig,
  type ResidualManagersConfigInput,
} from './config.js';
import type { ResidualManager, ResidualManagerInputs } from './residual-manager.js';
import { StaticResidualManager } from './static-residual-manager.js';

/** What is managed, laid out like the decoder's sequences. */
export interface ManagedSequence {
  /** [batch, levels, length, width]; zeros wherever no managed visual token is. */
  readonly levels: Tensor;
  /**
   * 1 at tokens of the question, [batch, length]; in a row without question at its managed visual tokens. Needed by the
   * managers that look at it.
   */
  readonly questionMask?: Tensor | undefined;
}

/** Where a decoder calls a hook; the part of its own description of a place that is looked at. */
export interface InjectionPlace {
  /** Layers count from 0. */
  readonly layer: number;
}

/** What a decoder takes to be told of its residual stream: fits the hooks of `@ocelli/language`. */
export interface InjectionHooks {
  readonly beforeLayer: (hidden: Tensor, place: InjectionPlace) => Tensor;
}

export interface InjectionOptions {
  /** Draws the jitter of training; without a key there is none, as in evaluation. */
  readonly trainingKey?: StreamKey | undefined;
}

/**
 * Managers in a language model (LLaVA-OV-Manager; Xu et al. 2025, arXiv 2506.11515): in front of some of its layers,
 * a weighted sum of many levels of the vision tower is added to the visual tokens. Parameters are named as in the
 * official `llava_qwen_manager`, below its `model.`; `manager.I` counts the managers, not the layers.
 */
export class ResidualManagers extends Module {
  readonly config: ResidualManagersConfig;
  /** In front of which decoder layers the managers stand. */
  readonly layers: readonly number[];
  readonly manager: readonly ResidualManager[];
  readonly manager_layer_embedding: Parameter;

  /** @throws ConfigError that names every unknown or invalid field */
  constructor(config: ResidualManagersConfigInput = {}) {
    super();
    this.config = parseResidualManagersConfig(config);
    const { type, hiddenSize, firstLeavesOutLast } = this.config;
    const levels = managedStates(this.config).length;
    this.layers = injectionLayers(this.config);
    this.manager = this.layers.map((layer) => {
      // In front of the first layer there is nothing to predict weights from.
      if (layer > 0 && type !== 'static') return new AdaptiveResidualManager({ ...this.config, levels });
      const count = layer === 0 && firstLeavesOutLast ? levels - 1 : levels;
      return new StaticResidualManager({ ...this.config, levels: count });
    });
    this.manager_layer_embedding = new Parameter([levels, hiddenSize], {
      initializer: initializers.normal(0, hiddenSize ** -0.5),
    });
  }

  /** Indices of the managed hidden states of the vision tower; 0 is its patch embedding. */
  get states(): readonly number[] {
    return managedStates(this.config);
  }

  /** Adds the embedding of each level. projected [..., levels, tokens, width] → same */
  embedLevels(projected: Tensor): Tensor {
    const [levels, width] = this.manager_layer_embedding.shape as [number, number];
    return add(projected, reshape(this.manager_layer_embedding, [levels, 1, width]));
  }

  /**
   * The hooks that a decoder calls while it reads a prompt, or a whole sequence in training. Steps of one token behind
   * a prompt pass as they are: their visual tokens are in the cache already.
   */
  hooks(sequence: ManagedSequence, { trainingKey }: InjectionOptions = {}): InjectionHooks {
    return {
      beforeLayer: (hidden, { layer }) => {
        const index = this.layers.indexOf(layer);
        if (index < 0 || hidden.shape[1] === 1) return hidden;
        const jitterKey = trainingKey && foldStream(trainingKey, index);
        return add(hidden, this.manager[index]!.forward(inputsAt(hidden, sequence), { jitterKey }));
      },
    };
  }

  /**
   * Mean absolute weight of each level, over features, tokens and samples; their signs differ by feature. Adaptive
   * managers are asked with what their layer sees: `seen` by decoder layer, as {@link watched} gathers it.
   *
   * @throws ConfigError without it, where weights depend on it
   */
  async levelWeights(seen?: ReadonlyMap<number, ResidualManagerInputs>): Promise<LevelWeightTable> {
    const rows = await Promise.all(
      this.manager.map(async (manager, index) => {
        const layer = this.layers[index]!;
        const means = mean(abs(manager.weights(seen?.get(layer))), { axes: [0, 2, 3] });
        return { layer, weights: { levels: Array.from(await means.data(), Number), previous: [] } };
      }),
    );
    return weightTable('vision', rows, { levelNames: this.states.map(String) });
  }

  /** {@link hooks} that also keep what each manager sees, for {@link levelWeights}. */
  watched(sequence: ManagedSequence): InjectionHooks & { readonly seen: Map<number, ResidualManagerInputs> } {
    const seen = new Map<number, ResidualManagerInputs>();
    const { beforeLayer } = this.hooks(sequence);
    return {
      seen,
      beforeLayer: (hidden, place) => {
        if (this.layers.includes(place.layer)) seen.set(place.layer, inputsAt(hidden, sequence));
        return beforeLayer(hidden, place);
      },
    };
  }
}

/** hidden [batch, length, width]. @throws ShapeError if what is managed is laid out for other sequences */
function inputsAt(hidden: Tensor, { levels, questionMask }: ManagedSequence): ResidualManagerInputs {
  const [batch, , length, width] = levels.shape;
  if (hidden.shape[0] !== batch || hidden.shape[1] !== length || hidden.shape[2] !== width) {
    throw new ShapeError({
      operation: 'ResidualManagers',
      expected: `sequences [${batch}, ${length}, ${width}], as the managed levels are laid out for`,
      received: [hidden.shape],
    });
  }
  return { levels, states: hidden, question: hidden, questionMask };
}

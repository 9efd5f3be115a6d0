import {
  concat,
  foldStream,
  gather,
  initializers,
  Module,
  Parameter,
  reshape,
  ShapeError,
  type StreamKey,
  stack,
  type Tensor,
  tile,
  transpose,
  zeros,
} from '@ocelli/core-tensor';
import { Llama, type LlamaConfig, type LlamaOutput } from '@ocelli/language';
import {
  type InjectionHooks,
  type ManagedSequence,
  ResidualManagers,
  type ResidualManagersConfig,
} from '@ocelli/manager';
import type { Projector, ProjectorConfig } from '@ocelli/projectors';
import { assembleSequences } from '../assemble.js';
import { arrangeGridTokens } from '../grid-tokens.js';
import { createFittingProjector } from '../projection.js';
import { type ManagedDecoderConfig, parseManagedDecoderConfig } from './config.js';
import type { ManagedBatch } from './plan.js';

export interface ManagedDecoderOptions {
  /** Draws the managers' jitter, and what the projector drops; without a key there is neither, as in evaluation. */
  readonly trainingKey?: StreamKey | undefined;
}

/** What a language model with managers reads: sequences, and hooks that add to them. */
export interface ManagedInput {
  /** [batch, length, width] */
  readonly inputsEmbeds: Tensor;
  readonly attentionMask: Tensor;
  /** For the pass over the prompt; steps behind it need none. */
  readonly hooks: InjectionHooks;
}

/** Features of one batch in the language model's width. */
interface ProjectedFeatures {
  /** Of the last hidden state, [inputs, features, width]. */
  readonly last: Tensor;
  /** Of the managed ones with their embeddings, [inputs, levels, features, width]. */
  readonly levels: Tensor;
}

/**
 * A language model whose visual tokens managers enrich with lower levels of the vision tower (LLaVA-OV-Manager). One
 * projector serves the last hidden state and all managed ones.
 *
 * Source: LLaVA-OV-Manager `llava/model/llava_arch.py`, `language_model/modeling_qwen2.py`.
 */
export class ManagedDecoder extends Module {
  readonly projector: Projector;
  readonly image_newline: Parameter | undefined;
  readonly managers: ResidualManagers;
  readonly language: Llama;

  /** The configuration with all defaults filled in. */
  readonly config: {
    readonly visionWidth: number;
    readonly language: LlamaConfig;
    readonly projector: ProjectorConfig;
    readonly managers: ResidualManagersConfig;
    readonly imageNewline: boolean;
  };

  /** @throws ConfigError if a part's configuration is invalid */
  constructor(config: ManagedDecoderConfig) {
    super();
    const { visionWidth, language, projector, managers, imageNewline } = parseManagedDecoderConfig(config);
    this.language = new Llama(language);
    const { hiddenSize, numHiddenLayers } = this.language.config;
    this.managers = new ResidualManagers({ ...managers, hiddenSize, languageLayers: numHiddenLayers });
    this.projector = createFittingProjector(projector, {
      operation: 'ManagedDecoder',
      features: { width: visionWidth },
      languageWidth: hiddenSize,
    });
    this.image_newline = imageNewline
      ? new Parameter([hiddenSize], { initializer: initializers.normal(0, hiddenSize ** -0.5) })
      : undefined;
    this.config = {
      visionWidth,
      language: this.language.config,
      projector: this.projector.config,
      managers: this.managers.config,
      imageNewline,
    };
  }

  /**
   * Hidden states of the vision tower and sequences → logits, and the loss of the labels.
   *
   * @param states of the tower, its patch embedding first: each [inputs, features, vision width]
   * @throws ShapeError if there are fewer states than are managed
   */
  forward(states: readonly Tensor[], batch: ManagedBatch, options: ManagedDecoderOptions = {}): LlamaOutput {
    return this.language.forward({ ...this.input(states, batch, options), labels: batch.labels });
  }

  /** What the language model reads, for a forward pass, prefilling or generating. */
  input(states: readonly Tensor[], batch: ManagedBatch, { trainingKey }: ManagedDecoderOptions = {}): ManagedInput {
    const { inputsEmbeds, managed } = this.embed(states, batch, { trainingKey });
    const hooks = this.managers.hooks(managed, { trainingKey });
    return { inputsEmbeds, attentionMask: batch.attentionMask, hooks };
  }

  /** Sequences [batch, length, width], and what the managers see of them. */
  embed(
    states: readonly Tensor[],
    batch: ManagedBatch,
    { trainingKey }: ManagedDecoderOptions = {},
  ): { readonly inputsEmbeds: Tensor; readonly managed: ManagedSequence } {
    const projected = this.project(states, trainingKey);
    const visual = arrangeGridTokens(projected.last, this.newline(1), batch.gridTokens); // [tokens, width]
    return {
      inputsEmbeds: assembleSequences(this.language.embed(batch.inputIds), visual, batch.plan),
      managed: this.sequence(this.levelTokens(projected.levels, batch), batch),
    };
  }

  /** What the managers see, laid out like the sequences. */
  managed(states: readonly Tensor[], batch: ManagedBatch): ManagedSequence {
    return this.sequence(this.levelTokens(this.project(states).levels, batch), batch);
  }

  /**
   * Visual tokens of every level, laid out as those of the last hidden state are: newlines among them without the
   * embedding of a level. → [tokens, levels, width]
   */
  visualLevels(states: readonly Tensor[], batch: ManagedBatch): Tensor {
    return this.levelTokens(this.project(states).levels, batch);
  }

  private sequence(tokens: Tensor, { managedPlan, questionMask }: ManagedBatch): ManagedSequence {
    const [, levels, width] = tokens.shape as [number, number, number];
    const placed = gather(concat([tokens, zeros([1, levels, width])], 0), managedPlan); // [batch, length, levels, width]
    return { levels: transpose(placed, [0, 2, 1, 3]), questionMask };
  }

  /** levels [inputs, levels, features, width] → [tokens, levels, width]: all levels in one gather */
  private levelTokens(levels: Tensor, { gridTokens }: ManagedBatch): Tensor {
    const [inputs, count, features, width] = levels.shape as [number, number, number, number];
    const beside = reshape(transpose(levels, [0, 2, 1, 3]), [inputs, features, count * width]);
    return reshape(arrangeGridTokens(beside, this.newline(count), gridTokens), [-1, count, width]);
  }

  /** The newline so many times, [times · width]. */
  private newline(times: number): Tensor {
    const { hiddenSize } = this.language.config;
    return this.image_newline ? tile(this.image_newline, times, 0) : zeros([times * hiddenSize]);
  }

  private project(states: readonly Tensor[], trainingKey?: StreamKey): ProjectedFeatures {
    const managed = this.managers.states.map((index) => states[index]);
    const last = states.at(-1);
    if (!last || managed.includes(undefined)) {
      throw new ShapeError({
        operation: 'ManagedDecoder',
        expected: `hidden states ${this.managers.states.join(', ')} of the vision tower`,
        received: states.map(({ shape }) => shape),
        remedy: "Pass all of them, the patch embedding first, or change the managers' `select`.",
      });
    }
    const levels = stack(managed as Tensor[], 1);
    const [inputs, count, features, width] = levels.shape as [number, number, number, number];
    // The managers draw from the streams before these.
    const dropoutKey = (use: number) => trainingKey && foldStream(trainingKey, this.managers.layers.length + use);
    const all = reshape(levels, [inputs * count, features, width]);
    const projected = this.projector.forward(all, { dropoutKey: dropoutKey(0) });
    const [, tokens, languageWidth] = projected.shape as [number, number, number];
    return {
      last: this.projector.forward(last, { dropoutKey: dropoutKey(1) }),
      levels: this.managers.embedLevels(reshape(projected, [inputs, count, tokens, languageWidth])),
    };
  }
}

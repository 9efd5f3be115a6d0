import { type KeyMap, type KeyRule, reshaped } from '@ocelli/core-tensor';

/**
 * How a checkpoint names the tower: as Hugging Face's `ConvNextModel`, as timm, as open_clip (timm's names of the image
 * side), as Eagle (timm's, with another name for the layer scale), or as the authors' own code.
 */
export type ConvNextLayoutName = 'huggingFace' | 'timm' | 'openClip' | 'eagle' | 'facebook';

/** Names of layers that have weight and bias: of Hugging Face, which the parameters have too, of timm, of Facebook. */
const layers = [
  ['embeddings.patch_embeddings', 'stem.0', 'downsample_layers.0.0'],
  ['embeddings.layernorm', 'stem.1', 'downsample_layers.0.1'],
  ['encoder.stages.*.downsampling_layer.0', 'stages.*.downsample.0', 'downsample_layers.*.0'],
  ['encoder.stages.*.downsampling_layer.1', 'stages.*.downsample.1', 'downsample_layers.*.1'],
  ['encoder.stages.*.layers.*.dwconv', 'stages.*.blocks.*.conv_dw', 'stages.*.*.dwconv'],
  ['encoder.stages.*.layers.*.layernorm', 'stages.*.blocks.*.norm', 'stages.*.*.norm'],
  ['encoder.stages.*.layers.*.pwconv1', 'stages.*.blocks.*.mlp.fc1', 'stages.*.*.pwconv1'],
  ['encoder.stages.*.layers.*.pwconv2', 'stages.*.blocks.*.mlp.fc2', 'stages.*.*.pwconv2'],
] as const;

const scale = 'encoder.stages.*.layers.*.layer_scale_parameter';

/** Column of {@link layers}, name of the layer scale, usual prefix, and what lies behind the stages, by layout. */
const naming = {
  huggingFace: { column: 0, scale, prefix: '', behind: /^(layernorm|hidden_states_norms)\./ },
  timm: { column: 1, scale: 'stages.*.blocks.*.gamma', prefix: '', behind: /^(norm_pre|head)\./ },
  openClip: { column: 1, scale: 'stages.*.blocks.*.gamma', prefix: 'visual.trunk.', behind: /^(norm_pre|head)\./ },
  eagle: { column: 1, scale: 'stages.*.blocks.*.weight', prefix: '', behind: /^(norm_pre|head)\./ },
  facebook: { column: 2, scale: 'stages.*.*.gamma', prefix: '', behind: /^(norm|head)\./ },
} as const satisfies Record<
  ConvNextLayoutName,
  { readonly column: 0 | 1 | 2; readonly scale: string; readonly prefix: string; readonly behind: RegExp }
>;

/** Options of {@link convNextKeyMap}. */
export interface ConvNextKeyMapOptions {
  /** In front of all names, for example `convnext.`. Default: `visual.trunk.` for open_clip, else none. */
  readonly prefix?: string | undefined;
  /** Whether the feed-forward weights are stored as those of 1 × 1 convolutions. Default: false. */
  readonly convolutionalFeedForward?: boolean | undefined;
}

/** Between the outputs and inputs of a linear layer and those of a 1 × 1 convolution. */
const pointwise = reshaped((shape) => [...shape, 1, 1]);

/**
 * The names of a tower's tensors in a layout, for reading and for writing. Tensors outside of the prefix, and pooled norm
 * and head behind the stages, are ignored.
 */
export function convNextKeyMap(name: ConvNextLayoutName, options: ConvNextKeyMapOptions = {}): KeyMap {
  const { column, scale: layerScale, prefix: usualPrefix, behind } = naming[name];
  const { prefix = usualPrefix, convolutionalFeedForward = false } = options;
  const named = layers.flatMap((row): KeyRule[] => {
    const isReshaped = convolutionalFeedForward && row[0].includes('.pwconv');
    return [
      { key: `${row[column]}.weight`, parameter: `${row[0]}.weight`, ...(isReshaped ? { layout: pointwise } : {}) },
      { key: `${row[column]}.bias`, parameter: `${row[0]}.bias` },
    ];
  });
  const rules = [...named, { key: layerScale, parameter: scale }];
  const start = escaped(prefix);
  return {
    rules: rules.map((rule) => ({ ...rule, key: `${prefix}${rule.key}` })),
    ignore: [new RegExp(`^${start}${behind.source.slice(1)}`), ...(prefix === '' ? [] : [new RegExp(`^(?!${start})`)])],
  };
}

/** A text as a regular expression that matches it. */
export function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

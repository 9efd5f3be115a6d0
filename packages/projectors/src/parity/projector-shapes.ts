import { ConfigError, type Shape } from '@ocelli/core-tensor';
import type { ProjectorConfigInput } from '../registry.js';

/** Shapes of a projector's parameters by their names. */
export type ParameterShapes = Readonly<Record<string, Shape>>;

/** Honeybee's short names of projectors, from which its lists of parameters take theirs: `c-abs-7B-M144`. */
const structures = {
  linear: (shapes) => ({ type: 'linear', ...endsOfMlp(shapes) }),

  mlp: (shapes) => ({ type: 'mlp', ...endsOfMlp(shapes), depth: count(shapes, /^net\.\d+\.weight$/) }),

  resampler: (shapes) => ({
    type: 'resampler',
    visionWidth: at(shapes, 'visual_input_fc.weight', 1),
    languageWidth: at(shapes, 'visual_output_fc.weight', 0),
    ...around(shapes, 'pos_emb', 'vit_eos'),
    outputTokens: at(shapes, 'query_tokens', 1),
    hiddenSize: at(shapes, 'query_tokens', 2),
    numHiddenLayers: count(shapes, /\.norm1\.weight$/),
    // Heads have no parameters of their own.
    numAttentionHeads: 1,
    intermediateSize: at(shapes, 'encoder.layers.0.crossattention.output.mlp.w1.weight', 0),
  }),

  'c-abs': (shapes) => ({
    type: 'c-abstractor',
    visionWidth: at(shapes, 'net.0.b1.conv1.conv.weight', 1),
    languageWidth: at(shapes, 'readout.0.weight', 0),
    ...around(shapes, 'pos_emb', 'eos_tokens'),
    prenorm: 'prenorm.weight' in shapes,
    depth: count(shapes, /^net\.0\.b\d+\.conv1\.conv\.weight$/),
    mlpDepth: count(shapes, /^readout\.\d+\.weight$/),
    hiddenSize: at(shapes, 'net.0.b1.conv1.conv.weight', 0),
  }),

  'd-abs': (shapes) => {
    const hiddenSize = at(shapes, 'layers.0.fc1.weight', 1);
    return {
      type: 'd-abstractor',
      visionWidth: 'input_proj.0.weight' in shapes ? at(shapes, 'input_proj.0.weight', 1) : hiddenSize,
      languageWidth: 'output_proj.weight' in shapes ? at(shapes, 'output_proj.weight', 0) : hiddenSize,
      // Without a table, nothing but the first reference points depends on it.
      inputTokens: at(shapes, 'reference_points', 1),
      ...around(shapes, 'v_pos_emb', 'eos_tokens'),
      outputTokens: at(shapes, 'reference_points', 1),
      hiddenSize,
      numHiddenLayers: count(shapes, /^layers\.\d+\.fc1\.weight$/),
      numAttentionHeads: 1,
      numPoints: at(shapes, 'layers.0.encoder_attn.attention_weights.weight', 0),
      intermediateSize: at(shapes, 'layers.0.fc1.weight', 0),
      pooledTarget: at(shapes, 'query_position_embeddings.weight', 1) === hiddenSize ? 'query' : 'none',
    };
  },
} as const satisfies Record<string, (shapes: ParameterShapes) => ProjectorConfigInput>;

/**
 * The structure of one of Honeybee's projectors, known by its name and its parameters.
 *
 * @throws ConfigError if the name is unknown or parameters are missing
 */
export function projectorOfShapes(name: string, shapes: ParameterShapes): ProjectorConfigInput {
  const known = Object.entries(structures).find(([short]) => name.startsWith(short));
  if (known) return known[1](shapes);
  throw new ConfigError({
    operation: 'projectorOfShapes',
    expected: `a name that begins with ${Object.keys(structures).join(', ')}`,
    received: JSON.stringify(name),
  });
}

function at(shapes: ParameterShapes, name: string, axis: number): number {
  const length = shapes[name]?.[axis];
  if (length !== undefined) return length;
  throw new ConfigError({
    operation: 'projectorOfShapes',
    expected: `a parameter ${name} with an axis ${axis}`,
    received: JSON.stringify(shapes[name]) ?? 'none',
  });
}

function count(shapes: ParameterShapes, pattern: RegExp): number {
  return Object.keys(shapes).filter((name) => pattern.test(name)).length;
}

function endsOfMlp(shapes: ParameterShapes) {
  return {
    visionWidth: at(shapes, 'net.0.weight', 1),
    languageWidth: at(shapes, 'net.0.weight', 0),
    ...around(shapes, 'pos_emb', 'eos_tokens'),
    prenorm: 'prenorm.weight' in shapes,
  };
}

/** Position table and end tokens, where there are any. */
function around(shapes: ParameterShapes, positions: string, endTokens: string) {
  return {
    positionEmbedding: positions in shapes,
    ...(positions in shapes ? { inputTokens: at(shapes, positions, 1) } : {}),
    endTokens: endTokens in shapes ? at(shapes, endTokens, 1) : 0,
  };
}

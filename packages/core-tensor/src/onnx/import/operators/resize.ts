import { normalizeAxis } from '../../../graph/shape.js';
import { gridSample } from '../../../ops/grid-sample.js';
import { gather } from '../../../ops/indexing.js';
import { matmul } from '../../../ops/matmul.js';
import { moveAxis } from '../../../ops/rearrange.js';
import { applySeparable } from '../../../ops/separable.js';
import { type Tensor, tensor } from '../../../tensor.js';
import type { NodeContext, Operator } from '../node-context.js';
import { nearestPlaces, type ResizedAxis, type ResizeRule, resizeWeights } from './resize-map.js';

/** More weights between the elements of an axis are no resizing of an image. */
const mostWeights = 2 ** 26;

function ruleOf(node: NodeContext): ResizeRule {
  const coordinates = node.word(
    'coordinate_transformation_mode',
    ['half_pixel', 'half_pixel_symmetric', 'pytorch_half_pixel', 'align_corners', 'asymmetric', 'tf_half_pixel_for_nn'],
    'half_pixel',
  );
  const roundings = ['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil'] as const;
  node.ignore('extrapolation_value'); // of a mode that crops
  return {
    mode: node.word('mode', ['nearest', 'linear', 'cubic'], 'nearest'),
    coordinates,
    rounding: node.word('nearest_mode', roundings, 'round_prefer_floor'),
    cubicCoefficient: node.float('cubic_coeff_a', -0.75),
    excludesOutside: node.flag('exclude_outside'),
    antialias: node.flag('antialias'),
  };
}

/** What becomes of every axis of x. */
function axesOf(node: NodeContext, { shape }: Tensor): ResizedAxis[] {
  node.optional(1); // the region of a mode that crops
  const [scales, sizes] = [node.optionalNumbers(2), node.optionalNumbers(3)];
  const axes = (node.ints('axes') ?? shape.map((_, axis) => axis)).map((axis) => normalizeAxis('Resize', axis, shape));
  const policy = node.word('keep_aspect_ratio_policy', ['stretch', 'not_larger', 'not_smaller'], 'stretch');
  const bySizes = sizes !== undefined && sizes.length > 0;
  const given = bySizes ? sizes : scales;
  if (given?.length !== axes.length) {
    throw node.refusal(`scales or sizes of ${axes.length} axes`, `${given?.length ?? 'none'}`);
  }
  const ratios = axes.map((axis, index) => (bySizes ? given[index]! / shape[axis]! : given[index]!));
  const common = policy === 'not_larger' ? Math.min(...ratios) : Math.max(...ratios);
  return shape.map((inputs, axis): ResizedAxis => {
    const index = axes.indexOf(axis);
    if (index < 0) return { inputs, outputs: inputs, scale: 1 };
    const keepsRatio = bySizes && policy !== 'stretch';
    const scale = keepsRatio ? common : ratios[index]!;
    const outputs = keepsRatio
      ? Math.floor(common * inputs + 0.5)
      : bySizes
        ? given[index]!
        : Math.floor(Math.fround(inputs * scale));
    if (!(Number.isInteger(outputs) && outputs >= 1 && outputs * inputs <= mostWeights)) {
      throw node.refusal('sizes of at least 1 that images have', String(outputs));
    }
    return { inputs, outputs, scale };
  });
}

const resize: Operator = (node) => {
  const x = node.input(0);
  const rule = ruleOf(node);
  const axes = axesOf(node, x);
  const changed = axes.flatMap(({ inputs, outputs, scale }, axis) => (inputs === outputs && scale === 1 ? [] : [axis]));
  if (rule.mode === 'nearest') {
    return changed.reduce((y, axis) => gather(y, nearestPlaces(axes[axis]!, rule), { axis }), x);
  }
  const [height, width] = [x.shape.length - 2, x.shape.length - 1];
  const mapOf = (axis: number) => ({ ...axes[axis]!, weights: resizeWeights(axes[axis]!, rule) });
  if (changed.length === 2 && changed[0] === height) return applySeparable(x, mapOf(height), mapOf(width));
  return changed.reduce((y, axis) => {
    const { inputs, outputs, weights } = mapOf(axis);
    return moveAxis(matmul(moveAxis(y, axis, -1), tensor(weights, [outputs, inputs]), { transposeB: true }), -1, axis);
  }, x);
};

const sampleGrid: Operator = (node) => {
  const [x, grid] = [node.input(0), node.input(1)];
  const mode = node.word('mode', ['bilinear', 'linear', 'nearest'], 'linear');
  const paddingMode = node.word('padding_mode', ['zeros', 'border', 'reflection'], 'zeros');
  const options = { paddingMode, alignCorners: node.flag('align_corners') };
  return gridSample(x, grid, { ...options, mode: mode === 'nearest' ? 'nearest' : 'bilinear' });
};

/** Resampling of images. */
export const resizeOperators = {
  Resize: resize,
  GridSample: sampleGrid,
} satisfies Readonly<Record<string, Operator>>;

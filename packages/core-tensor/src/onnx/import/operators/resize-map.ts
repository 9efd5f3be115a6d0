/** How places of the output correspond to places of the input, and how values between elements are found. */
export interface ResizeRule {
  readonly mode: 'nearest' | 'linear' | 'cubic';
  readonly coordinates:
    | 'half_pixel'
    | 'half_pixel_symmetric'
    | 'pytorch_half_pixel'
    | 'align_corners'
    | 'asymmetric'
    | 'tf_half_pixel_for_nn';
  readonly rounding: 'round_prefer_floor' | 'round_prefer_ceil' | 'floor' | 'ceil';
  readonly cubicCoefficient: number;
  readonly excludesOutside: boolean;
  readonly antialias: boolean;
}

/** Sizes of an axis, and the factor between them, which may differ a little from their ratio. */
export interface ResizedAxis {
  readonly inputs: number;
  readonly outputs: number;
  readonly scale: number;
}

/**
 * The place in the input of each place in the output, in the precision of ONNX Runtime: which of two elements is nearest
 * is often a tie. Source: onnxruntime, `core/providers/cpu/tensor/upsamplebase.h`.
 */
function placesOf({ inputs, outputs, scale }: ResizedAxis, { coordinates }: ResizeRule): number[] {
  const factor = Math.fround(scale);
  const exact = inputs * scale;
  const place = (i: number): number => {
    const centre = Math.fround((i + 0.5) / factor);
    switch (coordinates) {
      case 'align_corners':
        return outputs === 1 ? 0 : (i * (inputs - 1)) / (outputs - 1);
      case 'asymmetric':
        return i / factor;
      case 'tf_half_pixel_for_nn':
        return centre;
      case 'pytorch_half_pixel':
        return outputs === 1 ? 0 : centre - 0.5;
      case 'half_pixel':
        return centre - 0.5;
      case 'half_pixel_symmetric':
        return (inputs / 2) * (1 - outputs / exact) + centre - 0.5;
    }
  };
  return Array.from({ length: outputs }, (_, i) => Math.fround(place(i)));
}

const rounders: Readonly<Record<ResizeRule['rounding'], (place: number) => number>> = {
  round_prefer_floor: (place) => Math.ceil(place - 0.5),
  round_prefer_ceil: (place) => Math.floor(place + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
};

/** Which element stands at each place of the output. */
export function nearestPlaces(axis: ResizedAxis, rule: ResizeRule): Int32Array {
  const within = (place: number) => Math.min(Math.max(place, 0), axis.inputs - 1);
  return Int32Array.from(placesOf(axis, rule), (place) => within(rounders[rule.rounding](place)));
}

function triangle(distance: number): number {
  return Math.max(0, 1 - Math.abs(distance));
}

/** Keys' cubic convolution kernel. */
function cubic(distance: number, a: number): number {
  const d = Math.abs(distance);
  if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? a * (((d - 5) * d + 8) * d - 4) : 0;
}

/** Row i holds the weights of output i over all inputs; taps beyond the border count for the border element. */
export function resizeWeights(axis: ResizedAxis, rule: ResizeRule): Float32Array {
  const { inputs, outputs, scale } = axis;
  const { mode, cubicCoefficient, excludesOutside, antialias } = rule;
  const weights = new Float32Array(outputs * inputs);
  // A kernel is widened when shrinking, so that every input counts.
  const narrowing = antialias ? Math.min(1, scale) : 1;
  const radius = (mode === 'cubic' ? 2 : 1) / narrowing;
  const kernel = mode === 'cubic' ? (d: number) => cubic(d, cubicCoefficient) : triangle;
  const isOutside = (tap: number) => tap < 0 || tap >= inputs;
  placesOf(axis, rule).forEach((place, output) => {
    const taps: [tap: number, weight: number][] = [];
    for (let tap = Math.floor(place - radius) + 1; tap < Math.ceil(place + radius); tap++) {
      taps.push([tap, excludesOutside && isOutside(tap) ? 0 : kernel((tap - place) * narrowing)]);
    }
    const total = taps.reduce((sum, [, weight]) => sum + weight, 0);
    const divisor = antialias || excludesOutside ? total : 1;
    for (const [tap, weight] of taps) {
      weights[output * inputs + Math.min(Math.max(tap, 0), inputs - 1)]! += weight / divisor;
    }
  });
  return weights;
}

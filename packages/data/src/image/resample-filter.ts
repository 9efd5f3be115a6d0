/** Pillow's resampling filters. */
export type ResampleFilter = 'nearest' | 'box' | 'bilinear' | 'hamming' | 'bicubic' | 'lanczos';

/** A kernel and the distance beyond which it is zero, in source pixels at scale 1. */
export interface Kernel {
  readonly radius: number;
  readonly weight: (distance: number) => number;
}

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI));

/** The window's two constants are single-precision literals in Pillow. */
const HAMMING_BASE = Math.fround(0.54);
const HAMMING_SWING = Math.fround(0.46);

/** Keys' cubic convolution coefficient; torch without antialiasing uses −0.75 instead. */
const CUBIC = -0.5;

function bicubic(distance: number): number {
  const x = Math.abs(distance);
  if (x < 1) return ((CUBIC + 2) * x - (CUBIC + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * CUBIC;
  return 0;
}

function hamming(distance: number): number {
  const x = Math.abs(distance);
  if (x === 0) return 1;
  return x < 1 ? sinc(x) * (HAMMING_BASE + HAMMING_SWING * Math.cos(x * Math.PI)) : 0;
}

/** The kernels of the filters that average (Pillow `src/libImaging/Resample.c`). */
export const KERNELS: Readonly<Record<Exclude<ResampleFilter, 'nearest'>, Kernel>> = {
  box: { radius: 0.5, weight: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  bilinear: { radius: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  hamming: { radius: 1, weight: hamming },
  bicubic: { radius: 2, weight: bicubic },
  lanczos: { radius: 3, weight: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
};

/** Names of all filters, in no particular order. */
export const RESAMPLE_FILTERS: readonly ResampleFilter[] = [
  'nearest',
  'box',
  'bilinear',
  'hamming',
  'bicubic',
  'lanczos',
];

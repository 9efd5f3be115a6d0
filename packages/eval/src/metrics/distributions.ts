/** Natural logarithm of Γ(x) for x > 0 (Lanczos, g = 7; 15 digits). */
function logGamma(x: number): number {
  const coefficients = [
    676.5203681218851, -1259.1392167224028, 771.3234287776531, -176.6150291621406, 12.507343278686905,
    -0.13857109526572012, 9.984369578019572e-6, 1.5056327351493116e-7,
  ];
  const shifted = x - 1;
  const sum = coefficients.reduce((all, each, index) => all + each / (shifted + index + 1), 0.9999999999998099);
  const t = shifted + 7.5;
  return 0.5 * Math.log(2 * Math.PI) + (shifted + 0.5) * Math.log(t) - t + Math.log(sum);
}

/** The continued fraction of the incomplete beta function (Lentz). */
function betaFraction(x: number, a: number, b: number): number {
  const nonzero = (value: number) => (Math.abs(value) < 1e-300 ? 1e-300 : value);
  let c = 1;
  let d = 1 / nonzero(1 - ((a + b) * x) / (a + 1));
  let result = d;
  for (let m = 1; m <= 1000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / nonzero(1 + even * d);
    c = nonzero(1 + even / c);
    result *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / nonzero(1 + odd * d);
    c = nonzero(1 + odd / c);
    result *= d * c;
    if (Math.abs(d * c - 1) < 1e-16) break;
  }
  return result;
}

/** Regularised incomplete beta function I_x(a, b). */
function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x));
  return x < (a + 1) / (a + b + 2) ? (front * betaFraction(x, a, b)) / a : 1 - (front * betaFraction(1 - x, b, a)) / b;
}

/** Probability of a |t| at least as large under Student's distribution. */
export function studentTwoSided(t: number, freedom: number): number {
  return incompleteBeta(freedom / (freedom + t * t), freedom / 2, 0.5);
}

/** Probability of a value at most as large under the standard normal distribution. */
export function normalBelow(z: number): number {
  // The series of erf: beyond 8 deviations nothing is left.
  const x = Math.abs(z) / Math.SQRT2;
  let term = x;
  let sum = x;
  for (let n = 1; n < 500 && Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  const half = x > 6 ? 0.5 : sum / Math.sqrt(Math.PI);
  return z < 0 ? 0.5 - half : 0.5 + half;
}

/** Where a growing function takes a value. */
function solve(increasing: (x: number) => number, value: number): number {
  let [low, high] = [-1, 1];
  while (increasing(low) > value && low > -1e9) low *= 2;
  while (increasing(high) < value && high < 1e9) high *= 2;
  for (let step = 0; step < 200 && low < high; step++) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) break;
    if (increasing(middle) < value) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** The value that a standard normal variable stays below with this probability. */
export function normalQuantile(probability: number): number {
  return solve(normalBelow, probability);
}

/** The value that a variable of Student's distribution stays below with this probability. */
export function studentQuantile(probability: number, freedom: number): number {
  const below = (t: number) => {
    const tail = studentTwoSided(t, freedom) / 2;
    return t < 0 ? tail : 1 - tail;
  };
  return solve(below, probability);
}

/**
 * Error function, to double precision: the series with positive terms near zero (Abramowitz and Stegun 7.1.6), the
 * continued fraction of erfc further out (7.1.14).
 */
export function erf(x: number): number {
  const magnitude = Math.abs(x);
  if (Number.isNaN(x) || magnitude > 6) {
    return Number.isNaN(x) ? x : Math.sign(x); // 1 − erf(6) is 2·10⁻¹⁷
  }
  const square = x * x;
  if (magnitude < 2.5) {
    let term = x;
    let sum = x;
    for (let n = 1; Math.abs(term) > Math.abs(sum) * 1e-17; n++) {
      term *= (2 * square) / (2 * n + 1);
      sum += term;
    }
    return (2 / Math.sqrt(Math.PI)) * Math.exp(-square) * sum;
  }
  let fraction = magnitude;
  for (let k = 60; k >= 1; k--) {
    fraction = magnitude + k / 2 / fraction;
  }
  return Math.sign(x) * (1 - Math.exp(-square) / (Math.sqrt(Math.PI) * fraction));
}

/** Value of a polynomial, highest coefficient first. */
function polynomial(coefficients: readonly number[], x: number): number {
  let value = 0;
  for (const coefficient of coefficients) {
    value = value * x + coefficient;
  }
  return value;
}

/** For |x| ≤ 0.85. */
const centre = {
  numerator: [
    2509.0809287301227, 33430.57558358813, 67265.7709270087, 45921.95393154987, 13731.69376550946, 1971.5909503065513,
    133.14166789178438, 3.3871328727963665,
  ],
  denominator: [
    5226.495278852854, 28729.085735721943, 39307.89580009271, 21213.794301586597, 5394.196021424751, 687.1870074920579,
    42.31333070160091, 1,
  ],
};

/** For tails down to e⁻²⁵. */
const middle = {
  numerator: [
    0.0007745450142783414, 0.022723844989269184, 0.2417807251774506, 1.2704582524523684, 3.6478483247632045,
    5.769497221460691, 4.630337846156546, 1.4234371107496835,
  ],
  denominator: [
    1.0507500716444169e-9, 0.0005475938084995345, 0.015198666563616457, 0.14810397642748008, 0.6897673349851,
    1.6763848301838038, 2.053191626637759, 1,
  ],
};

/** For the tails beyond. */
const far = {
  numerator: [
    2.0103343992922881e-7, 2.7115555687434876e-5, 0.0012426609473880784, 0.026532189526576124, 0.29656057182850487,
    1.7848265399172913, 5.463784911164114, 6.657904643501103,
  ],
  denominator: [
    2.0442631033899397e-15, 1.421511758316446e-7, 1.8463183175100548e-5, 0.0007868691311456133, 0.014875361290850615,
    0.1369298809227358, 0.599832206555888, 1,
  ],
};

/**
 * Inverse error function, to double precision: ±∞ at ±1, NaN outside of [−1, 1].
 *
 * erfinv(x) = Φ⁻¹((1 + x)/2)/√2, with the rational approximations of Wichura, "Algorithm AS 241: The Percentage Points
 * of the Normal Distribution" (1988), in the variables that lose nothing for small x.
 */
export function erfinv(x: number): number {
  const half = x / 2;
  if (Math.abs(half) <= 0.425) {
    const r = 0.180625 - half * half;
    return (half * polynomial(centre.numerator, r)) / polynomial(centre.denominator, r) / Math.SQRT2;
  }
  const tail = (1 - Math.abs(x)) / 2;
  if (!(tail > 0)) {
    return tail === 0 ? x * Number.POSITIVE_INFINITY : Number.NaN;
  }
  const r = Math.sqrt(-Math.log(tail));
  const { numerator, denominator } = r <= 5 ? middle : far;
  const shifted = r <= 5 ? r - 1.6 : r - 5;
  return (Math.sign(x) * polynomial(numerator, shifted)) / polynomial(denominator, shifted) / Math.SQRT2;
}

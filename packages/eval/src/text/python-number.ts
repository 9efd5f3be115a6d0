import { strip } from './python-text.js';

const digits = '\\d+(?:_\\d+)*';
const integerPattern = new RegExp(`^[+-]?${digits}$`);
const floatPattern = new RegExp(`^[+-]?(?:(?:${digits})(?:\\.(?:${digits})?)?|\\.${digits})(?:[eE][+-]?${digits})?$`);
const namedPattern = /^([+-]?)(nan|inf|infinity)$/i;

/** Decimal digits of any script as those of ASCII. */
function plainDigits(text: string): string {
  return text.replace(/\p{Nd}/gu, (digit) => {
    const code = digit.codePointAt(0)!;
    // Digits stand in runs of ten; the run of a digit begins at the last one that no digit precedes.
    let zero = code;
    while (code - zero < 9 && /\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero--;
    return code < 0x80 ? digit : String((code - zero) % 10);
  });
}

/** The number that Python's `float(text)` gives, or undefined where it raises. */
export function parseFloatPython(text: string): number | undefined {
  const plain = plainDigits(strip(text));
  const named = namedPattern.exec(plain);
  if (named) {
    const value = named[2]!.toLowerCase() === 'nan' ? Number.NaN : Number.POSITIVE_INFINITY;
    return named[1] === '-' ? -value : value;
  }
  return floatPattern.test(plain) ? Number(plain.replaceAll('_', '')) : undefined;
}

/** The text that Python's `str(int(text))` gives, or undefined where it raises. */
export function integerText(text: string): string | undefined {
  const plain = plainDigits(strip(text));
  // Python refuses more digits than this, too.
  if (plain.length > 4300 || !integerPattern.test(plain)) return undefined;
  return BigInt(plain.replaceAll('_', '').replace('+', '')).toString();
}

/** A number with so many decimals, ties to the even digit, as Python formats it with `.2f`; `toFixed` takes ties up. */
export function formatFixed(value: number, decimals: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
  if (Math.abs(value) >= 1e21) return BigInt(value).toString() + (decimals > 0 ? `.${'0'.repeat(decimals)}` : '');
  const [whole, fraction] = value.toFixed(100).split('.') as [string, string];
  const down = decimals === 0 ? whole : `${whole}.${fraction.slice(0, decimals)}`;
  const isTie = /^50*$/.test(fraction.slice(decimals));
  return isTie && Number(down.at(-1)) % 2 === 0 ? down : value.toFixed(decimals);
}

/** The number that Python's `round(value, decimals)` gives: ties of the binary value go to the even digit. */
export function roundPython(value: number, decimals: number): number {
  return Number.isFinite(value) && Math.abs(value) < 1e21 ? Number(formatFixed(value, decimals)) : value;
}

/** A number as Python's `str(float)` writes it: `2.0`, `1e-05`, `1e+16`. */
export function formatFloat(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  const [mantissa, exponent] = value.toExponential().split('e') as [string, string];
  const power = Number(exponent);
  if (power < -4 || power >= 16) {
    return `${mantissa}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
  }
  const plain = power < 0 ? value.toFixed(mantissa.replace(/[-.]/g, '').length - 1 - power) : String(value);
  return plain.includes('.') ? plain : `${plain}.0`;
}

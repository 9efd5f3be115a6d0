const PRINTABLE_RANGES: readonly (readonly [number, number])[] = [
  [33, 126],
  [161, 172],
  [174, 255],
];

/**
 * The printable character that stands for each byte in a byte-level vocabulary, indexed by byte: printable Latin-1
 * characters stand for themselves, the remaining 68 bytes for U+0100, U+0101, … in increasing order (GPT-2).
 */
export const BYTE_ALPHABET: readonly string[] = (() => {
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const printable = PRINTABLE_RANGES.some(([first, last]) => byte >= first && byte <= last);
    return String.fromCharCode(printable ? byte : next++);
  });
})();

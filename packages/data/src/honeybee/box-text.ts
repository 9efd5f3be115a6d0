/** A number with a fixed count of decimals, ties to the even digit as in Python; `toFixed` takes them up. */
function fixed(value: number, decimals: number): string {
  const [whole, fraction] = value.toFixed(100).split('.') as [string, string];
  const isTie = /^50*$/.test(fraction.slice(decimals));
  const down = `${whole}.${fraction.slice(0, decimals)}`;
  return isTie && Number(down.at(-1)) % 2 === 0 ? down : value.toFixed(decimals);
}

/**
 * A box as Honeybee writes it: left, top, right and bottom as fractions of the image, `[0.019,0.062,0.174,0.190]`.
 *
 * @param box left, top, width and height in pixels
 */
export function boxText(
  [x, y, width, height]: readonly [number, number, number, number],
  image: { readonly width: number; readonly height: number },
  decimals = 3,
): string {
  const corners = [x / image.width, y / image.height, (x + width) / image.width, (y + height) / image.height];
  return `[${corners.map((value) => fixed(value, decimals)).join(',')}]`;
}

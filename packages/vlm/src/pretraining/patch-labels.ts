import { CANVAS, COLOURS, type Scene, SHAPES } from '@ocelli/data';

/** What each patch of a picture shows, row by row. */
export interface PatchLabels {
  /** Index into {@link COLOURS} plus one; 0 is background. */
  readonly colours: Int32Array;
  /** Index into {@link SHAPES} plus one; 0 is background. */
  readonly shapes: Int32Array;
}

/** Classes of {@link PatchLabels}, the background included. */
export const patchClasses = { colours: COLOURS.length + 1, shapes: SHAPES.length + 1 } as const;

/**
 * Colour and shape of the object whose bounding box holds the centre of each patch of a microworld picture.
 *
 * @param grid patches along each side.
 */
export function patchLabels({ objects }: Scene, grid: number): PatchLabels {
  const colours = new Int32Array(grid * grid);
  const shapes = new Int32Array(grid * grid);
  for (let row = 0; row < grid; row++) {
    for (let column = 0; column < grid; column++) {
      const [x, y] = [((column + 0.5) / grid) * CANVAS, ((row + 0.5) / grid) * CANVAS];
      const shown = objects.find(
        (object) => Math.max(Math.abs(x - object.x), Math.abs(y - object.y)) < object.extent / 2,
      );
      if (!shown) continue;
      colours[row * grid + column] = COLOURS.indexOf(shown.colour) + 1;
      shapes[row * grid + column] = SHAPES.indexOf(shown.shape) + 1;
    }
  }
  return { colours, shapes };
}

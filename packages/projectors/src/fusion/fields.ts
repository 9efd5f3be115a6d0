import { z } from 'zod';
import { size } from '../fields.js';

/** Widths of the maps, in their order. */
export const widths = z.array(size).min(1).readonly();

/** Widths of a map whose tokens remain, and of one that adds to them. */
export const twoWidths = z.tuple([size, size]).readonly();

/** Side of the grid that maps are resized to. */
export const gridSide = size.nullable();

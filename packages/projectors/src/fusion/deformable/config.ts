import { parseConfig } from '@ocelli/core-tensor';
import { z } from 'zod';
import { size } from '../../fields.js';
import { widths } from '../fields.js';

/** What a configuration of deformable fusion may leave out. Source: Deformable DETR's defaults. */
export const deformableFusionDefaults = { numAttentionHeads: 8, numPoints: 4 } as const;

const schema = z
  .strictObject({
    type: z.literal('deformable').default('deformable'),
    /** Widths of the map whose tokens remain, and of the maps that they look at. */
    widths: widths.refine((list) => list.length > 1, 'must have a map that is looked at'),
    numAttentionHeads: size.default(deformableFusionDefaults.numAttentionHeads),
    /** Places in each map that a head of a token looks at. */
    numPoints: size.default(deformableFusionDefaults.numPoints),
  })
  .refine(({ widths: [width], numAttentionHeads }) => width! % numAttentionHeads === 0, {
    path: ['numAttentionHeads'],
    message: 'must divide the first of widths',
  });

/** Structure of a {@link DeformableFusion}; plain data. */
export type DeformableFusionConfig = Readonly<z.output<typeof schema>>;
/** A {@link DeformableFusionConfig} whose defaults may be left out. */
export type DeformableFusionConfigInput = Readonly<z.input<typeof schema>>;

/** @throws ConfigError that names every missing, unknown or invalid field */
export function parseDeformableFusionConfig(config: DeformableFusionConfigInput): DeformableFusionConfig {
  return parseConfig('parseDeformableFusionConfig', schema, config);
}

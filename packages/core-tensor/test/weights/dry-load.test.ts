import { describe, expect, it } from 'vitest';
import { dryLoad, isDryLoad, Linear, loadWeights, openCheckpoint, writeCheckpoint } from '../../src/index.js';
import { temporaryFolders } from '../safetensors/files.js';

describe('dryLoad', () => {
  const newFolder = temporaryFolders();

  it('compares, reads nothing and does not mind what does not fit', async () => {
    const folder = await newFolder();
    const tensor = { dtype: 'float32', shape: [3, 2], data: new Float32Array(6) } as const;
    await writeCheckpoint(folder, { weight: tensor, more: tensor });
    const reader = await openCheckpoint(folder);
    const refuse = () => Promise.reject(new Error('a tensor was read'));
    const blind = { ...reader, read: refuse, readInto: refuse, readRange: refuse, readBytes: refuse };
    const load = async () => {
      expect(isDryLoad()).toBe(true);
      const layer = new Linear(2, 3);
      await loadWeights(layer, blind);
      return layer;
    };
    const { result, loads } = await dryLoad(load);
    await reader.close();
    expect(isDryLoad()).toBe(false);
    expect(result.parameterCount()).toBe(9);
    expect(loads.map(({ module }) => module)).toEqual([result]);
    expect(loads[0]!.match).toMatchObject({ missing: ['bias'], unexpected: ['more'], misshapen: [] });
    await expect(loadWeights(new Linear(2, 3), folder)).rejects.toThrow('missing: bias | unexpected: more');
  });
});

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { jsonEntries, jsonList } from '../../src/honeybee/json-items.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocelli-json-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function file(content: string): Promise<string> {
  const path = join(folder, 'data.json');
  await writeFile(path, content);
  return path;
}

describe('a JSON file read item by item', () => {
  it('keeps the order of keys that look like numbers', async () => {
    const path = await file('{"9": 1, "b": {"x": [1, "]}"]}, "2": "a\\"b,:{", "é": null}');
    expect(await jsonEntries(path)).toEqual([
      ['9', 1],
      ['b', { x: [1, ']}'] }],
      ['2', 'a"b,:{'],
      ['é', null],
    ]);
  });

  it('may be a list, empty, nested, or spread over lines', async () => {
    expect(await jsonList(await file(' [\n1 , [ 2, 3 ],\t{"a": []},"x" ]\n'))).toEqual([1, [2, 3], { a: [] }, 'x']);
    expect(await jsonList(await file('[]'))).toEqual([]);
    expect(await jsonEntries(await file(' { } '))).toEqual([]);
  });

  it('may be longer than what is read at once, and is cut nowhere wrong', async () => {
    const values = Array.from({ length: 3000 }, (_, index) => ({ index, text: `käse "${index}" \\ ,]}`.repeat(5) }));
    expect(await jsonList(await file(JSON.stringify(values)))).toEqual(values);
  });

  it.each(['', '[1, 2', '[1,,2]', '[1,]', '{"a" 1}', '"text"', '[1] 2', '[1]]', '{"a": tru}', '[1, {]'])(
    'is refused by name if it is damaged: %s',
    async (content) => {
      const path = await file(content);
      await expect(jsonList(path)).rejects.toMatchObject({ name: 'ConversationError', file: path });
    },
  );

  it('is named if it is missing', async () => {
    await expect(jsonList(join(folder, 'none.json'))).rejects.toThrow(/none\.json: .*received ENOENT/);
  });
});

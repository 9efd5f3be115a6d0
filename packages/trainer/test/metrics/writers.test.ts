import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import protobuf from 'protobufjs/light.js';
import { describe, expect, test } from 'vitest';
import { type MetricWriter, openEventFile, openJsonLines, RunFileError } from '../../src/index.js';
import { crc32c, maskedCrc32c } from '../../src/metrics/crc32c.js';
import { temporaryFolder } from '../support/toy.js';

async function writeAll(writer: MetricWriter, steps: readonly number[]): Promise<void> {
  for (const step of steps) await writer.write({ step, stage: 'fit', values: { loss: 1 / step, learningRate: 0.5 } });
  await writer.close();
}

describe('openJsonLines', () => {
  test('appends one object a line', async () => {
    const file = join(temporaryFolder(), 'metrics.jsonl');
    await writeAll(await openJsonLines(file, { fromStep: 0 }), [1, 2]);
    await writeAll(await openJsonLines(file, { fromStep: 2 }), [3]);
    const lines = (await readFile(file, 'utf8')).split('\n');
    expect(lines.pop()).toBe('');
    expect(lines.map((line) => JSON.parse(line))).toEqual(
      [1, 2, 3].map((step) => ({ step, stage: 'fit', loss: 1 / step, learningRate: 0.5 })),
    );
  });

  test('removes steps that are made again, and a line that was cut off', async () => {
    const file = join(temporaryFolder(), 'metrics.jsonl');
    await writeFile(file, '{"step":1}\n{"step":2}\n{"step":3}\n{"step":');
    await (await openJsonLines(file, { fromStep: 2 })).close();
    expect(await readFile(file, 'utf8')).toBe('{"step":1}\n{"step":2}\n');
  });

  test('names a file it cannot open', async () => {
    const file = join(temporaryFolder(), 'none', 'metrics.jsonl');
    await expect(openJsonLines(file, { fromStep: 0 })).rejects.toThrow(RunFileError);
    await expect(openJsonLines(file, { fromStep: 0 })).rejects.toThrow(/none.metrics\.jsonl/);
  });
});

/** The messages of TensorFlow's `event.proto`, written down anew. */
const eventType = protobuf.Root.fromJSON({
  nested: {
    E: {
      fields: {
        time: { type: 'double', id: 1 },
        step: { type: 'int64', id: 2 },
        version: { type: 'string', id: 3 },
        summary: { type: 'S', id: 5 },
        log: { type: 'L', id: 7 },
      },
    },
    S: { fields: { values: { rule: 'repeated', type: 'V', id: 1 } } },
    V: { fields: { tag: { type: 'string', id: 1 }, number: { type: 'float', id: 2 } } },
    L: { fields: { status: { type: 'int32', id: 1 } } },
  },
}).lookupType('E');

/** Takes TFRecords apart, checking both checksums. */
function records(bytes: Buffer): Record<string, unknown>[] {
  const found: Record<string, unknown>[] = [];
  for (let place = 0; place < bytes.length; ) {
    const length = Number(bytes.readBigUInt64LE(place));
    expect(bytes.readUInt32LE(place + 8)).toBe(maskedCrc32c(bytes.subarray(place, place + 8)));
    const data = bytes.subarray(place + 12, place + 12 + length);
    expect(bytes.readUInt32LE(place + 12 + length)).toBe(maskedCrc32c(data));
    found.push(eventType.toObject(eventType.decode(data), { longs: Number }));
    place += length + 16;
  }
  return found;
}

describe('openEventFile', () => {
  test('has the checksums of TFRecord files', () => {
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(maskedCrc32c(Buffer.from('123456789'))).toBe(
      ((((0xe3069283 >>> 15) | (0xe3069283 << 17)) >>> 0) + 0xa282ead8) % 2 ** 32,
    );
  });

  test('writes scalars that TensorBoard reads', async () => {
    const folder = join(temporaryFolder(), 'tensorboard');
    await writeAll(await openEventFile(folder, { fromStep: 0, now: () => 1_700_000_000_500 }), [1, 2]);
    const [name] = await readdir(folder);
    expect(name).toMatch(/^events\.out\.tfevents\.1700000000\./);
    const time = 1_700_000_000.5;
    const values = (step: number) => [
      { tag: 'fit/loss', number: 1 / step },
      { tag: 'fit/learningRate', number: 0.5 },
    ];
    expect(records(await readFile(join(folder, name!)))).toEqual([
      { time, version: 'brain.Event:2' },
      { time, step: 1, summary: { values: values(1) } },
      { time, step: 2, summary: { values: values(2) } },
    ]);
  });

  test('tells TensorBoard which steps a resumed run makes again', async () => {
    const folder = temporaryFolder();
    await (await openEventFile(folder, { fromStep: 7, now: () => 1500 })).close();
    const [name] = await readdir(folder);
    expect(records(await readFile(join(folder, name!)))[1]).toEqual({ time: 1.5, step: 8, log: { status: 1 } });
  });

  test('writes a file of its own each time', async () => {
    const folder = temporaryFolder();
    for (let i = 0; i < 2; i++) await (await openEventFile(folder, { fromStep: 0, now: () => 0 })).close();
    expect(await readdir(folder)).toHaveLength(2);
  });
});

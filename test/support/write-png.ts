import { writeFile } from 'node:fs/promises';
import { crc32, deflateSync } from 'node:zlib';

/** Writes a PNG file of one colour. */
export async function writePng(
  file: string,
  { width, height }: { readonly width: number; readonly height: number },
  colour: readonly [red: number, green: number, blue: number],
): Promise<void> {
  const row = [0, ...Array.from({ length: width }, () => colour).flat()];
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  // Eight bits a channel, three channels.
  header.set([8, 2], 8);
  const pixels = deflateSync(Buffer.from(Array.from({ length: height }, () => row).flat()));
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  await writeFile(file, Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', pixels), chunk('IEND')]));
}

function chunk(name: string, data: Buffer = Buffer.alloc(0)): Buffer {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

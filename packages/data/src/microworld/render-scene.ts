import sharp from 'sharp';
import { axisBoxes, barBoxes, chartBox, gridLineBoxes, outline } from './geometry.js';
import { wordRuns } from './glyphs.js';
import { MicroworldError } from './microworld-error.js';
import { COLOUR_VALUES } from './names.js';
import { type Box, CANVAS, type Scene, type SceneChart, type SceneObject, type SceneText } from './scene.js';

const INK = '#202020';

/**
 * Draws a scene as an SVG document of `size` × `size` pixels. Words are drawn as rectangles, so no font is needed.
 *
 * @param size side of the picture in pixels
 * @throws MicroworldError if the size is not an integer between 8 and 8192
 */
export function renderSceneSvg(scene: Scene, size: number): string {
  assertSize(size, 'renderSceneSvg');
  const grey = `rgb(${scene.background},${scene.background},${scene.background})`;
  const parts = [
    rectangle([0, 0, CANVAS, CANVAS], grey),
    ...(scene.chart === null ? [] : drawChart(scene.chart)),
    ...(scene.text === null ? [] : [drawText(scene.text)]),
    ...scene.objects.map(drawObject),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}" viewBox="0 0 ${CANVAS} ${CANVAS}">${parts.join('')}</svg>`;
}

/**
 * Rasterises an SVG document made by {@link renderSceneSvg} to the bytes of an RGB PNG file. The same document gives the
 * same bytes under one version of sharp.
 *
 * @param size side of the picture in pixels, as given to {@link renderSceneSvg}
 * @throws MicroworldError if the document is not valid or has another size
 */
export async function rasterise(svg: string, size: number): Promise<Uint8Array> {
  assertSize(size, 'rasterise');
  try {
    const { data, info } = await sharp(Buffer.from(svg))
      .removeAlpha()
      .png({ compressionLevel: 6, adaptiveFiltering: false, palette: false })
      .toBuffer({ resolveWithObject: true });
    if (info.width === size && info.height === size) return data;
    throw new MicroworldError({
      operation: 'rasterise',
      expected: `a picture of ${size}x${size}`,
      received: `${info.width}x${info.height}`,
      remedy: 'give renderSceneSvg the same size',
      option: 'size',
      value: size,
    });
  } catch (cause) {
    if (cause instanceof MicroworldError) throw cause;
    const reason = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    throw new MicroworldError({
      operation: 'rasterise',
      expected: 'an SVG document',
      received: `one that does not parse (${reason})`,
      remedy: 'make it with renderSceneSvg',
      option: 'svg',
      value: svg.slice(0, 200),
      cause,
    });
  }
}

function assertSize(size: number, operation: string): void {
  if (Number.isInteger(size) && size >= 8 && size <= 8192) return;
  throw new MicroworldError({
    operation,
    expected: 'an integer size between 8 and 8192 pixels',
    received: String(size),
    remedy: 'choose such a size',
    option: 'size',
    value: size,
  });
}

function rectangle([x, y, width, height]: Box, fill: string): string {
  return `<rect x="${decimal(x)}" y="${decimal(y)}" width="${decimal(width)}" height="${decimal(height)}" fill="${fill}"/>`;
}

function drawObject(object: SceneObject): string {
  const fill = COLOUR_VALUES[object.colour];
  const vertices = outline(object);
  if (vertices === null) {
    return `<circle cx="${object.x}" cy="${object.y}" r="${object.extent / 2}" fill="${fill}"/>`;
  }
  const points = vertices.map(([x, y]) => `${decimal(x)},${decimal(y)}`).join(' ');
  return `<polygon points="${points}" fill="${fill}"/>`;
}

/** One path for the whole word: separate rectangles would leave seams where antialiased edges meet. */
function drawText(text: SceneText): string {
  const runs = wordRuns(text.content).map(
    ({ column, row, length }) =>
      `M${text.x + column * text.dot} ${text.y + row * text.dot}h${length * text.dot}v${text.dot}h${-length * text.dot}z`,
  );
  return `<path d="${runs.join('')}" fill="${INK}"/>`;
}

function drawChart(chart: SceneChart): string[] {
  return [
    rectangle(chartBox(chart), '#ffffff'),
    ...gridLineBoxes(chart).map((box) => rectangle(box, '#c8c8c8')),
    ...barBoxes(chart).map((box, index) => rectangle(box, COLOUR_VALUES[chart.bars[index]!.colour])),
    ...axisBoxes(chart).map((box) => rectangle(box, INK)),
  ];
}

/** At most three decimals, without trailing zeros: the document does not depend on how a sum was rounded. */
function decimal(value: number): string {
  return String(Math.round(value * 1000) / 1000);
}

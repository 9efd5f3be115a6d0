import {
  IMAGENET_MEAN,
  IMAGENET_STD,
  imageProcessor,
  type PixelValues,
  preprocessImage,
  type RgbImage,
} from '@ocelli/data';
import { decodeCtc, type ReadLine, type TextRegionOptions, textRegionsFromMap } from '@ocelli/moai-mixer';
import { cropRegion, upsideDown } from './crop-region.js';
import { type ChannelOrder, floats, type OnnxFile, onnxProgram, swapped } from './onnx-program.js';

/** Options of {@link onnxTextReader}: the models of PaddleOCR, of which the first result counts. */
export interface OnnxTextReaderOptions {
  /** Where text is: a map of probabilities [1, 1, height, width]. */
  readonly detection: OnnxFile &
    TextRegionOptions & {
      /** Larger pictures are brought to this longest side. Default: 960. */
      readonly longestSide?: number;
    };
  /** Whether a line is upside down: probabilities [1, 2], of 0 and of 180 degrees. Default: none is. */
  readonly direction?: OnnxFile & {
    /** A line is turned where 180 degrees are more probable than this. Default: 0.9. */
    readonly threshold?: number;
  };
  /** What a line says: probabilities [1, steps, symbols], the blank first. */
  readonly recognition: OnnxFile & {
    /** Characters of the symbols behind the blank; see `readAlphabet`. */
    readonly alphabet: readonly string[];
    /** Lines that are read with at least this confidence. Default: 0.5. */
    readonly threshold?: number;
    /** Height of lines in pixels. Default: 48. */
    readonly height?: number;
    /** Least width of lines in pixels; shorter ones are padded. Default: 320. */
    readonly width?: number;
  };
  /** Default: `published`, which is RGB. The models were made for BGR. */
  readonly channels?: ChannelOrder;
}

/** Lines that are read at one width, as PaddleOCR. */
const together = 6;

/** Widths are whole multiples of this, so that few programs are compiled. */
const widthStep = 32;

const direction = { width: 192, height: 48 } as const;

/**
 * Reads the lines of a picture with a detector, a classifier of directions and a recogniser in ONNX files, as PaddleOCR
 * does (PP-OCR, Du et al. 2020, arXiv 2009.09941), whose Chinese and English models MoAI uses. Lines come in the order of
 * `textRegionsFromMap`.
 *
 * Pictures are resized as Pillow does, which averages where OpenCV does not; lines longer than `width` are padded to a
 * multiple of 32.
 */
export function onnxTextReader(options: OnnxTextReaderOptions): (picture: RgbImage) => Promise<ReadLine[]> {
  const { detection, recognition, channels = 'published' } = options;
  const { longestSide = 960 } = detection;
  const { alphabet, threshold = 0.5, height = 48, width = 320 } = recognition;
  const detect = program(detection);
  const classify = options.direction && program(options.direction);
  const recognise = program(recognition);
  const turnAbove = options.direction?.threshold ?? 0.9;

  async function upright(line: RgbImage): Promise<RgbImage> {
    if (!classify) return line;
    const [, turned] = floats((await classify(linePixels(line, direction))).first!);
    return turned! > turnAbove ? upsideDown(line) : line;
  }

  return async (given) => {
    const picture = channels === 'correct' ? swapped(given) : given;
    const { shape, data } = (await detect(detectorPixels(picture, longestSide))).first!;
    const [rows, columns] = shape.slice(-2) as [number, number];
    const map = { height: rows, width: columns, values: floats({ shape, data }) };
    const lines: RgbImage[] = [];
    for (const { corners } of textRegionsFromMap(map, picture, detection)) {
      lines.push(await upright(cropRegion(picture, corners)));
    }
    const read = new Array<ReadLine>(lines.length);
    for (const { line, lineWidth } of atCommonWidths(lines, { height, width })) {
      const results = await recognise(linePixels(lines[line]!, { height, width: lineWidth }));
      read[line] = decodeCtc(floats(results.first!), alphabet);
    }
    return read.filter(({ confidence }) => confidence >= threshold);
  };
}

function program(file: OnnxFile) {
  return onnxProgram({ ...file, pixels: file.pixels ?? 'x' }, 'first');
}

/** A picture of sides that are multiples of 32, no longer than allowed. */
function detectorPixels(picture: RgbImage, longestSide: number): PixelValues {
  const ratio = Math.min(1, longestSide / Math.max(picture.width, picture.height));
  const side = (size: number) => Math.max(32, Math.round(Math.trunc(size * ratio) / 32) * 32);
  return preprocessImage(
    picture,
    imageProcessor({
      resize: { width: side(picture.width), height: side(picture.height) },
      filter: 'bilinear',
      mean: [...IMAGENET_MEAN],
      std: [...IMAGENET_STD],
    }),
  );
}

/** A line at this height, from −1 to 1, with zeros behind it. */
function linePixels(
  line: RgbImage,
  { width, height }: { readonly width: number; readonly height: number },
): PixelValues {
  const own = Math.min(width, Math.max(1, Math.ceil((height * line.width) / line.height)));
  return preprocessImage(
    line,
    imageProcessor({
      resize: { width: own, height },
      filter: 'bilinear',
      mean: [0.5, 0.5, 0.5],
      std: [0.5, 0.5, 0.5],
      pad: { width, height },
    }),
  );
}

/** Lines by their proportions, some at a time at the width of the longest. */
function atCommonWidths(
  lines: readonly RgbImage[],
  { height, width }: { readonly height: number; readonly width: number },
): { readonly line: number; readonly lineWidth: number }[] {
  const ratio = (line: number) => lines[line]!.width / lines[line]!.height;
  const order = lines.map((_, line) => line).sort((a, b) => ratio(a) - ratio(b));
  return order.map((line, place) => {
    const last = order[Math.min(order.length, (Math.floor(place / together) + 1) * together) - 1]!;
    const longest = Math.trunc(height * ratio(last));
    return { line, lineWidth: longest <= width ? width : Math.ceil(longest / widthStep) * widthStep };
  });
}

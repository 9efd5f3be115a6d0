import { ConfigError, compile, type ImportOnnxOptions, importOnnx, type Tensor, tensor } from '@ocelli/core-tensor';
import {
  CLIP_MEAN,
  CLIP_STD,
  IMAGENET_MEAN,
  IMAGENET_STD,
  type ImageProcessor,
  imageProcessor,
  preprocessImage,
  type RgbImage,
  resize,
} from '@ocelli/data';
import {
  type DetectionOptions,
  detectionsFromQueries,
  type ExternalVisionModels,
  type PanopticOptions,
  panopticFromQueries,
  publishedVocabularies,
  type ReadLine,
  type VisionVocabularies,
} from '@ocelli/moai-mixer';

/** A model in an ONNX file. */
export interface OnnxVisionModel extends Pick<ImportOnnxOptions, 'folder'> {
  /** Path of the file, or its bytes. */
  readonly source: string | Uint8Array;
  /** How a picture becomes its pixels. */
  readonly processor?: ImageProcessor;
  /** Name of the input that takes the pixels. Default: `pixel_values`. */
  readonly pixels?: string;
  /** Further inputs, the same for every picture: a detector's tokenised queries, for example. */
  readonly inputs?: Readonly<Record<string, Tensor>>;
}

/** Options of {@link onnxVisionModels}. What has no model finds nothing. */
export interface OnnxVisionOptions {
  /** Side in pixels to which pictures are brought first, whatever their shape. Default: 490. */
  readonly imageSize?: number;
  /** Default: those of the published models. */
  readonly vocabularies?: VisionVocabularies;
  /**
   * Mask2Former: results `class_queries_logits` [1, queries, classes + 1] and `masks_queries_logits` [1, queries, height,
   * width]. Default processor: 384 × 384, ImageNet's normalisation.
   */
  readonly segmentation?: OnnxVisionModel & Omit<PanopticOptions, 'imageSize'>;
  /**
   * OWLv2: results `logits` [1, boxes, names] and `pred_boxes` [1, boxes, 4]. Default processor: 960 × 960, CLIP's
   * normalisation.
   */
  readonly detection?: OnnxVisionModel & Omit<DetectionOptions, 'imageSize'>;
  /**
   * A scene-graph generator with its selection: results `labels` [objects], numbers from 0 of the vocabulary `segments`,
   * `pairs` [relations, 2], places in `labels`, and `probabilities` [relations, predicates], without background. Default
   * processor: the picture's size, ImageNet's normalisation.
   */
  readonly relations?: OnnxVisionModel;
  /** Reads the lines of a picture of `imageSize` × `imageSize` pixels: a text reader is several models and rules between. */
  readonly read?: (picture: RgbImage) => Promise<readonly ReadLine[]>;
}

type Results = Readonly<
  Record<string, { readonly shape: readonly number[]; readonly data: ArrayLike<number | bigint> }>
>;

/**
 * External vision models from ONNX files, for pictures. All see the same picture of `imageSize` × `imageSize` pixels, as in
 * MoAI. Files are read when they are first asked.
 *
 * @throws OnnxError from the models, if a file cannot be read; ConfigError if it lacks a result
 */
export function onnxVisionModels(options: OnnxVisionOptions): ExternalVisionModels<RgbImage> {
  const { imageSize = 490, vocabularies = publishedVocabularies, segmentation, detection, relations, read } = options;
  const size = { width: imageSize, height: imageSize };
  const square = (picture: RgbImage) => resize(picture, size, 'bilinear');
  const segmenter = segmentation && program(segmentation, processorOf(384, 'imagenet'), segmenterResults);
  const detector = detection && program(detection, processorOf(960, 'clip'), detectorResults);
  const relator = relations && program(relations, processorOf(imageSize, 'imagenet'), relatorResults);
  return {
    vocabularies,
    imageSize,
    async segment(picture) {
      if (!segmenter) return { ...size, ids: new Uint8Array(imageSize ** 2), segments: [] };
      const { class_queries_logits: classes, masks_queries_logits: masks } = await segmenter(square(picture));
      const [, queries, height, width] = masks!.shape as [number, number, number, number];
      return panopticFromQueries(
        { classLogits: floats(classes!), maskLogits: floats(masks!), queries, height, width },
        { ...segmentation, imageSize },
      );
    },
    async detect(picture) {
      if (!detector) return [];
      const { logits, pred_boxes: boxes } = await detector(square(picture));
      return detectionsFromQueries({ logits: floats(logits!), boxes: floats(boxes!) }, { ...detection, imageSize });
    },
    async relate(picture) {
      if (!relator) return { labels: [], relations: [] };
      const { labels, pairs, probabilities } = await relator(square(picture));
      const [places, all] = [numbers(pairs!), floats(probabilities!)];
      const predicates = probabilities!.shape.at(-1)!;
      return {
        labels: numbers(labels!),
        relations: Array.from({ length: places.length / 2 }, (_, index) => ({
          subject: places[2 * index]!,
          object: places[2 * index + 1]!,
          probabilities: all.subarray(index * predicates, (index + 1) * predicates),
        })),
      };
    },
    read: async (picture) => (read ? read(square(picture)) : []),
  };
}

const segmenterResults = ['class_queries_logits', 'masks_queries_logits'];
const detectorResults = ['logits', 'pred_boxes'];
const relatorResults = ['labels', 'pairs', 'probabilities'];

const norms = {
  clip: { mean: [...CLIP_MEAN], std: [...CLIP_STD] },
  imagenet: { mean: [...IMAGENET_MEAN], std: [...IMAGENET_STD] },
} as const;

function processorOf(side: number, norm: keyof typeof norms): ImageProcessor {
  const { mean, std } = norms[norm];
  return imageProcessor({
    resize: { width: side, height: side },
    filter: 'bilinear',
    mean: [mean[0]!, mean[1]!, mean[2]!],
    std: [std[0]!, std[1]!, std[2]!],
  });
}

/** A function from pictures to the results of a model, which is read on the first call. */
function program(
  { source, folder, processor: own, pixels: name = 'pixel_values', inputs = {} }: OnnxVisionModel,
  processor: ImageProcessor,
  results: readonly string[],
): (picture: RgbImage) => Promise<Results> {
  let run: ((pixels: Tensor) => Promise<Record<string, Tensor>>) | undefined;
  return async (picture) => {
    run ??= open();
    const { data, height, width } = preprocessImage(picture, own ?? processor);
    const computed = await run(tensor(data, [1, 3, height, width]));
    const read = Object.entries(computed).map(async ([result, values]) => {
      const { shape } = values;
      return [result, { shape, data: (await values.data()) as ArrayLike<number | bigint> }] as const;
    });
    return Object.fromEntries(await Promise.all(read));
  };

  function open() {
    const model = importOnnx(source, {
      outputs: (known) => {
        const missing = results.filter((result) => !known.includes(result));
        if (missing.length === 0) return results;
        throw new ConfigError({
          operation: 'onnxVisionModels',
          expected: `a model with results ${results.join(', ')}`,
          received: known.join(', '),
          remedy: 'Export the model with these names.',
        });
      },
      ...(folder !== undefined && { folder }),
    });
    return compile((pixels: Tensor) => model.forward({ ...inputs, [name]: pixels }));
  }
}

function floats({ data }: Results[string]): Float32Array {
  return data instanceof Float32Array ? data : Float32Array.from(data, Number);
}

function numbers({ data }: Results[string]): number[] {
  return Array.from(data, Number);
}

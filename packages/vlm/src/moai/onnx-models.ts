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
  type SceneGraph,
  type SceneGraphOptions,
  sceneGraphFromQueries,
  type VisionVocabularies,
} from '@ocelli/moai-mixer';
import {
  type ChannelOrder,
  floats,
  numbers,
  type OnnxFile,
  type OnnxResults,
  onnxProgram,
  swapped,
} from './onnx-program.js';
import { type OnnxTextReaderOptions, onnxTextReader } from './onnx-text-reader.js';

/** A model in an ONNX file, and how it gets its pixels. */
export interface OnnxVisionModel extends OnnxFile {
  /** How a picture becomes its pixels. */
  readonly processor?: ImageProcessor;
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
   * A scene-graph generator: PSGTR as it is, or with its selection in the file. Default processor: 800 × 800 for the raw
   * one, else the picture's size; ImageNet's normalisation.
   */
  readonly relations?: OnnxVisionModel & {
    /** Default: `published`, which is BGR; the model was made for RGB. */
    readonly channels?: ChannelOrder;
  } & (
      | ({
          /**
           * What the file computes. `raw`: results `subject_logits` and `object_logits` [1, queries, classes + 1],
           * `relation_logits` [1, queries, predicates + 1], `subject_masks` and `object_masks` [1, queries, height, width].
           */
          readonly results: 'raw';
        } & Omit<SceneGraphOptions, 'imageSize'>)
      | {
          /**
           * `selected`: results `labels` [objects], numbers from 0 of the vocabulary `segments`, `pairs` [relations, 2],
           * places in `labels`, and `probabilities` [relations, predicates], without background. Default.
           */
          readonly results?: 'selected';
        }
    );
  /**
   * Reads the lines of a picture of `imageSize` × `imageSize` pixels: the models of a text reader in ONNX files, see
   * {@link onnxTextReader}, or a function.
   */
  readonly read?: OnnxTextReaderOptions | ((picture: RgbImage) => Promise<readonly ReadLine[]>);
}

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
  const relator = relations && relatorOf(relations, imageSize);
  const reader = typeof read === 'object' ? onnxTextReader(read) : read;
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
      return relator ? relator(square(picture)) : { labels: [], relations: [] };
    },
    read: async (picture) => (reader ? reader(square(picture)) : []),
  };
}

const segmenterResults = ['class_queries_logits', 'masks_queries_logits'];
const detectorResults = ['logits', 'pred_boxes'];
const selectedResults = ['labels', 'pairs', 'probabilities'];
const rawResults = ['subject_logits', 'object_logits', 'relation_logits', 'subject_masks', 'object_masks'];

function relatorOf(
  relations: NonNullable<OnnxVisionOptions['relations']>,
  imageSize: number,
): (picture: RgbImage) => Promise<SceneGraph> {
  const isRaw = relations.results === 'raw';
  const run = program(
    relations,
    processorOf(isRaw ? 800 : imageSize, 'imagenet'),
    isRaw ? rawResults : selectedResults,
  );
  return async (picture) => {
    const results = await run(relations.channels === 'correct' ? picture : swapped(picture));
    return isRaw ? fromRaw(results, { ...relations, imageSize }) : fromSelected(results);
  };
}

function fromRaw(results: OnnxResults, options: SceneGraphOptions): SceneGraph {
  const [, queries, height, width] = results.subject_masks!.shape as [number, number, number, number];
  return sceneGraphFromQueries(
    {
      subjectLogits: floats(results.subject_logits!),
      objectLogits: floats(results.object_logits!),
      relationLogits: floats(results.relation_logits!),
      subjectMasks: floats(results.subject_masks!),
      objectMasks: floats(results.object_masks!),
      queries,
      height,
      width,
    },
    options,
  );
}

function fromSelected({ labels, pairs, probabilities }: OnnxResults): SceneGraph {
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
}

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
  model: OnnxVisionModel,
  processor: ImageProcessor,
  results: readonly string[],
): (picture: RgbImage) => Promise<OnnxResults> {
  const run = onnxProgram(model, results);
  return (picture) => run(preprocessImage(picture, model.processor ?? processor));
}

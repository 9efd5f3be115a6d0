import { cocoPanopticClasses, detectionQueries, panopticPredicates } from '../vocabularies/index.js';
import type { Box } from './box-text.js';

/** What a panoptic segmenter found. */
export interface PanopticSegmentation {
  readonly height: number;
  readonly width: number;
  /** The segment of each pixel, row by row: [height, width]; 0 or less where there is none. */
  readonly ids: ArrayLike<number>;
  readonly segments: readonly {
    readonly id: number;
    /** Number of its class in the vocabulary `segments`, from 0. */
    readonly label: number;
  }[];
}

/** An object that a detector found. */
export interface DetectedObject {
  /** In pixels; may reach beyond the picture. */
  readonly box: Box;
  readonly score: number;
  /** Number of its name in the vocabulary `detections`, from 0. */
  readonly label: number;
}

/** What a scene-graph generator found. */
export interface SceneGraph {
  /** Class of each object in the vocabulary `segments`, from 0. */
  readonly labels: readonly number[];
  readonly relations: readonly {
    /** Number of the object in `labels`. */
    readonly subject: number;
    /** Number of the object in `labels`. */
    readonly object: number;
    /** Probability of each of the vocabulary `predicates`; background is left out. */
    readonly probabilities: ArrayLike<number>;
  }[];
}

/** A line that a text reader read. */
export interface ReadLine {
  readonly text: string;
  readonly confidence: number;
}

/** What external vision models found in one picture. */
export interface VisionFindings {
  readonly segmentation: PanopticSegmentation;
  readonly detections: readonly DetectedObject[];
  readonly sceneGraph: SceneGraph;
  readonly lines: readonly ReadLine[];
}

/** Names that findings refer to by number. */
export interface VisionVocabularies {
  readonly segments: readonly string[];
  readonly detections: readonly string[];
  readonly predicates: readonly string[];
}

/** Of the published models: COCO panoptic, ADE20K-full with ImageNet, and the panoptic scene graph data set. */
export const publishedVocabularies: VisionVocabularies = {
  segments: cocoPanopticClasses,
  detections: detectionQueries,
  predicates: panopticPredicates,
};

/**
 * The external vision models of MoAI for pictures of some kind: whatever finds these things, on whatever it runs. All
 * four see the same picture.
 */
export interface ExternalVisionModels<Picture> {
  readonly vocabularies: VisionVocabularies;
  /** Side of the pictures in pixels. */
  readonly imageSize: number;
  segment(picture: Picture): Promise<PanopticSegmentation>;
  detect(picture: Picture): Promise<readonly DetectedObject[]>;
  relate(picture: Picture): Promise<SceneGraph>;
  read(picture: Picture): Promise<readonly ReadLine[]>;
}

/** Asks all four models about a picture. */
export async function findAll<Picture>(
  models: ExternalVisionModels<Picture>,
  picture: Picture,
): Promise<VisionFindings> {
  const [segmentation, detections, sceneGraph, lines] = await Promise.all([
    models.segment(picture),
    models.detect(picture),
    models.relate(picture),
    models.read(picture),
  ]);
  return { segmentation, detections, sceneGraph, lines };
}

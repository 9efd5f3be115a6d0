import { publishedImageSize } from './box-text.js';
import { type DetectionTextOptions, verbalizeDetections } from './detection.js';
import { publishedVocabularies, type VisionFindings, type VisionVocabularies } from './findings.js';
import { type ReadingTextOptions, verbalizeLines } from './reading.js';
import { type SceneGraphTextOptions, verbalizeSceneGraph } from './scene-graph.js';
import { type SegmentationTextOptions, verbalizeSegmentation } from './segmentation.js';

/** What a picture's text is made of, in its order. */
export const verbalizationParts = ['segmentation', 'detections', 'sceneGraph', 'lines'] as const;
/** One of {@link verbalizationParts}. */
export type VerbalizationPart = (typeof verbalizationParts)[number];

/** Options of {@link verbalize}. */
export interface VerbalizeOptions {
  /** Default: those of the published models. */
  readonly vocabularies?: VisionVocabularies;
  /** Side in pixels of the pictures. Default: 490. */
  readonly imageSize?: number;
  /** Parts that are left empty, as if nothing were found: ablations. */
  readonly without?: readonly VerbalizationPart[];
  readonly segmentation?: Pick<SegmentationTextOptions, 'pairing'>;
  readonly detections?: Pick<DetectionTextOptions, 'threshold'>;
  readonly sceneGraph?: Pick<SceneGraphTextOptions, 'threshold' | 'limit' | 'whenFew'>;
  readonly lines?: ReadingTextOptions;
}

/**
 * What external vision models found, in the words that the published model was trained with (Lee et al. 2024, §3;
 * `moai/utils/utils.py`).
 *
 * @throws ConfigError for findings without a name
 */
export function verbalize(findings: VisionFindings, options: VerbalizeOptions = {}): string {
  const { vocabularies = publishedVocabularies, imageSize = publishedImageSize, without = [] } = options;
  const { segments: names, detections, predicates } = vocabularies;
  const texts: Record<VerbalizationPart, () => string> = {
    segmentation: () => verbalizeSegmentation(findings.segmentation, { names, imageSize, ...options.segmentation }),
    detections: () => verbalizeDetections(findings.detections, { names: detections, imageSize, ...options.detections }),
    sceneGraph: () => verbalizeSceneGraph(findings.sceneGraph, { names, predicates, ...options.sceneGraph }),
    lines: () => verbalizeLines(findings.lines, options.lines),
  };
  return joinTexts(verbalizationParts.map((part) => (without.includes(part) ? '' : texts[part]())));
}

/** The texts with single spaces between, also beside empty ones: nothing found at all is three spaces. */
export function joinTexts(texts: readonly string[]): string {
  return texts.join(' ');
}

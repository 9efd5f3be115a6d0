import { compareExactly, type ParityCheck, worstOf } from '@ocelli/core-tensor';
import { type Box, boxText } from '../verbalization/box-text.js';
import { verbalizeDetections } from '../verbalization/detection.js';
import type { PanopticSegmentation } from '../verbalization/findings.js';
import { panopticImage, segmentColour } from '../verbalization/panoptic-image.js';
import { verbalizeLines } from '../verbalization/reading.js';
import { verbalizeSceneGraph } from '../verbalization/scene-graph.js';
import { verbalizeSegmentation } from '../verbalization/segmentation.js';
import { joinTexts } from '../verbalization/verbalize.js';
import {
  ade20kClasses,
  cocoPanopticClasses,
  detectionQueries,
  imagenetClasses,
  panopticPredicates,
} from '../vocabularies/index.js';

const vocabularies: Readonly<Record<string, readonly string[]>> = {
  COCO_PANOPTIC_CLASSES: cocoPanopticClasses,
  PREDICATES: panopticPredicates,
  ADE20K_847: ade20kClasses,
  IMAGENET_CLASSES: imagenetClasses,
};

/** All lists of names. */
export const checkVocabularies: ParityCheck = async ({ config }) => {
  const { kind: _kind, source: _source, ...lists } = config as Record<string, unknown>;
  return compareExactly(vocabularies, lists);
};

interface Named {
  readonly name: string;
  readonly text: string;
}

/** A map as rectangles, painted in their order. */
interface PaintedMap {
  readonly height: number;
  readonly width: number;
  readonly paint_id_x0_y0_x1_y1: readonly (readonly [id: number, x0: number, y0: number, x1: number, y1: number])[];
}

interface VerbalizationFixture {
  readonly box_strings: readonly { box: Box; text: string }[];
  readonly segmentation: readonly (Named & {
    segmentation: readonly (readonly number[])[] | PaintedMap;
    segments_info: readonly { id: number; label_id: number }[];
    map_rgb_255: readonly (readonly (readonly number[])[])[] | null;
  })[];
  readonly detection: readonly (Named & {
    boxes: readonly Box[];
    scores: readonly number[];
    labels: readonly number[];
    kept: readonly string[];
  })[];
  readonly scene_graph: readonly (Named & {
    labels_1_based: readonly number[];
    pairs: readonly (readonly [number, number])[];
    predicate_scores: readonly Readonly<Record<string, number>>[];
    order_free: boolean;
  })[];
  readonly ocr: readonly (Named & { lines: readonly (readonly [string, number])[] })[];
  readonly join: readonly { parts: readonly string[]; text: string }[];
  readonly colormap_255: readonly (readonly number[])[];
  readonly vocabulary_sizes: Readonly<Record<string, number>>;
}

/** Clauses of a text in one order. */
function clauses(text: string): string[] {
  return text
    .replace(/^.*?: /, '')
    .replace(/\.$/, '')
    .split(', and ')
    .sort();
}

/** A map given row by row, or painted. */
function mapOf(stored: readonly (readonly number[])[] | PaintedMap): Omit<PanopticSegmentation, 'segments'> {
  if (!('height' in stored)) return { height: stored.length, width: stored[0]!.length, ids: stored.flat() };
  const { height, width, paint_id_x0_y0_x1_y1: rectangles } = stored;
  const ids = new Int32Array(height * width);
  for (const [id, x0, y0, x1, y1] of rectangles) {
    for (let y = y0; y < Math.min(y1, height); y++) ids.fill(id, y * width + x0, y * width + Math.min(x1, width));
  }
  return { height, width, ids };
}

/** Texts of everything that external models find, their join, and the colours of segments. */
export const checkVerbalization: ParityCheck = async ({ config }) => {
  const fixture = config as VerbalizationFixture;
  const boxes = fixture.box_strings.map(({ box, text }) => compareExactly(boxText(box), text, 'box'));
  const segmentations = fixture.segmentation.map(({ name, segmentation, segments_info, text, map_rgb_255 }) => {
    const segments = segments_info.map(({ id, label_id: label }) => ({ id, label }));
    const found = { ...mapOf(segmentation), segments };
    const ours = { text: verbalizeSegmentation(found), colours: map_rgb_255 && [...panopticImage(found)] };
    return compareExactly(ours, { text, colours: map_rgb_255?.flat(2) ?? null }, name);
  });
  const detections = fixture.detection.map(({ name, boxes: found, scores, labels, kept, text }) => {
    const objects = found.map((box, index) => ({ box, score: scores[index]!, label: labels[index]! }));
    const names = objects.filter(({ score }) => score >= 0.5).map(({ label }) => detectionQueries[label]);
    return compareExactly({ text: verbalizeDetections(objects), kept: names }, { text, kept }, name);
  });
  const graphs = fixture.scene_graph.map(({ name, labels_1_based, pairs, predicate_scores, order_free, text }) => {
    const relations = pairs.map(([subject, object], index) => {
      const probabilities = new Float32Array(panopticPredicates.length);
      for (const [predicate, score] of Object.entries(predicate_scores[index]!))
        probabilities[Number(predicate)] = score;
      return { subject, object, probabilities };
    });
    const ours = verbalizeSceneGraph({ labels: labels_1_based.map((label) => label - 1), relations });
    return order_free ? compareExactly(clauses(ours), clauses(text), name) : compareExactly(ours, text, name);
  });
  const readings = fixture.ocr.map(({ name, lines, text }) => {
    const read = lines.map(([line, confidence]) => ({ text: line, confidence }));
    return compareExactly(verbalizeLines(read), text, name);
  });
  const joins = fixture.join.map(({ parts, text }) => compareExactly(joinTexts(parts), text, 'join'));
  const colours = fixture.colormap_255.map((_, number) => [...segmentColour(number)]);
  const sizes = Object.fromEntries(Object.entries(vocabularies).map(([name, list]) => [name, list.length]));
  return worstOf([
    ...boxes,
    ...segmentations,
    ...detections,
    ...graphs,
    ...readings,
    ...joins,
    compareExactly(colours, fixture.colormap_255, 'colours'),
    compareExactly(sizes, fixture.vocabulary_sizes, 'sizes'),
  ]);
};

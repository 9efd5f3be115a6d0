import {
  COLOURS,
  corruptGroundTruth,
  fold,
  type GroundTruth,
  type MicroworldSample,
  PREDICATES,
  type RandomKey,
  randomKey,
  SHAPES,
  segmentMap,
  type TrueObject,
} from '@ocelli/data';
import type { ExternalVisionModels, VisionVocabularies } from '@ocelli/moai-mixer';

/** Classes of the microworld: every colour of every shape. */
const classes: readonly string[] = SHAPES.flatMap((shape) => COLOURS.map((colour) => `${colour} ${shape}`));

/** Names for what is in the microworld's pictures. */
export const microworldVocabularies: VisionVocabularies = {
  segments: classes,
  detections: classes,
  predicates: PREDICATES,
};

function classOf({ shape, colour }: TrueObject): number {
  return SHAPES.indexOf(shape) * COLOURS.length + COLOURS.indexOf(colour);
}

/** Options of {@link microworldVisionModels}. */
export interface MicroworldModelsOptions {
  /** Side of the pictures in pixels. */
  readonly imageSize: number;
  /** Probability of an error in each thing found, 0 … 1; see `corruptGroundTruth`. Default: 0. */
  readonly errorRate?: number;
  /** Of the errors: the same key gives the same errors in the same sample. Default: that of seed 0. */
  readonly key?: RandomKey;
}

/**
 * External vision models for the microworld: its ground truth, with a chosen share of errors. All four models err alike
 * in a picture: an object that is missed is missed by the segmenter, the detector and in relations.
 *
 * @throws MicroworldError from the models, if the rate is not a probability
 */
export function microworldVisionModels({
  imageSize,
  errorRate = 0,
  key = randomKey(0),
}: MicroworldModelsOptions): ExternalVisionModels<Pick<MicroworldSample, 'id' | 'truth'>> {
  const seen = ({ id, truth }: Pick<MicroworldSample, 'id' | 'truth'>): GroundTruth =>
    corruptGroundTruth(truth, fold(key, id), errorRate);
  return {
    vocabularies: microworldVocabularies,
    imageSize,
    async segment(sample) {
      const truth = seen(sample);
      const segments = truth.objects.map((object, index) => ({ id: index + 1, label: classOf(object) }));
      return { height: truth.height, width: truth.width, ids: segmentMap(truth), segments };
    },
    async detect(sample) {
      return seen(sample).objects.map((object) => {
        const [left, top, width, height] = object.box;
        return { box: [left, top, left + width, top + height], score: 1, label: classOf(object) };
      });
    },
    async relate(sample) {
      const { objects, relations } = seen(sample);
      const placeOf = new Map(objects.map(({ id }, place) => [id, place]));
      return {
        labels: objects.map(classOf),
        relations: relations.map(({ subject, predicate, object }) => ({
          subject: placeOf.get(subject)!,
          object: placeOf.get(object)!,
          probabilities: PREDICATES.map((each) => (each === predicate ? 1 : 0)),
        })),
      };
    },
    async read(sample) {
      return seen(sample).texts.map(({ content }) => ({ text: content, confidence: 1 }));
    },
  };
}

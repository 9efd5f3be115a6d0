import { ShapeError } from '@ocelli/core-tensor';
import { describe, expect, it } from 'vitest';
import { type RelatorOutput, type SceneGraphOptions, sceneGraphFromQueries } from '../../src/index.js';

/** Of a triplet: classes, predicate and masks of two by two cells, named by their places. */
interface Query {
  readonly subject: number;
  readonly predicate: number;
  readonly object: number;
  readonly subjectCells: readonly number[];
  readonly objectCells: readonly number[];
  /** Logits of the subject, the relation and the object. Default: 9 each. */
  readonly sure?: readonly [number, number, number];
  readonly masks?: number;
}

// Classes 0 and 1 are things, 2, 3 and 4 stuff, 3 is the last but one, and 5 no object. Predicates 0 to 3.
const [classes, relations] = [6, 5];
const options: SceneGraphOptions = { imageSize: 4, things: 2 };

function output(queries: readonly Query[]): RelatorOutput {
  const logits = (length: number, index: number, value: number) =>
    Array.from({ length }, (_, each) => (each === index ? value : 0));
  const cells = (named: readonly number[], value = 6) =>
    [0, 1, 2, 3].map((cell) => (named.includes(cell) ? value : -value));
  const sureOf = ({ sure = [9, 9, 9] }: Query) => sure;
  const array = (rows: readonly (readonly number[])[]) => Float32Array.from(rows.flat());
  return {
    queries: queries.length,
    height: 2,
    width: 2,
    subjectLogits: array(queries.map((query) => logits(classes, query.subject, sureOf(query)[0]))),
    objectLogits: array(queries.map((query) => logits(classes, query.object, sureOf(query)[2]))),
    relationLogits: array(queries.map((query) => logits(relations, 1 + query.predicate, sureOf(query)[1]))),
    subjectMasks: array(queries.map(({ subjectCells, masks }) => cells(subjectCells, masks))),
    objectMasks: array(queries.map(({ objectCells, masks }) => cells(objectCells, masks))),
  };
}

function graphOf(queries: readonly Query[], more: SceneGraphOptions = {}) {
  const { labels, relations: found } = sceneGraphFromQueries(output(queries), { ...options, ...more });
  return {
    labels,
    triplets: found.map(({ subject, object, probabilities }) => {
      const values = Array.from(probabilities);
      return [subject, values.indexOf(Math.max(...values)), object];
    }),
  };
}

const first: Query = { subject: 0, predicate: 1, object: 2, subjectCells: [0], objectCells: [1, 2, 3] };

describe('sceneGraphFromQueries', () => {
  it('gives subjects, objects and probabilities of predicates without background', () => {
    const { labels, relations: found } = sceneGraphFromQueries(output([first]), options);
    expect(labels).toEqual([0, 2]);
    expect([found[0]!.subject, found[0]!.object]).toEqual([0, 1]);
    const total = 4 + Math.exp(9);
    const values = Array.from(found[0]!.probabilities, (probability) => probability * total);
    expect(values).toEqual([1, Math.exp(9), 1, 1].map((value) => expect.closeTo(value, 2)));
  });

  it('makes one object of stuff of a class, and of things that overlap by more than half', () => {
    const graph = graphOf([
      { ...first, objectCells: [1], sure: [9, 9, 9] },
      { subject: 1, predicate: 0, object: 2, subjectCells: [3], objectCells: [2], sure: [9, 8, 9] },
      { subject: 0, predicate: 0, object: 1, subjectCells: [0], objectCells: [3], sure: [9, 7, 9] },
    ]);
    // Objects are numbered in the order of the masks: subjects first.
    expect(graph).toEqual({
      labels: [0, 1, 2],
      triplets: [
        [0, 1, 2],
        [1, 0, 2],
        [0, 0, 1],
      ],
    });
  });

  it('keeps two things of a class apart', () => {
    const graph = graphOf([{ subject: 0, predicate: 0, object: 0, subjectCells: [0, 1], objectCells: [2, 3] }]);
    expect(graph).toEqual({ labels: [0, 0], triplets: [[0, 0, 1]] });
  });

  it('drops a triplet that a likelier one of the same classes covers', () => {
    const again = { ...first, subjectCells: [0], sure: [9, 7, 9] } as const;
    expect(graphOf([again, first]).triplets).toEqual([[0, 1, 1]]);
    const elsewhere = { ...first, subjectCells: [1], objectCells: [3], sure: [9, 7, 9], masks: 7 } as const;
    expect(graphOf([elsewhere, first])).toEqual({
      labels: [0, 0, 2],
      triplets: [
        [0, 1, 2],
        [1, 1, 2],
      ],
    });
  });

  it('keeps what is probable enough, of the likeliest candidates', () => {
    for (const sure of [
      [1, 9, 9],
      [9, 0.1, 9],
      [9, 9, 1],
    ] as const) {
      expect(graphOf([{ ...first, sure }])).toEqual({ labels: [], triplets: [] });
    }
    const other: Query = {
      subject: 1,
      predicate: 0,
      object: 4,
      subjectCells: [1],
      objectCells: [2],
      sure: [9, 8, 9],
      masks: 7,
    };
    expect(graphOf([first, other]).triplets).toHaveLength(2);
    expect(graphOf([first, other], { candidates: 1 }).triplets).toHaveLength(1);
  });

  it('throws the last class but one away, as published, or keeps it', () => {
    const wall: Query = { ...first, object: 3 };
    expect(graphOf([wall]).labels).toEqual([]);
    expect(graphOf([wall], { wallClass: 'keep' }).labels).toEqual([0, 3]);
    expect(graphOf([{ ...first, object: 4 }]).labels).toEqual([0, 4]);
  });

  it('drops relations of objects that own no pixel', () => {
    const stronger: Query = {
      subject: 1,
      predicate: 0,
      object: 4,
      subjectCells: [0],
      objectCells: [1, 2, 3],
      masks: 8,
    };
    expect(graphOf([first, stronger])).toEqual({ labels: [1, 4], triplets: [[0, 0, 1]] });
  });

  it('refuses masks that are not as many as the queries', () => {
    expect(() => sceneGraphFromQueries({ ...output([first]), objectMasks: new Float32Array(3) })).toThrow(ShapeError);
  });
});

import { describe, expect, it } from 'vitest';
import {
  captionScene,
  groundTruth,
  listQuestions,
  QUESTION_TYPES,
  type Scene,
  type SceneObject,
} from '../../src/index.js';
import { answerFromTruth } from './answer-from-truth.js';
import { scenesOf } from './scenes.js';

const object = (description: string, x: number, y: number): SceneObject => {
  const [size, colour, shape] = description.split(' ') as [
    SceneObject['size'],
    SceneObject['colour'],
    SceneObject['shape'],
  ];
  return { size, colour, shape, x, y, extent: size === 'small' ? 176 : 288 };
};

const scene = (overrides: Partial<Scene>): Scene => ({
  background: 220,
  objects: [],
  text: null,
  chart: null,
  ...overrides,
});

describe('listQuestions', () => {
  it.each(QUESTION_TYPES.filter((type) => type !== 'caption'))(
    '%s: every listed answer follows from boxes, labels, text and bars alone, in every wording',
    (type) => {
      let checked = 0;
      const wrong: string[] = [];
      for (const [placement, seed] of [
        ['grid', 40],
        ['free', 41],
      ] as const) {
        for (const drawn of scenesOf(seed, 150, { placement })) {
          const truth = groundTruth(drawn, 256);
          for (const { wordings, answer } of listQuestions(type, drawn, { placement })) {
            for (const wording of wordings) {
              const found = answerFromTruth(wording, truth);
              if (found !== answer) wrong.push(`${wording} ${answer}, not ${found}`);
            }
            checked += wordings.length;
          }
        }
      }
      expect(wrong).toEqual([]);
      expect(checked).toBeGreaterThan(200);
    },
  );

  it('asks about a pair of objects only where colour and shape identify both', () => {
    const twins = scene({
      objects: [
        object('small red circle', 170, 170),
        object('large red circle', 850, 850),
        object('small blue star', 850, 170),
      ],
    });
    expect(listQuestions('relation', twins)).toEqual([]);
    expect(listQuestions('position', twins).map(({ answer }) => answer)).toEqual(['top right']);
    expect(listQuestions('colour', twins).map(({ wordings }) => wordings[0])).toEqual(['What colour is the star?']);
  });

  it('does not ask for a neighbour where a word or a chart could be meant', () => {
    const objects = [object('small red circle', 170, 170), object('small blue star', 850, 170)];
    expect(
      listQuestions('neighbour', scene({ objects }))
        .map(({ answer }) => answer)
        .sort(),
    ).toEqual(['blue star', 'red circle']);
    const text = { content: 'CAT', x: 100, y: 600, dot: 32 };
    expect(listQuestions('neighbour', scene({ objects, text }))).toEqual([]);
  });

  it('counts neither bars nor their colours', () => {
    const bars = [
      { colour: 'red', value: 1 },
      { colour: 'blue', value: 2 },
      { colour: 'green', value: 3 },
    ] as const;
    const chart = { x: 20, y: 20, extent: 640, maximum: 6, bars };
    const beside = scene({ objects: [object('small red circle', 850, 850)], chart });
    expect(new Set(listQuestions('count', beside).map(({ group }) => group))).toEqual(new Set(['count/shape']));
    expect(listQuestions('shape', beside)).toEqual([]);
    expect(listQuestions('existence', beside).some(({ wordings }) => wordings[0]!.includes('square'))).toBe(false);
  });

  it('does not ask where an object is that lies between two regions', () => {
    const between = scene({ objects: [object('small red circle', 345, 170), object('small blue star', 170, 170)] });
    expect(listQuestions('position', between).map(({ answer }) => answer)).toEqual(['top left']);
  });
});

describe('captionScene', () => {
  it('names objects in reading order, then the word', () => {
    const drawn = scene({
      objects: [object('small orange star', 850, 850), object('large red circle', 170, 180)],
      text: { content: 'FOX', x: 240, y: 400, dot: 32 },
    });
    expect(captionScene(drawn)).toBe(
      'A large red circle at the top left, a small orange star at the bottom right and the word FOX at the centre.',
    );
  });

  it('gives the values of a chart, with the right articles', () => {
    const bars = [
      { colour: 'orange', value: 4 },
      { colour: 'red', value: 6 },
      { colour: 'cyan', value: 1 },
    ] as const;
    const drawn = scene({ chart: { x: 20, y: 360, extent: 640, maximum: 6, bars } });
    expect(captionScene(drawn)).toBe(
      'A chart at the left with an orange bar of 4, a red bar of 6 and a cyan bar of 1.',
    );
  });

  it('mentions every object, word and bar once', () => {
    for (const drawn of scenesOf(50, 200)) {
      const caption = captionScene(drawn).toLowerCase();
      const parts = [
        ...drawn.objects.map(({ size, colour, shape }) => `${size} ${colour} ${shape}`),
        ...(drawn.text === null ? [] : [`word ${drawn.text.content.toLowerCase()}`]),
        ...(drawn.chart?.bars.map(({ colour, value }) => `${colour} bar of ${value}`) ?? []),
      ];
      for (const part of new Set(parts)) {
        expect(caption.split(part)).toHaveLength(1 + parts.filter((other) => other === part).length);
      }
    }
  });
});

import type { CandidateLister } from './question.js';
import type { SceneBar, SceneChart } from './scene.js';

/** What does the text say? */
export const readingQuestions: CandidateLister = ({ text }) =>
  text === null
    ? []
    : [
        {
          group: 'reading',
          wordings: ['What does the text say?', 'What word is written in the image?'],
          answer: text.content,
          subjects: [],
        },
      ];

/** The bars of the largest and of the smallest value; values differ. */
export function extremeBars({ bars }: SceneChart): { readonly tallest: SceneBar; readonly shortest: SceneBar } {
  const sorted = [...bars].sort((a, b) => b.value - a.value);
  return { tallest: sorted[0]!, shortest: sorted[sorted.length - 1]! };
}

/** Which bar is the tallest, the shortest? What is the value of the red bar? */
export const chartQuestions: CandidateLister = ({ chart }) => {
  if (chart === null) return [];
  const { tallest, shortest } = extremeBars(chart);
  return [
    {
      group: 'chart/tallest',
      wordings: ['Which bar is the tallest?', 'What colour is the tallest bar?'],
      answer: tallest.colour,
      subjects: [],
    },
    {
      group: 'chart/shortest',
      wordings: ['Which bar is the shortest?', 'What colour is the shortest bar?'],
      answer: shortest.colour,
      subjects: [],
    },
    ...chart.bars.map(({ colour, value }) => ({
      group: 'chart/value',
      wordings: [`What is the value of the ${colour} bar?`, `How tall is the ${colour} bar?`],
      answer: String(value),
      subjects: [],
    })),
  ];
};

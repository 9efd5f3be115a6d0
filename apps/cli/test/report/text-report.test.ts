import { describe, expect, it } from 'vitest';
import { renderTextReport } from '../../src/report/text-report.js';
import { exampleResults } from './example-results.js';

describe('renderTextReport', () => {
  const lines = renderTextReport(exampleResults).split('\n');
  const cellsOf = (label: string) =>
    lines
      .find((line) => line.startsWith(`  ${label} `))!
      .slice(label.length + 2)
      .trim()
      .split(/ {2,}/);

  it('says what was reproduced and how often', () => {
    expect(lines[0]).toBe('honeybee (mini): Honeybee: Locality-enhanced Projector for Multimodal LLM');
    expect(lines[1]).toMatch(/^3 seeds per variant, 12 min 34 s/);
  });

  it('shows mean and deviation of each variant beside the best constant answer', () => {
    const { runs } = exampleResults.variants[0]!;
    const values = runs.map(({ accuracy }) => accuracy.count! * 100);
    const mean = (values[0]! + values[1]! + values[2]!) / 3;
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 2);
    expect(cellsOf('count')).toHaveLength(5);
    expect(cellsOf('count')[0]).toBe(`${mean.toFixed(1)} ± ${deviation.toFixed(1)}`);
    expect(cellsOf('count')[4]).toBe('45.0');
    expect(cellsOf('all questions')[4]).toBe('32.5');
  });

  it("shows costs and the paper's numbers in the same columns", () => {
    expect(cellsOf('visual tokens')).toEqual(['36', '16', '16', '36']);
    expect(cellsOf('step, finetune')).toEqual(['57.4 ms', '42.0 ms', '46.2 ms', '61.6 ms']);
    expect(lines).toContain('Paper (tables 3 and 8)');
    expect(cellsOf('MMB')).toEqual(['67.1', '66.0', '69.2', '70.2']);
    const columnEnds = (label: string) => {
      const line = lines.find((each) => each.startsWith(`  ${label} `))!;
      return [...line.matchAll(/\S(?= {2}|$)/g)].map(({ index }) => index).slice(1, 5);
    };
    expect(columnEnds('MMB')).toEqual(columnEnds('existence'));
  });

  it('says of each claim whether it held, with the evidence', () => {
    const start = lines.indexOf('Claims');
    expect(lines.slice(start + 1)).toEqual([
      '  held          The C-Abstractor beats the resampler on spatial questions at equal tokens.',
      '                63.1 against 44.2, every seed',
      '  did not hold  The resampler loses most on positions.',
      '                loses 19.0 on position, 19.4 on count',
      '  undecided     More tokens help the C-Abstractor.',
      '                differs by 0.4 with a deviation of 1.1',
    ]);
  });

  it('leaves out what there is not: spread of one seed, and numbers of the paper', () => {
    const { published: _, ...rest } = exampleResults;
    const single = {
      ...rest,
      variants: rest.variants.map((variant) => ({ ...variant, runs: variant.runs.slice(0, 1) })),
    };
    const text = renderTextReport(single);
    expect(text).toMatch(/^1 seed per variant/m);
    expect(text).not.toMatch(/Paper|\d ± \d/);
  });
});

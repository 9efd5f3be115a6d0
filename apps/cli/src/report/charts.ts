import { BarChart, CustomChart, LineChart, ScatterChart } from 'echarts/charts';
import { GridComponent } from 'echarts/components';
import { type EChartsCoreOption, init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import type { RecipeResults, VariantResults } from './results.js';
import { accuracyOf, lossCurve, type Summary, stageNames, stepTimeOf } from './statistics.js';

/** Colours of variants, told apart by colour-blind readers (Okabe & Ito 2008), darkened for a white page. */
const palette = ['#0072b2', '#d55e00', '#009e73', '#b5579a', '#8c6d00', '#3f9fd6', '#5b5b5b', '#a03030'];

const textStyle = { fontFamily: 'system-ui, sans-serif', fontSize: 13, color: '#333' };
const axisStyle = {
  axisLine: { lineStyle: { color: '#999' } },
  axisTick: { show: false },
  axisLabel: { color: '#444', fontSize: 12 },
};
const valueAxis = {
  ...axisStyle,
  type: 'value',
  splitLine: { lineStyle: { color: '#eceff2' } },
  nameTextStyle: { color: '#444', align: 'left', padding: [0, 0, 0, -34] },
} as const;

/** For the name of a horizontal axis, which goes below its middle. */
const middleName = { nameLocation: 'middle', nameGap: 28, nameTextStyle: { color: '#444' } } as const;

/** The colour of a variant, the same in all charts. */
export function colourOf(index: number): string {
  return palette[index % palette.length]!;
}

function render(option: EChartsCoreOption, size: { readonly width: number; readonly height: number }): string {
  use([BarChart, CustomChart, LineChart, ScatterChart, GridComponent, SVGRenderer]);
  const chart = init(null, null, { renderer: 'svg', ssr: true, ...size });
  try {
    chart.setOption({ animation: false, textStyle, ...option });
    // What serves a pointer or an animation is left out: its names are numbered by a counter, and differ from page to page.
    return chart
      .renderToSVGString()
      .replace(/<(style|defs)[^>]*>.*?<\/\1>/gs, '')
      .replace(/ (?:class|clip-path|ecmeta_\w+|pointer-events)="[^"]*"/g, '');
  } finally {
    chart.dispose();
  }
}

interface DrawingApi {
  value(dimension: number): number;
  coord(point: readonly [number, number]): [number, number];
  size(lengths: readonly [number, number]): [number, number];
}

/** A vertical line with caps. Dimensions: category, low, high. */
function errorBar(offset: (api: DrawingApi) => number) {
  return (_parameters: unknown, api: DrawingApi) => {
    const [x, top] = api.coord([api.value(0), api.value(2)]);
    const [, bottom] = api.coord([api.value(0), api.value(1)]);
    const centre = x + offset(api);
    const line = (x1: number, y1: number, x2: number, y2: number) => ({
      type: 'line',
      shape: { x1, y1, x2, y2 },
      style: { stroke: '#333', lineWidth: 1.2 },
    });
    const cap = 3;
    return {
      type: 'group',
      children: [
        line(centre, top, centre, bottom),
        line(centre - cap, top, centre + cap, top),
        line(centre - cap, bottom, centre + cap, bottom),
      ],
    };
  };
}

const percent = (value: number) => Math.round(value * 1000) / 10;

function errorRange(x: number, summary: Summary | undefined): [number, number, number][] {
  if (summary?.deviation === undefined) return [];
  return [
    [x, percent(Math.max(0, summary.mean - summary.deviation)), percent(Math.min(1, summary.mean + summary.deviation))],
  ];
}

/** Bars of a category take this share of its width, in equal parts. */
const groupShare = 0.76;

/** Accuracy by question type: a bar per variant, spread over seeds, and the best constant answer as a line. */
export function accuracyChart(results: RecipeResults): string {
  const { variants, questionTypes, baseline, overallBaseline } = results;
  const categories = [...questionTypes, 'all questions'];
  const constants = [...questionTypes.map((type) => baseline[type] ?? Number.NaN), overallBaseline];
  const summaries = variants.map((variant) => [
    ...questionTypes.map((type) => accuracyOf(variant, type)),
    accuracyOf(variant),
  ]);
  const barWidth = (api: DrawingApi) => (api.size([1, 0])[0] * groupShare) / variants.length;
  return render(
    {
      grid: { left: 44, right: 8, top: 34, bottom: 32 },
      xAxis: { ...axisStyle, type: 'category', data: categories, axisLabel: { ...axisStyle.axisLabel, interval: 0 } },
      yAxis: { ...valueAxis, name: 'accuracy, %', max: 100, min: 0 },
      series: [
        ...variants.map(({ name }, index) => ({
          type: 'bar',
          name,
          data: summaries[index]!.map((summary) => (summary ? percent(summary.mean) : '-')),
          itemStyle: { color: colourOf(index), borderRadius: [2, 2, 0, 0] },
          barWidth: `${(groupShare * 100) / variants.length}%`,
          barGap: '0%',
          barCategoryGap: '0%',
        })),
        ...variants.map((_, index) => ({
          type: 'custom',
          z: 4,
          data: summaries[index]!.flatMap((summary, category) => errorRange(category, summary)),
          renderItem: errorBar((api) => (index - (variants.length - 1) / 2) * barWidth(api)),
        })),
        {
          type: 'custom',
          name: 'best constant answer',
          z: 5,
          itemStyle: { color: '#111' },
          data: constants.flatMap((value, category) => (Number.isNaN(value) ? [] : [[category, percent(value)]])),
          renderItem: (_parameters: unknown, api: DrawingApi) => {
            const [x, y] = api.coord([api.value(0), api.value(1)]);
            const half = (api.size([1, 0])[0] * (groupShare + 0.1)) / 2;
            return {
              type: 'line',
              shape: { x1: x - half, y1: y, x2: x + half, y2: y },
              style: { stroke: '#111', lineWidth: 1.6, lineDash: [5, 3] },
            };
          },
        },
      ],
    },
    { width: Math.max(1120, 140 + categories.length * Math.max(70, 22 * variants.length)), height: 380 },
  );
}

/** The loss of one stage, a line per variant, averaged over seeds. */
export function lossChart(results: RecipeResults, stage: string): string {
  const { variants } = results;
  return render(
    {
      grid: { left: 44, right: 20, top: 34, bottom: 44 },
      xAxis: { ...valueAxis, ...middleName, name: 'step', max: 'dataMax' },
      yAxis: { ...valueAxis, name: 'loss, nats per token', scale: true },
      series: variants.map((variant, index) => ({
        type: 'line',
        name: variant.name,
        showSymbol: false,
        lineStyle: { width: 1.8 },
        itemStyle: { color: colourOf(index) },
        data: lossCurve(variant, stage).map(({ step, loss }) => [step, Math.round(loss * 1e4) / 1e4]),
      })),
    },
    { width: 560, height: 320 },
  );
}

/** What accuracy is plotted against: visual tokens, or (where all variants have as many) the time of a step. */
export function costAxis({ variants }: RecipeResults): {
  readonly name: string;
  costOf(variant: VariantResults): number | undefined;
} {
  const isTokens = new Set(variants.map(({ visualTokens }) => visualTokens)).size > 1;
  const stage = stageNames(variants).at(-1);
  if (isTokens || stage === undefined) return { name: 'visual tokens', costOf: ({ visualTokens }) => visualTokens };
  const milliseconds = (summary: Summary | undefined) => summary && Math.round(summary.mean * 1e4) / 10;
  return { name: `milliseconds per step, ${stage}`, costOf: (variant) => milliseconds(stepTimeOf(variant, stage)) };
}

/** Accuracy on all questions against {@link costAxis}, a point per variant. */
export function costChart(results: RecipeResults): string {
  const { name, costOf } = costAxis(results);
  const points = results.variants.flatMap((variant, index) => {
    const [cost, summary] = [costOf(variant), accuracyOf(variant)];
    return summary && cost !== undefined ? [{ name: variant.name, index, cost, summary }] : [];
  });
  return render(
    {
      grid: { left: 44, right: 110, top: 34, bottom: 44 },
      xAxis: { ...valueAxis, ...middleName, name, min: 0 },
      yAxis: { ...valueAxis, name: 'accuracy, %', scale: true },
      series: [
        {
          type: 'custom',
          data: points.flatMap(({ cost, summary }) => errorRange(cost, summary)),
          renderItem: errorBar(() => 0),
        },
        {
          type: 'scatter',
          symbolSize: 11,
          z: 5,
          labelLayout: { hideOverlap: false, moveOverlap: 'shiftY' },
          data: points.map((point) => ({
            value: [point.cost, percent(point.summary.mean)],
            itemStyle: { color: colourOf(point.index) },
            label: { show: true, position: 'right', formatter: point.name, color: '#333', fontSize: 12 },
          })),
        },
      ],
    },
    { width: 560, height: 320 },
  );
}

/** The time of a step of one stage, a bar per variant. */
export function stepTimeChart({ variants }: RecipeResults, stage: string): string {
  const times = variants.map((variant) => stepTimeOf(variant, stage));
  return render(
    {
      grid: { left: 20 + 7 * Math.max(...variants.map(({ name }) => name.length)), right: 64, top: 12, bottom: 44 },
      xAxis: { ...valueAxis, ...middleName, name: 'milliseconds per step' },
      yAxis: { ...axisStyle, type: 'category', inverse: true, data: variants.map(({ name }) => name) },
      series: [
        {
          type: 'bar',
          barMaxWidth: 26,
          data: times.map((summary, index) => ({
            value: summary ? Math.round(summary.mean * 1e4) / 10 : '-',
            itemStyle: { color: colourOf(index), borderRadius: [0, 2, 2, 0] },
          })),
          label: { show: true, position: 'right', color: '#333', fontSize: 12 },
        },
      ],
    },
    { width: 560, height: 80 + 44 * variants.length },
  );
}

import { readFile } from 'node:fs/promises';
import type { StageRun } from '../report/results.js';

interface MetricLine {
  readonly stage: string;
  readonly step: number;
  readonly loss: number;
  readonly stepSeconds: number;
}

/** Points of a curve: each is the mean of this many steps. */
const stepsPerPoint = 5;

/** Loss curves and step times of a run's stages, from its `metrics.jsonl`. */
export async function readStageRuns(file: string): Promise<StageRun[]> {
  const lines = (await readFile(file, 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as MetricLine);
  const names = [...new Set(lines.map(({ stage }) => stage))];
  return names.map((name) => {
    const steps = lines.filter(({ stage, loss }) => stage === name && loss !== undefined);
    const times = steps.map(({ stepSeconds }) => stepSeconds).sort((a, b) => a - b);
    const loss = [];
    for (let start = 0; start < steps.length; start += stepsPerPoint) {
      const group = steps.slice(start, start + stepsPerPoint);
      loss.push({ step: group.at(-1)!.step, loss: group.reduce((sum, each) => sum + each.loss, 0) / group.length });
    }
    return { name, steps: steps.length, secondsPerStep: times[times.length >> 1]!, loss };
  });
}

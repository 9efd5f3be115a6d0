import { initializers, randomKey } from '@ocelli/core-tensor';
import { interleaved, report, seconds } from '../../core-tensor/bench/measure.js';
import { type LogitsProcessor, sampleToken, samplingKeys, warpers } from '../src/index.js';

/** Drawing a token of Qwen2's vocabulary, beside sorting its scores, with which the usual implementations begin. */
const vocabSize = 152_064;
const repetitions = 20;
const scores = initializers.normal(0, 3)([vocabSize], randomKey('scores'));
const row = new Float32Array(vocabSize);
const context = { ids: [], promptLength: 0, row: 0 };
const keyOf = samplingKeys(0);

const repeated = (run: (step: number) => void) => () =>
  seconds(async () => {
    for (let step = 0; step < repetitions; step++) {
      row.set(scores);
      run(step);
    }
  });

const drawing = (...processors: readonly LogitsProcessor[]) =>
  repeated((step) => {
    for (const process of processors) process(row, context);
    sampleToken(row, keyOf(0, step));
  });

const [both, nucleus, sorting] = await interleaved(
  drawing(warpers.temperature(0.7), warpers.topK(50), warpers.topP(0.9)),
  drawing(warpers.temperature(0.7), warpers.topP(0.9)),
  repeated(() => row.sort()),
);
for (const [name, timing, target] of [
  ['top-k 50, top-p 0.9', both!, 8],
  ['top-p 0.9', nucleus!, 5],
] as const) {
  const ratio = sorting!.best / timing.best;
  report(`choose-token: ${name}`, ratio, `>= ${target}`, ratio >= target, {
    milliseconds: (timing.best / repetitions) * 1e3,
    sortingMilliseconds: (sorting!.best / repetitions) * 1e3,
  });
}

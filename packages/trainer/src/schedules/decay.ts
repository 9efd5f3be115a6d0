/** Where a schedule is: the step (from 0), the steps of its warm-up, and the steps it is made for. */
export interface ScheduleTime {
  readonly step: number;
  readonly warmupSteps: number;
  readonly steps: number;
}

// Every function returns the factor of the peak learning rate. Source: transformers `optimization.py`.

/** Linear from 0; the first step has a factor of 0. Undefined once the warm-up is over. */
function warmUp({ step, warmupSteps }: ScheduleTime): number | undefined {
  return step < warmupSteps ? step / Math.max(1, warmupSteps) : undefined;
}

/** Share of the time after the warm-up that has passed; above 1 after the last step. */
function progress({ step, warmupSteps, steps }: ScheduleTime): number {
  return (step - warmupSteps) / Math.max(1, steps - warmupSteps);
}

/** Half a cosine wave from 1 to 0. It rises again after the last step, as its source does. */
function halfCosine(share: number): number {
  return 0.5 * (1 + Math.cos(Math.PI * share));
}

/** 1 from the end of the warm-up on. */
export function constant(time: ScheduleTime): number {
  return warmUp(time) ?? 1;
}

/** A straight line from 1 to 0, which it stays at. */
export function linear(time: ScheduleTime): number {
  return warmUp(time) ?? Math.max(0, 1 - progress(time));
}

/** Half a cosine wave from 1 to 0. */
export function cosine(time: ScheduleTime): number {
  return warmUp(time) ?? halfCosine(progress(time));
}

/** Half a cosine wave from 1 to `minimum`. */
export function cosineWithMinimum(time: ScheduleTime, minimum: number): number {
  return warmUp(time) ?? Math.max(0, halfCosine(progress(time)) * (1 - minimum) + minimum);
}

/** From 1 to `end` as a power of the time that is left; `end` afterwards. */
export function polynomial(time: ScheduleTime, end: number, power: number): number {
  const risen = warmUp(time);
  if (risen !== undefined) return risen;
  return time.step > time.steps ? end : (1 - end) * (1 - progress(time)) ** power + end;
}

/** A line from `minimum` to 1 during the warm-up, then half a cosine wave back to `minimum` (Honeybee). */
export function cosineFromMinimum(time: ScheduleTime, minimum: number): number {
  const { step, warmupSteps } = time;
  const share = step < warmupSteps ? step / warmupSteps : halfCosine(progress(time));
  return minimum + (1 - minimum) * share;
}

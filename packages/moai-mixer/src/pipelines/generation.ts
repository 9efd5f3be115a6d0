/** How answers to benchmarks are generated: beams, whose number and temperature the configuration file does not change. */
export interface PipelineGeneration {
  readonly doSample: false;
  readonly numBeams: 3;
  readonly maxNewTokens: number;
}

/** Ids without those that stand for nothing, which decoding would not know. */
export function withoutIgnoredIds(ids: readonly number[], ignored = -100): number[] {
  return ids.filter((id) => id !== ignored);
}

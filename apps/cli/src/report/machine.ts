import { availableParallelism, cpus, totalmem } from 'node:os';
import type { MachineInfo } from './results.js';

/** Describes this machine. */
export function describeMachine(engine: string): MachineInfo {
  return {
    platform: `${process.platform} ${process.arch}`,
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    threads: availableParallelism(),
    memoryBytes: totalmem(),
    node: process.versions.node,
    engine,
  };
}

/** Numbers of one step. */
export interface MetricRecord {
  /** Steps made in the whole run, counted from 1. */
  readonly step: number;
  /** Name of the stage. */
  readonly stage: string;
  readonly values: Readonly<Record<string, number>>;
}

/** Somewhere metrics go. */
export interface MetricWriter {
  /** Resolves when the operating system has the record. */
  write(record: MetricRecord): Promise<void>;
  close(): Promise<void>;
}

import {
  type FoundFixture,
  findFixtures,
  type ParityCheck,
  type ParityResult,
  passes,
  readFixture,
  runParityCheck,
  worstOf,
} from '@ocelli/core-tensor';

/** The comparison of one fixture. */
export interface ParityOutcome extends ParityResult {
  readonly fixture: FoundFixture;
  readonly passed: boolean;
}

/** What is going to be compared. */
export interface ParityPlan {
  /** Fixtures that a package answers for, and files that cannot be read. */
  readonly fixtures: readonly FoundFixture[];
  /** How many fixtures there are of each kind that no package answers for. */
  readonly unregistered: ReadonlyMap<string, number>;
  /** Folders without any fixture. */
  readonly empty: readonly string[];
}

/**
 * Finds the fixtures below some folders. A file that is below several of them counts once.
 *
 * @param kindPrefix only those of this kind, or of kinds that begin so
 */
export async function planParity(
  folders: readonly string[],
  checks: ReadonlyMap<string, readonly ParityCheck[]>,
  kindPrefix = '',
): Promise<ParityPlan> {
  const fixtures: FoundFixture[] = [];
  const unregistered = new Map<string, number>();
  const empty: string[] = [];
  const seen = new Set<string>();
  for (const folder of folders) {
    const found = await findFixtures(folder);
    if (found.length === 0) empty.push(folder);
    for (const fixture of found) {
      const { kind, file } = fixture;
      if (seen.has(file)) continue;
      seen.add(file);
      if (kind !== undefined && !kind.startsWith(kindPrefix)) continue;
      if (kind === undefined || checks.has(kind)) fixtures.push(fixture);
      else unregistered.set(kind, (unregistered.get(kind) ?? 0) + 1);
    }
  }
  return { fixtures, unregistered, empty };
}

/** Compares each fixture in turn. A file that cannot be read, and a check that throws, do not pass. */
export async function* runParity(
  fixtures: readonly FoundFixture[],
  checks: ReadonlyMap<string, readonly ParityCheck[]>,
): AsyncGenerator<ParityOutcome> {
  for (const fixture of fixtures) {
    const result = await compare(fixture, checks.get(fixture.kind ?? '') ?? []);
    yield { ...result, fixture, passed: passes(result) };
  }
}

async function compare({ file, problem }: FoundFixture, checks: readonly ParityCheck[]): Promise<ParityResult> {
  if (problem !== undefined) return failure(problem);
  try {
    const content = await readFixture(file);
    const results: ParityResult[] = [];
    for (const check of checks) results.push(await runParityCheck(check, content));
    return worstOf(results);
  } catch (error) {
    return failure(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
  }
}

function failure(mismatch: string): ParityResult {
  return { forward: 0, gradient: 0, mismatches: [mismatch] };
}

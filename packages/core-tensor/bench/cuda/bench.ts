import { closeEngine, useEngine } from '../../src/index.js';
import { benchArguments, type PeerMode, peerModes } from './arguments.js';
import { type Card, findCard } from './card.js';
import { findPyTorch, type PeerScript, type PyTorch, startPeer } from './peer.js';
import { measureRates, type Rates } from './rates.js';
import { medians, type Repetition, type Side } from './timing.js';

/** The least that a step has to compute and to move. */
export interface Work {
  readonly flops: number;
  /** Bytes read and written at least, where they may take longer than the computations. */
  readonly bytes?: number;
}

/** What is compared. */
export interface Comparison {
  readonly bench: string;
  readonly ours: Side;
  readonly peer: PeerScript;
  readonly work: Work;
  /** How many times as fast as PyTorch it should be, by how PyTorch runs. */
  readonly targets: Readonly<Partial<Record<PeerMode, number>>>;
  /** The part of the floor's speed that it should reach, where that is asked for. */
  readonly floorTarget?: number;
  readonly repetition?: Repetition;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** What a bench works with. */
export interface CudaBench {
  readonly tiny: boolean;
  readonly rates: Rates;
  /** Measures both sides and prints a line for each way in which PyTorch runs. */
  compare(comparison: Comparison): Promise<void>;
  /** Prints a line for what has no peer. */
  report(line: Readonly<Record<string, unknown>> & { readonly bench: string }): void;
}

const defaultRepetition: Repetition = { rounds: 9, steps: 10 };
const tinyRepetition: Repetition = { rounds: 1, steps: 2 };

/**
 * Runs a bench on the card, in bfloat16. Without a card it says why in a line and ends well; a failure is a line too,
 * and a code.
 */
export async function cudaBench(name: string, run: (bench: CudaBench) => Promise<void>): Promise<void> {
  const print = (line: object) => console.log(JSON.stringify(line, rounded));
  try {
    const { tiny, peers } = benchArguments();
    const card = await findCard();
    if ('skipped' in card) {
      print({ bench: name, skipped: card.skipped });
      return;
    }
    await useEngine('cuda', { precision: 'bfloat16' });
    const rates = await measureRates(tiny);
    const torch = findPyTorch({ onProcessor: tiny });
    const report: CudaBench['report'] = (line) =>
      print({
        ...line,
        ...(tiny && { tiny, holds: null, floorHolds: null }),
        ...surroundings({ name, card, rates, more: line.versions }),
      });
    const compare: CudaBench['compare'] = (comparison) =>
      compareSides(comparison, { tiny, peers, torch, rates, report });
    await run({ tiny, rates, compare, report });
  } catch (error) {
    print({ bench: name, failed: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    process.exitCode = 1;
  } finally {
    await closeEngine();
  }
}

interface Setting {
  readonly tiny: boolean;
  readonly peers: readonly PeerMode[];
  readonly torch: PyTorch;
  readonly rates: Rates;
  readonly report: CudaBench['report'];
}

async function compareSides(
  { bench, ours, peer, work, targets, floorTarget, repetition = defaultRepetition, details }: Comparison,
  { tiny, peers, torch, rates, report }: Setting,
): Promise<void> {
  const repeated = tiny ? tinyRepetition : repetition;
  const floor = floorOf(work, rates);
  const line = (milliseconds: number, rest: object) =>
    report({ bench, ...againstFloor(milliseconds, floor, floorTarget), ...rest, ...details });
  let measured = false;
  for (const mode of peerModes) {
    const skipped = whySkipped(mode, peers, torch);
    if (skipped !== undefined || 'skipped' in torch) {
      report({ bench, peerMode: mode, peer: null, peerSkipped: skipped });
      continue;
    }
    try {
      const started = await startPeer(torch, peer, mode);
      try {
        const [milliseconds, theirs] = (await medians([ours, started.side], repeated)) as [number, number];
        const [ratio, target] = [theirs / milliseconds, targets[mode] ?? null];
        const holds = target === null ? null : ratio >= target;
        line(milliseconds, { peerMode: mode, peer: theirs, ratio, target, holds, versions: started.details });
        measured = true;
      } finally {
        started.close();
      }
    } catch (error) {
      report({ bench, peerMode: mode, peer: null, peerFailed: (error as Error).message });
      process.exitCode = 1;
    }
  }
  if (measured) return;
  const [alone] = await medians([ours], repeated);
  line(alone!, { peerMode: null, peer: null, ratio: null });
}

function whySkipped(mode: PeerMode, peers: readonly PeerMode[], torch: PyTorch): string | undefined {
  if (!peers.includes(mode)) return 'not asked for';
  if ('skipped' in torch) return torch.skipped;
  return mode === 'compiled' && !torch.compiles ? 'this PyTorch has no compiler' : undefined;
}

/** How a line says what a time is of its floor. */
export function againstFloor(milliseconds: number, floor: number, target?: number): object {
  const fractionOfFloor = floor / milliseconds;
  const aim = target === undefined ? {} : { floorTarget: target, floorHolds: fractionOfFloor >= target };
  return { ours: milliseconds, floor, fractionOfFloor, ...aim };
}

/** Milliseconds below which the card cannot be. */
export function floorOf({ flops, bytes = 0 }: Work, { matmul, bandwidth }: Rates): number {
  return 1e3 * Math.max(flops / matmul, bytes / bandwidth);
}

function surroundings({ name, card, rates, more }: Surroundings): object {
  return {
    card: card.name,
    driver: card.driver ?? null,
    versions: { ...card.versions, ...(more as object | undefined) },
    matmulTeraflops: rates.matmul / 1e12,
    bandwidthGigabytes: rates.bandwidth / 1e9,
    command: ['pnpm bench:cuda', name, ...process.argv.slice(2)].join(' '),
  };
}

interface Surroundings {
  readonly name: string;
  readonly card: Card;
  readonly rates: Rates;
  /** Versions that a line has beside the card's. */
  readonly more: unknown;
}

function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(4)) : value;
}

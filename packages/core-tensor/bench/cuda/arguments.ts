import { parseArgs } from 'node:util';

/** How PyTorch runs: operation by operation, or compiled. */
export type PeerMode = 'eager' | 'compiled';

export const peerModes = ['eager', 'compiled'] as const satisfies readonly PeerMode[];

/** What the command line of a bench asks for. */
export interface BenchArguments {
  /** Sizes that a processor computes in seconds: they show that the bench runs, and nothing about speed. */
  readonly tiny: boolean;
  /** What is measured against. */
  readonly peers: readonly PeerMode[];
}

/** Reads `--tiny` and `--peers eager,compiled` (or `none`); other words belong to the bench. */
export function benchArguments(): BenchArguments {
  const { values } = parseArgs({
    options: { tiny: { type: 'boolean', default: false }, peers: { type: 'string', default: peerModes.join() } },
    strict: false,
  });
  const asked = String(values.peers).split(',');
  const unknown = asked.filter((mode) => mode !== 'none' && !peerModes.some((known) => known === mode));
  if (unknown.length > 0) {
    throw new RangeError(`--peers: expected ${peerModes.join(', ')} or none, received ${unknown.join(', ')}`);
  }
  return { tiny: values.tiny === true, peers: peerModes.filter((mode) => asked.includes(mode)) };
}

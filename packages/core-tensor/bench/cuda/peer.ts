import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { PeerMode } from './arguments.js';
import type { Side } from './timing.js';

/** A step in PyTorch: a script beside the bench, whose function `build` makes it from sizes. */
export interface PeerScript {
  readonly script: URL;
  readonly sizes: object;
}

/** PyTorch in a process of its own. */
export interface Peer {
  readonly side: Side;
  /** What it says of itself: versions, and how it computes attention. */
  readonly details: Readonly<Record<string, string>>;
  close(): void;
}

/** Where PyTorch is, and what it computes on. */
export type PyTorch =
  | { readonly interpreter: string; readonly device: 'cuda' | 'cpu'; readonly compiles: boolean }
  | { readonly skipped: string };

const interpreters = ['python3', '/usr/bin/python3'];
const folder = fileURLToPath(new URL('.', import.meta.url));

const question = `
import json, torch
print(json.dumps([torch.cuda.is_available(), hasattr(torch, "compile")]))
`;

/**
 * Looks for PyTorch with a card.
 *
 * @param onProcessor takes one without a card too, to see that the scripts run.
 */
export function findPyTorch({ onProcessor }: { readonly onProcessor: boolean }): PyTorch {
  let skipped = 'PyTorch is not installed';
  for (const interpreter of interpreters) {
    const answer = ask(interpreter);
    if (!answer) continue;
    const [hasCard, compiles] = answer;
    if (hasCard || onProcessor) return { interpreter, device: hasCard ? 'cuda' : 'cpu', compiles };
    skipped = 'PyTorch sees no card';
  }
  return { skipped };
}

function ask(interpreter: string): [hasCard: boolean, compiles: boolean] | undefined {
  try {
    const output = execFileSync(interpreter, ['-c', question], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return JSON.parse(output) as [boolean, boolean];
  } catch {
    return undefined;
  }
}

/** Starts a script; resolves when it has warmed up, compilation included. @throws Error with what it wrote, if it ends */
export async function startPeer(
  torch: Exclude<PyTorch, { skipped: string }>,
  { script, sizes }: PeerScript,
  mode: PeerMode,
): Promise<Peer> {
  const settings = JSON.stringify({ sizes, mode, device: torch.device });
  const child = spawn(torch.interpreter, [fileURLToPath(script), settings], {
    env: { ...process.env, PYTHONPATH: folder, PYTHONUNBUFFERED: '1' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const errors = keepEnd(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => {
    const { value, done } = await lines.next();
    if (!done) return value as string;
    if (child.exitCode === null) await once(child, 'exit');
    throw new Error(`${fileURLToPath(script)} (${mode}) ended with code ${child.exitCode}: ${errors()}`);
  };
  const details = JSON.parse(await next()) as Record<string, string>;
  return {
    details,
    side: async (steps) => {
      child.stdin.write(`${steps}\n`);
      return Number(await next()) * 1e3;
    },
    close: () => child.stdin.end(),
  };
}

/** The last of what a process writes to its error stream. */
function keepEnd(child: ChildProcess): () => string {
  let text = '';
  child.stderr!.setEncoding('utf8').on('data', (piece: string) => {
    text = (text + piece).slice(-2000);
  });
  return () => text.trim();
}

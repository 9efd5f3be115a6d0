import { totalmem } from 'node:os';
import { type CheckResult, inGibibytes } from '../check.js';

const enough = 3 * 2 ** 30;

/** Memory that is left to this process, within the limit of its container. */
export function checkMemory(
  available: number = process.availableMemory(),
  total: number = Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY),
): CheckResult {
  const name = 'memory';
  const detail = `${inGibibytes(available)} of ${inGibibytes(total)} available`;
  if (available >= enough) return { name, status: 'ok', detail };
  return {
    name,
    status: 'warning',
    detail: `${detail}; the small recipes take up to ${inGibibytes(enough)}`,
    remedy: 'ps -eo rss,comm --sort=-rss | head',
  };
}

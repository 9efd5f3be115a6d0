import type { CheckResult } from '../check.js';

const oldest = [20, 19] as const;

/** Node's version, which has to be 20.19 or newer. */
export function checkNodeVersion(version: string = process.versions.node): CheckResult {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isEnough = major > oldest[0] || (major === oldest[0] && minor >= oldest[1]);
  const name = 'Node';
  if (isEnough) return { name, status: 'ok', detail: `${version} on ${process.platform} ${process.arch}` };
  return { name, status: 'problem', detail: `${version} is older than ${oldest.join('.')}`, remedy: 'nvm install 22' };
}

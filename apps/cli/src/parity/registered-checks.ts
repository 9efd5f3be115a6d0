import type { ParityCheck, ParityChecks } from '@ocelli/core-tensor';

/** The packages that answer for fixtures. */
const packages: readonly (() => Promise<{ readonly parityChecks: ParityChecks }>)[] = [
  () => import('@ocelli/core-tensor/fixtures'),
  () => import('@ocelli/data/fixtures'),
  () => import('@ocelli/encoders/fixtures'),
  () => import('@ocelli/language/fixtures'),
  () => import('@ocelli/projectors/fixtures'),
  () => import('@ocelli/manager/fixtures'),
  () => import('@ocelli/moai-mixer/fixtures'),
  () => import('@ocelli/vlm/fixtures'),
  () => import('@ocelli/trainer/fixtures'),
  () => import('@ocelli/eval/fixtures'),
];

/** Every check by kind. Several packages may answer for parts of one kind. */
export async function registeredChecks(): Promise<Map<string, ParityCheck[]>> {
  const checks = new Map<string, ParityCheck[]>();
  for (const load of packages) {
    const { parityChecks } = await load();
    for (const [kind, check] of Object.entries(parityChecks)) checks.set(kind, [...(checks.get(kind) ?? []), check]);
  }
  return checks;
}

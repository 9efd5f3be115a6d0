// Prints the folder of the software device's libraries, which stand in for NVIDIA's where there is no card; builds them
// first where that has not been done. Needs g++.
import { spawnSync } from 'node:child_process';
import { root } from './pnpm.mjs';

const question = `
  import { softwareDevice } from './packages/core-tensor/test/engine/cuda/software-device/software-device.ts';
  console.log(JSON.stringify(await softwareDevice()));
`;

/** The folder, for `OCELLI_CUDA_LIBRARIES`. @throws Error that says why there is none */
export function softwareDeviceFolder() {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '--eval', question],
    { cwd: root, encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(stderr);
  const { folder, skipped } = JSON.parse(stdout);
  if (folder === undefined) throw new Error(`no software device: ${skipped}`);
  return folder;
}

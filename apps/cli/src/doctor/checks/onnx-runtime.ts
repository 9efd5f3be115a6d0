import type { CheckResult } from '../check.js';
import { requireFrom } from '../require-from.js';

interface OnnxRuntime {
  readonly env: { readonly versions: { readonly node?: string } };
  listSupportedBackends(): readonly { readonly name: string; readonly bundled: boolean }[];
}

/** Whether onnxruntime-node loads, and the execution providers it was built with. */
export function checkOnnxRuntime(
  load: () => OnnxRuntime = () => requireFrom('@ocelli/core-tensor', 'onnxruntime-node') as OnnxRuntime,
): CheckResult {
  const name = 'onnxruntime-node';
  try {
    const runtime = load();
    const providers = runtime.listSupportedBackends();
    const list = (bundled: boolean) =>
      providers
        .filter((each) => each.bundled === bundled)
        .map((each) => each.name)
        .join(', ');
    const optional = list(false);
    const detail = `${runtime.env.versions.node ?? 'unknown version'}, providers ${list(true)}${optional && `; ${optional} after installation`}`;
    return { name, status: 'ok', detail };
  } catch (error) {
    return {
      name,
      status: 'problem',
      detail: `does not load: ${(error as Error).message.split('\n')[0]}`,
      remedy: 'npm install onnxruntime-node --ignore-scripts --force',
    };
  }
}

import type { AnyTypedArray } from '../dtype.js';
import type { Graph } from '../graph/graph.js';
import type { Engine, Program } from './engine.js';

/** Programs kept per engine; the one unused for longest is released first. */
const capacity = 128;

const caches = new WeakMap<Engine, Map<string, Promise<Program>>>();
const identities = new WeakMap<AnyTypedArray, number>();
let nextIdentity = 0;

/** A program for the graph: the one compiled earlier for a graph of the same structure, if there is one. */
export function cachedProgram(engine: Engine, graph: Graph): Promise<Program> {
  let cache = caches.get(engine);
  if (!cache) {
    cache = new Map();
    caches.set(engine, cache);
  }
  const key = structureOf(graph);
  const known = cache.get(key);
  cache.delete(key);
  const program = known ?? engine.compile(graph);
  cache.set(key, program);
  if (!known) program.catch(() => cache.delete(key));
  if (cache.size > capacity) {
    const [oldest, stale] = cache.entries().next().value!;
    cache.delete(oldest);
    stale.then((each) => engine.release(each)).catch(() => undefined);
  }
  return program;
}

/** Releases a program whose constants are out of date, and compiles its graph anew when it is next asked for. */
export function forgetProgram(program: Program): void {
  const cache = caches.get(program.engine);
  for (const [key, each] of cache ?? []) {
    void each.then(
      (known) => {
        if (known !== program || cache?.get(key) !== each) return;
        cache.delete(key);
        program.engine.release(program);
      },
      () => undefined,
    );
  }
}

/** A text that two graphs share exactly if one program computes both. Large constants count by identity. */
function structureOf({ nodes, inputCount, outputs }: Graph): string {
  const lines = nodes.map((node) => {
    const type = `${node.dtype}[${node.shape.join()}]`;
    switch (node.kind) {
      case 'input':
        return `i${node.position}:${type}`;
      case 'resident':
        return `r${node.buffer}.${node.version}:${type}`;
      case 'constant':
        return `c${node.data.length <= 16 ? node.data.join() : `#${identityOf(node.data)}`}:${type}`;
      case 'operation':
        return `${node.op}(${node.inputs.join()})${JSON.stringify(node.attributes)}:${type}`;
    }
  });
  return `${inputCount}|${lines.join(';')}|${outputs.join()}`;
}

function identityOf(data: AnyTypedArray): number {
  let identity = identities.get(data);
  if (identity === undefined) {
    identity = nextIdentity++;
    identities.set(data, identity);
  }
  return identity;
}

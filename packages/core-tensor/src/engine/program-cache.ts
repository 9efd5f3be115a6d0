import type { AnyTypedArray } from '../dtype.js';
import type { Graph, GraphNode } from '../graph/graph.js';
import { identityOf } from '../identity.js';
import { inlineLimit } from './build-graph.js';
import type { Engine, Program } from './engine.js';
import { collectGarbage } from './memory-pressure.js';

/** Programs kept per engine; the one unused for longest is dropped first. */
const capacity = 128;

/** The garbage collector does not see what a program takes elsewhere, so it is asked to run after this many drops. */
const dropsPerCollection = 16;
let dropped = 0;

const caches = new WeakMap<Engine, Map<string, Promise<Program>>>();
/** Whoever uses a program keeps it: it is released when nothing refers to it any more. */
const unreferenced = new FinalizationRegistry<Program>((program) => program.engine.release(program));

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
  const program = known ?? compileOnce(engine, graph);
  cache.set(key, program);
  if (!known) program.catch(() => cache.delete(key));
  if (cache.size > capacity) {
    cache.delete(cache.keys().next().value!);
    if (++dropped % dropsPerCollection === 0) collectGarbage();
  }
  return program;
}

async function compileOnce(engine: Engine, graph: Graph): Promise<Program> {
  const program = await engine.compile(graph);
  unreferenced.register(program, { ...program });
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
  return `${inputCount}|${nodes.map(nodeKey).join(';')}|${outputs.join()}`;
}

function nodeKey(node: GraphNode): string {
  const type = `${node.dtype}[${node.shape.join()}]`;
  switch (node.kind) {
    case 'input':
      return `i${node.position}:${type}`;
    case 'resident':
      return `r${node.buffer}.${node.version}:${type}`;
    case 'constant':
      return `c${node.data.length <= inlineLimit ? bytesOf(node.data) : `#${identityOf(node.data)}`}:${type}`;
    case 'operation':
      return `${node.op}(${node.inputs.join()})${JSON.stringify(node.attributes, keepNonFinite)}:${type}`;
  }
}

function bytesOf(data: AnyTypedArray): string {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64');
}

/** JSON has no infinities and no NaN, which attributes such as a border's value may be. */
function keepNonFinite(_name: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}

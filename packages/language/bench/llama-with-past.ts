import * as ort from 'onnxruntime-node';
import { OnnxBuilder } from '../../core-tensor/src/onnx/builder.js';
import { encodeModel, type OnnxNode, type OnnxValue } from '../../core-tensor/src/onnx/schema.js';
import type { LlamaConfig } from '../src/index.js';

/** Writes y = x·Wᵀ for the weight of this name. */
export type WriteProduct = (builder: OnnxBuilder, x: string, weight: string) => string;

const float32 = 1;
const int64 = 7;
const int = (i: number) => ({ int: i });

/**
 * The decoder as exporters write it for a loop outside: past keys and values go in, present ones come out, grown by the
 * token that was read. One row, one token.
 */
export async function sessionWithPast(
  config: LlamaConfig,
  weights: ReadonlyMap<string, Float32Array>,
  writeProduct: WriteProduct,
): Promise<ort.InferenceSession> {
  const { hiddenSize, numAttentionHeads: heads, numKeyValueHeads: keyHeads, headDim, rmsNormEps, vocabSize } = config;
  const b = new OnnxBuilder();
  const past: OnnxValue[] = [];
  const present: OnnxValue[] = [];
  const constant = (name: string, shape: readonly number[]) => b.constant(weights.get(name)!, shape, 'float32');
  const norm = (x: string, name: string) =>
    b.emit('SimplifiedLayerNormalization', [x, constant(name, [hiddenSize])], {
      axis: int(-1),
      epsilon: { float: rmsNormEps },
    });

  const frequencies = Float32Array.from({ length: headDim / 2 }, (_, i) => config.ropeTheta ** ((-2 * i) / headDim));
  const position = b.emit('Cast', ['position_ids'], { to: int(float32) });
  const angles = b.emit('Mul', [
    b.emit('Reshape', [position, b.integers([1, 1, 1, 1])]),
    b.constant(frequencies, [1, 1, 1, headDim / 2], 'float32'),
  ]);
  const both = b.emit('Concat', [angles, angles], { axis: int(-1) });
  const [cosine, sine] = [b.emit('Cos', [both]), b.emit('Sin', [both])];
  const half = headDim / 2;
  const part = (x: string, start: number, end: number) =>
    b.emit('Slice', [x, b.integers([start]), b.integers([end]), b.integers([3])]);
  const rotate = (x: string) => {
    const turned = b.emit('Concat', [b.emit('Neg', [part(x, half, headDim)]), part(x, 0, half)], { axis: int(-1) });
    return b.emit('Add', [b.emit('Mul', [x, cosine]), b.emit('Mul', [turned, sine])]);
  };
  const split = (x: string, count: number) =>
    b.emit('Transpose', [b.emit('Reshape', [x, b.integers([1, 1, count, headDim])])], { perm: { ints: [0, 2, 1, 3] } });

  let x = b.emit('Gather', [constant('model.embed_tokens.weight', [vocabSize, hiddenSize]), 'input_ids']);
  for (let layer = 0; layer < config.numHiddenLayers; layer++) {
    const path = `model.layers.${layer}`;
    const project = (input: string, name: string) => writeProduct(b, input, `${path}.${name}.weight`);
    const normed = norm(x, `${path}.input_layernorm.weight`);
    const query = rotate(split(project(normed, 'self_attn.q_proj'), heads));
    const fresh = {
      key: rotate(split(project(normed, 'self_attn.k_proj'), keyHeads)),
      value: split(project(normed, 'self_attn.v_proj'), keyHeads),
    };
    const whole = Object.entries(fresh).map(([kind, each]) => {
      const [before, after] = [`past_key_values.${layer}.${kind}`, `present.${layer}.${kind}`];
      past.push({ name: before, elementType: float32, shape: [1, keyHeads, 'past', headDim] });
      present.push({ name: after, elementType: float32, shape: [1, keyHeads, 'total', headDim] });
      const node = { op_type: 'Concat', domain: '', input: [before, each], output: [after] };
      b.nodes.push({ ...node, attribute: [{ name: 'axis', type: 2, i: 2 }] } satisfies OnnxNode);
      return after;
    });
    const scale = b.scalar(1 / Math.sqrt(headDim), 'float32');
    const rows = b.emit('Reshape', [
      b.emit('Mul', [query, scale]),
      b.integers([1, keyHeads, heads / keyHeads, headDim]),
    ]);
    const scores = b.emit('FusedMatMul', [rows, whole[0]!], { transB: int(1) }, 'com.microsoft');
    const mixed = b.emit('MatMul', [b.emit('Softmax', [scores], { axis: int(-1) }), whole[1]!]);
    const attended = b.emit('Reshape', [mixed, b.integers([1, 1, heads * headDim])]);
    x = b.emit('Add', [x, project(attended, 'self_attn.o_proj')]);
    const second = norm(x, `${path}.post_attention_layernorm.weight`);
    const gate = project(second, 'mlp.gate_proj');
    const active = b.emit('Mul', [gate, b.emit('Sigmoid', [gate])]);
    x = b.emit('Add', [x, project(b.emit('Mul', [active, project(second, 'mlp.up_proj')]), 'mlp.down_proj')]);
  }
  b.alias(writeProduct(b, norm(x, 'model.norm.weight'), 'lm_head.weight'), 'logits');
  const inputs = ['input_ids', 'position_ids'].map((name) => ({ name, elementType: int64, shape: [1, 1] }));
  const bytes = encodeModel({
    nodes: b.nodes,
    initializers: b.initializers,
    inputs: [...inputs, ...past],
    outputs: [{ name: 'logits', elementType: float32, shape: [1, 1, vocabSize] }, ...present],
  });
  return ort.InferenceSession.create(bytes, {
    graphOptimizationLevel: 'all',
    externalData: b.external.map(({ name, data }) => ({ path: name, data })),
  });
}

/**
 * Reads tokens one at a time behind a past of some length, as a loop outside of the model does: each run's keys and
 * values are the next one's arguments, and its best token is looked for. → logits of the last one
 */
export async function readWithPast(
  session: ort.InferenceSession,
  past: Record<string, ort.Tensor>,
  tokens: Int32Array,
  position: number,
): Promise<Float32Array> {
  let held = past;
  let logits: Float32Array = new Float32Array();
  for (const [index, token] of tokens.entries()) {
    const results = await session.run({
      input_ids: new ort.Tensor('int64', BigInt64Array.of(BigInt(token)), [1, 1]),
      position_ids: new ort.Tensor('int64', BigInt64Array.of(BigInt(position + index)), [1, 1]),
      ...held,
    });
    logits = results.logits!.data as Float32Array;
    logits.indexOf(logits.reduce((best, each) => Math.max(best, each)));
    held = Object.fromEntries(
      Object.entries(results).flatMap(([name, value]) =>
        name.startsWith('present.') ? [[name.replace('present.', 'past_key_values.'), value]] : [],
      ),
    );
  }
  return logits;
}

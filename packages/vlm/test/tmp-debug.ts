import { readFixture, notEqual, vectorJacobianProduct, toTensor, fixtureTensors, tensor } from '@ocelli/core-tensor';
import { MoaiDecoder } from '../src/moai/moai-decoder.js';
import { inputsOf, moaiDecoderConfig, withWeights } from '../src/parity/moai.js';
export async function mixTest() {
  const stored = await readFixture('/work/shared/golden/moai/mixer_eval_fp16_gate.safetensors');
  const decoder = new MoaiDecoder(moaiDecoderConfig(stored.config, () => [0]));
  const fixture = withWeights(stored, decoder, 'model.layers.0.attention.');
  const inputs = inputsOf(fixture);
  const hooks = decoder.mixers.hooks({ aux: inputs.aux!, languageMask: notEqual(inputs.lang_mask!, 0) });
  for (const precision of ['float32','float16'] as const) {
    const hooks = decoder.mixers.hooks({ aux: inputs.aux!, languageMask: notEqual(inputs.lang_mask!, 0), routing: { kind: 'gates', precision } });
    const mixed = hooks.beforeAttention(inputs.hidden!, { layer: 0, visualMask: notEqual(inputs.im_mask!, 0) });
    const params = decoder.mixers.layers[0]!.namedParameters();
    const names = ['moai_GA_img.weight', 'moai_GA_img.bias', 'moai_GA_lang.weight', 'moai_GA_lang.bias'];
    const g = vectorJacobianProduct([mixed], [toTensor(fixture.tensors.get('cot.mixed')!)], names.map((n) => params[n]!));
    for (const [i, n] of names.entries()) console.log(precision, n, Array.from((await g[i]!.data()) as Float32Array).slice(0, 5));
  }
  void hooks; void tensor; void fixtureTensors;
}

import {
  CheckpointError,
  compareWithFixture,
  type Fixture,
  fixtureTensors,
  mul,
  Parameter,
  type ParityCheck,
  parseConfig,
  type Tensor,
  tensor,
  toTensor,
} from '@ocelli/core-tensor';
import { z } from 'zod';
import { AdamW } from '../optimizers/adamw.js';
import { gradientClipper } from '../optimizers/gradient-clipper.js';
import { createSchedule, type ScheduleConfig } from '../schedules/schedule.js';

const adamWSchema = z.object({
  optimizer: z.enum(['adamw', 'adamw_hf']),
  lr: z.number(),
  /** Peak of the parameters without decay, where it differs. */
  lr_no_decay: z.number().optional(),
  weight_decay: z.number(),
  betas: z.tuple([z.number(), z.number()]),
  eps: z.number(),
  schedule: z.enum(['constant', 'constant_with_warmup', 'linear', 'cosine', 'polynomial']),
  lr_end: z.number().optional(),
  power: z.number().optional(),
  warmup_steps: z.int(),
  total_steps: z.int(),
  /** Names of the parameters that decay. */
  decay: z.array(z.string()),
  max_grad_norm: z.number().nullable(),
  steps: z.int(),
});

/** `backbones/adamw`: parameters, learning rates and gradient norms after every step, and the last moments. */
export const checkAdamW: ParityCheck = async (fixture) => {
  const config = parseConfig(`read ${fixture.file}`, adamWSchema, fixture.config);
  const start = fixtureTensors(fixture, 'in.start');
  const parameters = Object.entries(start).map(([name, { shape, data }]) => {
    const parameter = new Parameter(shape);
    parameter.set(data.slice());
    return [name, parameter] as const;
  });
  const decays = ([name]: readonly [string, Parameter]) => config.decay.includes(name);
  const learningRates = [config.lr, config.lr_no_decay ?? config.lr];
  const optimizer = new AdamW(
    [
      { parameters: Object.fromEntries(parameters.filter(decays)), weightDecay: config.weight_decay },
      {
        parameters: Object.fromEntries(parameters.filter((each) => !decays(each))),
        learningRateMultiplier: learningRates[1]! / config.lr,
      },
    ],
    { rule: config.optimizer === 'adamw' ? 'torch' : 'transformers', betas: config.betas, epsilon: config.eps },
  );
  const schedule = createSchedule(scheduleOf(config), { learningRate: config.lr, steps: config.total_steps });
  const clip = gradientClipper({ maximumNorm: config.max_grad_norm });

  const outputs: Record<string, Tensor> = {};
  for (const [step, label] of stepLabels(fixture, config.steps).entries()) {
    const grads = gradientsOf(fixture, label);
    const { norm, scale } = await clip(grads);
    for (const [name, gradient] of Object.entries(grads))
      outputs[`${label}.clipped.${name}`] = await copy(mul(gradient, scale));
    const learningRate = schedule(step);
    await optimizer.update(grads, { learningRate, gradientScale: scale });
    outputs[`${label}.lr`] = tensor(learningRates.map((peak) => (learningRate * peak) / config.lr));
    outputs[`${label}.grad_norm`] = await copy(norm);
    for (const [name, parameter] of parameters) outputs[`${label}.${name}`] = await copy(parameter);
  }
  for (const [key, { shape, data }] of Object.entries(optimizer.state().tensors)) {
    outputs[`final.${key}`] = tensor(await data(), shape);
  }
  return compareWithFixture(fixture, { outputs });
};

function scheduleOf(config: z.output<typeof adamWSchema>): ScheduleConfig {
  if (config.schedule === 'constant') return { name: 'constant' };
  const warmup = { warmupSteps: config.warmup_steps };
  if (config.schedule !== 'polynomial') return { name: config.schedule, ...warmup };
  return { name: 'polynomial', ...warmup, endLearningRate: config.lr_end ?? 0, power: config.power ?? 1 };
}

/** `step00`, `step01`, …, as the file pads them. */
function stepLabels(fixture: Fixture, steps: number): string[] {
  const found = [...fixture.tensors.keys()].flatMap((name) => name.match(/^in\.(step\d+)\.grad\./)?.[1] ?? []);
  const labels = [...new Set(found)].sort((a, b) => Number(a.slice(4)) - Number(b.slice(4)));
  if (labels.length === steps) return labels;
  throw new CheckpointError({
    operation: 'read fixture',
    file: fixture.file,
    expected: `gradients of ${steps} steps`,
    received: `those of ${labels.length}`,
  });
}

function gradientsOf(fixture: Fixture, label: string): Record<string, Tensor> {
  const stored = fixtureTensors(fixture, `in.${label}.grad`);
  return Object.fromEntries(Object.entries(stored).map(([name, gradient]) => [name, toTensor(gradient)]));
}

async function copy(x: Tensor): Promise<Tensor> {
  return tensor((await x.data()).slice(), x.shape);
}

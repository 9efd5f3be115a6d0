import { ConfigError } from '@ocelli/core-tensor';
import { describe, expect, test } from 'vitest';
import { createSchedule, type ScheduleConfig } from '../../src/index.js';

function rates(config: ScheduleConfig, steps: readonly number[], span = { learningRate: 2, steps: 10 }): number[] {
  const schedule = createSchedule(config, span);
  return steps.map((step) => Number(schedule(step).toFixed(12)));
}

describe('createSchedule', () => {
  test('holds a constant, after a warm-up where there is one', () => {
    expect(rates({ name: 'constant' }, [0, 5, 99])).toEqual([2, 2, 2]);
    expect(rates({ name: 'constant_with_warmup', warmupSteps: 4 }, [0, 1, 3, 4, 99])).toEqual([0, 0.5, 1.5, 2, 2]);
  });

  test('falls in a line to 0 and stays there', () => {
    expect(rates({ name: 'linear', warmupSteps: 2 }, [0, 1, 2, 6, 10, 12])).toEqual([0, 1, 2, 1, 0, 0]);
  });

  test('falls as a cosine, and rises again after the end as its source does', () => {
    expect(rates({ name: 'cosine' }, [0, 5, 10, 20])).toEqual([2, 1, 0, 2]);
    expect(rates({ name: 'cosine_with_min_lr', minimumLearningRate: 0.5 }, [0, 5, 10])).toEqual([2, 1.25, 0.5]);
  });

  test('falls as a power to an end that it keeps', () => {
    const config: ScheduleConfig = { name: 'polynomial', power: 2, endLearningRate: 0.4 };
    expect(rates(config, [0, 5, 10, 11])).toEqual([2, 0.8, 0.4, 0.4]);
  });

  test('rises from the minimum and returns to it', () => {
    expect(rates({ name: 'cosine_from_min_lr', warmupSteps: 2, minimumLearningRate: 0.5 }, [0, 1, 2, 6, 10])).toEqual([
      0.5, 1.25, 2, 1.25, 0.5,
    ]);
  });

  test('takes the warm-up as a share, rounded up, unless steps are given', () => {
    const span = { learningRate: 1, steps: 101 };
    expect(rates({ name: 'linear', warmupRatio: 0.03 }, [2, 4], span)).toEqual([0.5, 1]);
    expect(rates({ name: 'linear', warmupRatio: 0.03, warmupSteps: 2 }, [1, 2], span)).toEqual([0.5, 1]);
  });

  test('refuses what it does not know', () => {
    const span = { learningRate: 1, steps: 10 };
    expect(() => createSchedule({ name: 'exponential' } as never, span)).toThrow(ConfigError);
    expect(() => createSchedule({ name: 'cosine', warmup: 3 } as never, span)).toThrow(/unknown key "warmup"/);
    expect(() => createSchedule({ name: 'cosine' }, { learningRate: 0, steps: 10 })).toThrow(/positive learning rate/);
    expect(() => createSchedule({ name: 'cosine' }, { learningRate: 1, steps: 0 })).toThrow(ConfigError);
  });
});

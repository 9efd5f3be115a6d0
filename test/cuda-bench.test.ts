import { countFlops, placeholder } from '@ocelli/core-tensor';
import { Llama } from '@ocelli/language';
import { CAbstractor } from '@ocelli/projectors';
import { describe, expect, it } from 'vitest';
import { type ResultLine, resultsSection } from '../packages/core-tensor/bench/cuda/results.js';
import { attentionProducts, decoderConfig, layerProducts } from '../packages/language/bench/cuda/sizes.js';
import { abstractorProducts } from '../packages/projectors/bench/cuda/products.js';
import { repository } from './support/published-packages.js';
import { node } from './support/run.js';

describe('pnpm bench:cuda', () => {
  it('lists the benchmarks, those that take least first', async () => {
    const lines = (await node(repository, 'scripts/bench-cuda.mjs', '--list')).trim().split('\n');
    expect(lines.map((line) => line.split('  ')[0])).toEqual([
      'small-decoder',
      'manager-aggregation',
      'c-abstractor',
      'moai-mixer',
      'decode',
      'decoder-training',
      'projector-training',
      'first-step',
    ]);
  });

  it('refuses another name, a limit that is none, and real sizes on a processor', async () => {
    const refused = (...words: string[]) => expect(node(repository, 'scripts/bench-cuda.mjs', ...words)).rejects;
    await refused('decoder').toThrow(/expected names among .*decoder-training.*, received decoder\./);
    await refused('--limit', 'none').toThrow(/expected --limit in seconds, received none\./);
    await refused('--software').toThrow(/expected --tiny with --software/);
  });
});

describe('floors', () => {
  it('count the products that a decoder records, without the pairs that causal attention hides', () => {
    const config = decoderConfig(false);
    const tokens = 1024;
    const recorded = countFlops([new Llama(config).forward({ inputIds: placeholder([1, tokens], 'int32') }).logits]);
    const hidden = config.numHiddenLayers * 2 * ((tokens * (tokens - 1)) / 2) * config.hiddenSize;
    const counted =
      tokens * (layerProducts(config) + config.hiddenSize * config.vocabSize) + attentionProducts(config, tokens);
    expect(recorded.matmul).toBe(2 * (counted + hidden));
  });

  it('count no more than the products that a C-Abstractor records, and all but poolings and channel weights', () => {
    const module = new CAbstractor({ visionWidth: 1024, languageWidth: 896, inputTokens: 576 });
    const { matmul, convolution } = countFlops([module.forward(placeholder([1, 576, 1024]))]);
    const ratio = (2 * abstractorProducts(module.config, 576)) / (matmul + convolution);
    expect(ratio).toBeLessThanOrEqual(1);
    expect(ratio).toBeGreaterThan(0.99);
  });
});

describe('a section of results', () => {
  const line: ResultLine = {
    bench: 'decoder-training',
    peerMode: 'eager',
    ours: 50,
    peer: 80,
    ratio: 1.6,
    target: 1.3,
    floor: 32.5,
    fractionOfFloor: 0.65,
    card: 'NVIDIA H200',
    driver: '580.1',
    versions: { node: '20.20.2', torch: '2.11.0' },
    matmulTeraflops: 780.4,
    bandwidthGigabytes: 4310,
    command: 'pnpm bench:cuda decoder-training',
  };
  const compiled: ResultLine = { ...line, peerMode: 'compiled', peer: 55, ratio: 1.1, target: 1, matmulTeraflops: 790 };

  it('has card, driver, versions, rates, a row for each comparison and the commands', () => {
    const section = resultsSection([line, compiled], '2026-11-30')!;
    expect(section).toContain('## 2026-11-30, NVIDIA H200\n');
    expect(section).toContain('Driver 580.1; node 20.20.2, torch 2.11.0.');
    expect(section).toContain('products of bfloat16 at 780–790 TFLOP/s, copies at 4310 GB/s');
    expect(section).toContain('| decoder-training | eager | 50 | 80 | 1.60 | ≥ 1.3 | 32.5 | 0.65 |');
    expect(section).toContain('| decoder-training | compiled | 50 | 55 | 1.10 | ≥ 1 | 32.5 | 0.65 |');
    expect(section.split('pnpm bench:cuda decoder-training')).toHaveLength(2);
  });

  it('says what was not measured, and why', () => {
    const lines: ResultLine[] = [
      line,
      { bench: 'decode', failed: 'code 1' },
      { ...compiled, peerFailed: 'no room\nat' },
    ];
    const section = resultsSection(lines, '2026-11-30');
    expect(section).toContain('- decode: code 1\n- decoder-training, PyTorch compiled: no room\n');
  });

  it('is none where nothing was measured', () => {
    expect(resultsSection([{ bench: 'decode', skipped: 'the driver sees no card' }], '2026-11-30')).toBeUndefined();
  });
});

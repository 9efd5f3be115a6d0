import { ConfigError, ShapeError } from '@ocelli/core-tensor';
import { describe, expect, it } from 'vitest';
import {
  boxText,
  coordinateText,
  panopticPixels,
  segmentBoxes,
  type VisionFindings,
  verbalize,
  verbalizeDetections,
  verbalizeLines,
  verbalizeSceneGraph,
  verbalizeSegmentation,
} from '../../src/index.js';

describe('coordinateText', () => {
  it('rounds halves to the even digit, exactly', () => {
    expect([0.125, 0.375, 0.625, 0.875, 1.125, 2.375].map(coordinateText)).toEqual([
      '0.12',
      '0.38',
      '0.62',
      '0.88',
      '1.12',
      '2.38',
    ]);
    expect([0.005, 0.015, -0.125, -0.001, -0, 0, 12].map(coordinateText)).toEqual([
      '0.00',
      '0.01',
      '-0.12',
      '-0.00',
      '-0.00',
      '0.00',
      '12.00',
    ]);
  });

  it('refuses what is no number', () => {
    expect(() => boxText([0, 0, Number.NaN, 1])).toThrow(ConfigError);
  });
});

describe('segmentations', () => {
  const map = { height: 2, width: 3, ids: [2, 2, 0, 7, 7, -1] };

  it('have the tightest box of each segment', () => {
    expect([...segmentBoxes({ ...map, segments: [] })]).toEqual([
      [2, [0, 0, 2, 1]],
      [7, [0, 1, 2, 2]],
    ]);
    expect(() => segmentBoxes({ ...map, width: 4, segments: [] })).toThrow(ShapeError);
  });

  it('pair boxes with names by position, or by id where asked to', () => {
    const segments = [
      { id: 7, label: 0 },
      { id: 2, label: 1 },
    ];
    const text = (pairing: 'position' | 'id') =>
      verbalizeSegmentation({ ...map, segments }, { pairing, imageSize: 2, names: ['a', 'b'] });
    expect(text('position')).toContain('[0.00, 0.00, 1.00, 0.50] a, and [0.00, 0.50, 1.00, 1.00] b.');
    expect(text('id')).toContain('[0.00, 0.50, 1.00, 1.00] a, and [0.00, 0.00, 1.00, 0.50] b.');
  });

  it('say nothing where a segment has no pixel, or leave only it out where asked to', () => {
    const segments = [2, 5, 7].map((id) => ({ id, label: 0 }));
    expect(verbalizeSegmentation({ ...map, segments })).toBe('');
    const text = verbalizeSegmentation({ ...map, segments }, { pairing: 'id', names: ['a'] });
    expect(text.match(/ a\b/g)).toHaveLength(2);
  });

  it('refuse classes without a name', () => {
    expect(() => verbalizeSegmentation({ ...map, segments: [{ id: 2, label: 133 }] })).toThrow('133');
  });
});

describe('scene graphs', () => {
  const graph = {
    labels: [0, 1, 2],
    relations: [{ subject: 0, object: 1, probabilities: [0.1, 0.9] }],
  };

  it('with fewer relations than objects say nothing, or all where asked to', () => {
    const options = { names: ['a', 'b', 'c'], predicates: ['on', 'under'] };
    expect(verbalizeSceneGraph(graph, options)).toBe('');
    expect(verbalizeSceneGraph(graph, { ...options, whenFew: 'all' })).toBe(
      'The image includes relationships between objects: a is under b.',
    );
  });
});

describe('verbalize', () => {
  const findings: VisionFindings = {
    segmentation: { height: 1, width: 2, ids: [1, 1], segments: [{ id: 1, label: 0 }] },
    detections: [{ box: [0, 0, 245, 490], score: 0.9, label: 847 }],
    sceneGraph: { labels: [], relations: [] },
    lines: [{ text: 'STOP', confidence: 0.9 }],
  };

  it('joins the texts in their order, empty ones too', () => {
    expect(verbalize(findings)).toBe(
      'The image includes bounding box coordinates and their objects: [0.00, 0.00, 0.00, 0.00] person. ' +
        'The image includes bounding box coordinates and their objects: [0.00, 0.00, 0.50, 1.00] tench. ' +
        ' The image includes text descriptions: STOP.',
    );
  });

  it('leaves out what it is told to', () => {
    expect(verbalize(findings, { without: ['segmentation', 'detections', 'lines'] })).toBe('   ');
  });

  it('takes no reading for no text, and other thresholds', () => {
    expect(verbalizeLines(null)).toBe('');
    expect(verbalizeLines([{ text: 'x', confidence: 0.2 }], { threshold: 0.2 })).toContain('x');
    expect(verbalizeDetections(findings.detections, { threshold: 0.95 })).toBe('');
  });
});

describe('panopticPixels', () => {
  const map = { height: 1, width: 3, ids: [0, 1, 3], segments: [] };

  it('are almost uniform as the published model sees them, and as bright as photographs where asked to', () => {
    const spread = (range: 'unit' | 'bytes') => {
      const pixels = panopticPixels(map, { range });
      return Math.max(...pixels) - Math.min(...pixels.subarray(0, 3));
    };
    const unit = panopticPixels(map);
    expect(unit[0]).toBeCloseTo((0 - 255 * 0.48145466) / (255 * 0.26862954), 5);
    expect(unit[1]! - unit[0]!).toBeCloseTo(128 / 255 / (255 * 0.26862954), 4);
    expect(unit[1]! - unit[0]!).toBeLessThan(0.015);
    const bytes = panopticPixels(map, { range: 'bytes' });
    expect(bytes[1]! - bytes[0]!).toBeCloseTo(128 / (255 * 0.26862954), 4);
    expect(spread('bytes')).toBeGreaterThan(spread('unit'));
  });

  it('refuse more segments than there are colours', () => {
    expect(() => panopticPixels({ ...map, ids: [0, 1, 134] })).toThrow('134');
  });
});

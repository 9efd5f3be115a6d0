import { expect, it } from 'vitest';
import { nameRanges } from '../../src/weights/name-ranges.js';

it('writes names that differ in their first number together, and loses none', () => {
  expect(
    nameRanges([
      'norm.weight',
      'layers.0.fc1.weight',
      'layers.1.fc1.weight',
      'layers.0.fc2.weight',
      'layers.2.fc1.weight',
      'layers.7.fc1.weight',
      'layers.7.blocks.3.bias',
      'layer1.weight',
      'layer2.weight',
    ]),
  ).toEqual([
    'norm.weight',
    'layers.{0..2,7}.fc1.weight',
    'layers.0.fc2.weight',
    'layers.7.blocks.3.bias',
    'layer1.weight',
    'layer2.weight',
  ]);
});

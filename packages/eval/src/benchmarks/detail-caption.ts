import { integerText } from '../text/python-number.js';

/**
 * The rating in a judge's reply to DC100: the digits behind the first `Final Score: `, exactly so; 0 where there are none.
 * It is neither clamped to 100 nor rounded.
 */
export function readDetailCaptionScore(reply: string): number {
  const digits = /Final Score: (\p{Nd}+)/u.exec(reply)?.[1];
  return Number(digits === undefined ? 0 : (integerText(digits) ?? 0));
}

/** What a judge, who sees the image, is asked about a caption, word by word as published. */
export function detailCaptionPrompt(caption: string): string {
  return [
    `Text Caption: ${caption}`,
    'From 0 to 100, how much do you rate for this Text Caption in terms of the correct and comprehensive description of the image?',
    'Do not dominant the rating by a single attribute such as recognition correctness, but a overall rating on the object/scene appearance, position, pose, action, shape, etc., and contents in the background. ',
    'Do not consider the appropriateness or sensitive descriptors, such as "middle-aged western man", judge based on if it has correct specifications of the object and scenes in image.',
    'Provide a few lines for explanation and the rate number at last after "Final Score:".',
  ].join('\n');
}

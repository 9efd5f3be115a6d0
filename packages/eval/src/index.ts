export {
  type Accuracy,
  accuracyByType,
  type ConstantBaseline,
  constantBaseline,
  meanAndDeviation,
} from './scoring/accuracy.js';
export { isExactMatch, normalizeAnswer, type ScoredQuestion } from './scoring/answers.js';

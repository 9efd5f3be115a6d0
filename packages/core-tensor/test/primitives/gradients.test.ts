import { compareGradients } from '../support/compare-gradients.js';
import { cases } from './cases/index.js';

compareGradients(cases);

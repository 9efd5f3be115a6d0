import { compareEngines } from '../support/compare-engines.js';
import { cases } from './cases/index.js';

compareEngines(cases);

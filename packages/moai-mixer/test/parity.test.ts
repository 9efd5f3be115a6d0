import { fileURLToPath } from 'node:url';
import { testParity } from '../../../test/support/test-parity.js';
import { parityChecks } from '../src/fixtures.js';

await testParity(fileURLToPath(new URL('..', import.meta.url)), parityChecks);

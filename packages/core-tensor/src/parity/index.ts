export * from './compare.js';
export * from './find-fixtures.js';
export * from './fixture.js';
export * from './rename.js';

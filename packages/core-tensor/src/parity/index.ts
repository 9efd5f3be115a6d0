export * from './compare.js';
export * from './fixture.js';

import { type AssembledModel, createModelOf, type ModelKind } from '../model-kinds.js';
import type { PublishedArchitecture } from './published-variant.js';

/**
 * The model of a published architecture. Its weights are made when they are first asked for: a model of any size costs
 * nothing until then.
 *
 * @throws ConfigError if a part's configuration is invalid
 */
export function createPublished({ kind, config }: PublishedArchitecture): AssembledModel {
  return createModelOf<ModelKind>(kind, config);
}

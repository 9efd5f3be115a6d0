import { ConfigError, concat, LayerNorm, select, type Tensor } from '@ocelli/core-tensor';
import { LayerAttention } from '../../layer-attention.js';
import { isSeen } from '../../mask.js';
import type { ManagerConfig } from './config.js';
import type { ManagerInputs } from './manager.js';

/** The parts of a query that looks at the other modality. */
export interface QueryParts {
  readonly fusion_attention: LayerAttention | undefined;
  readonly extra_query_LayerNorm: LayerNorm | undefined;
}

/** Width of what {@link managerQuery} gives. */
export function queryWidth({ query, hiddenSize }: ManagerConfig): number {
  return query === 'both' ? 2 * hiddenSize : hiddenSize;
}

/** The parts a configuration asks for. */
export function createQueryParts(config: ManagerConfig): QueryParts {
  const { query, hiddenSize, layerNormEps, initializerRange } = config;
  if (query === 'own') return { fusion_attention: undefined, extra_query_LayerNorm: undefined };
  return {
    fusion_attention: new LayerAttention(hiddenSize, hiddenSize, initializerRange),
    extra_query_LayerNorm: new LayerNorm(hiddenSize, layerNormEps),
  };
}

/**
 * What weights are predicted from: the normalised last output of the own modality, behind what it attends to of the
 * other one's. → [batch, tokens, width or 2 · width]
 *
 * @param own [batch, 1, tokens, width], normalised
 * @throws ConfigError if the other modality's output is needed and absent
 */
export function managerQuery(
  own: Tensor,
  { other, otherMask }: ManagerInputs,
  { parts, config }: { readonly parts: QueryParts; readonly config: ManagerConfig },
): Tensor {
  const query = select(own, 1, 0);
  if (!parts.fusion_attention || !parts.extra_query_LayerNorm) return query;
  if (!other) {
    throw new ConfigError({
      operation: `${config.type} manager`,
      expected: "the other modality's last output, as the query is of both",
      received: 'none',
      remedy: "Pass it as `other`, or set query to 'own'.",
    });
  }
  const mask = config.maskQuery && otherMask ? isSeen(otherMask) : undefined;
  const attended = parts.fusion_attention.forward(query, parts.extra_query_LayerNorm.forward(other), mask);
  return concat([attended, query], -1);
}

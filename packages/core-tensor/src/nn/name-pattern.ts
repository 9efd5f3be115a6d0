import type { NamePattern } from './module.js';

/**
 * A pattern of parameter names as data: `language_model.layers` matches the name or a leading part of it that ends at a
 * dot, and `*` stands for any characters: `*bias` for names that end so, `*.attention.*`, `*` for all.
 */
export function namePattern(text: string): NamePattern {
  if (!text.includes('*')) return text;
  const source = text.split('*').map(literal).join('.*');
  return new RegExp(`^${source}(\\.|$)`);
}

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

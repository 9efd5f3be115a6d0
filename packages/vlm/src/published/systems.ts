import { convLlavaSystem } from './convllava.js';
import { eagleSystem } from './eagle.js';
import { honeybeeSystem } from './honeybee.js';
import { managerSystem } from './manager.js';
import { moaiSystem } from './moai.js';
import type { PublishedSystem } from './published-variant.js';

/** The five systems and the variants that were published of each; the first of each is the one to begin with. */
export const publishedSystems = {
  manager: managerSystem,
  honeybee: honeybeeSystem,
  convllava: convLlavaSystem,
  moai: moaiSystem,
  eagle: eagleSystem,
} as const satisfies Readonly<Record<string, PublishedSystem>>;

/** A name under which {@link publishedSystems} has a system. */
export type PublishedSystemName = keyof typeof publishedSystems;

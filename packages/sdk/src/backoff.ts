import type { ReconnectPolicy } from './contract.ts';

const firstMs = 300;
const longestMs = 8_000;
const budgetMs = 300_000;

/** Anywhere between nothing and twice as much as at the try before, so that a crowd does not come back as one. */
export function jitteredMs(attempt: number, random: () => number = Math.random): number {
  return Math.round(random() * Math.min(firstMs * 2 ** attempt, longestMs));
}

/** Tries for five minutes, then gives up. */
export const defaultReconnect: ReconnectPolicy = {
  nextDelayMs: ({ attempt, elapsedMs }) => (elapsedMs > budgetMs ? null : jitteredMs(attempt)),
};

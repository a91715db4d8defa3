import type { Grant } from '@virtual-tutor/sdk';
import { isRecord } from './plain-data.ts';
import { keep, keptJson } from './tab-storage.ts';

const keyOf = (sessionId: string) => `vt-grant:${sessionId}`;

export function keepGrant(grant: Grant): void {
  keep(keyOf(grant.sessionId), JSON.stringify(grant));
}

/** This tab's grant of a lesson, expired ones included: see `isFresh`. */
export function keptGrant(sessionId: string): Grant | null {
  const value = keptJson(keyOf(sessionId));
  if (!isRecord(value)) return null;
  const { url, token, expiresAt } = value;
  if (typeof url !== 'string' || typeof token !== 'string' || typeof expiresAt !== 'string') return null;
  return { sessionId, url, token, expiresAt };
}

/** ms that a token must still be good for to open a connection with it. */
const marginMs = 5_000;

/** By this device's clock, so only a hint: the engine decides. */
export function isFresh(grant: Grant, nowMs: number): boolean {
  return Date.parse(grant.expiresAt) - nowMs > marginMs;
}

/** Shortest wait between two renewals, ms. */
const shortestWaitMs = 1_000;
/** Longest wait, ms: below half the life of the engine's usual token, in case this device's clock is behind. */
const longestWaitMs = 240_000;
/** Wait when the token seems to have expired, ms: this device's clock is ahead, or it slept. */
const expiredWaitMs = 30_000;

/** When to ask for the next token: after four fifths of what seems left of this one, ms from now. */
export function renewalDelayMs(grant: Grant, nowMs: number): number {
  const leftMs = Date.parse(grant.expiresAt) - nowMs;
  if (leftMs <= 0) return expiredWaitMs;
  return Math.min(longestWaitMs, Math.max(shortestWaitMs, leftMs * 0.8));
}

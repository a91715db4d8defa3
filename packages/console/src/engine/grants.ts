import type { Grant } from '@virtual-tutor/sdk';
import { isRecord } from './plain-data.ts';
import { keep, keptJson } from './tab-storage.ts';

const keyOf = (sessionId: string) => `vt-grant:${sessionId}`;

export function keepGrant(grant: Grant): void {
  keep(keyOf(grant.sessionId), JSON.stringify(grant));
}

export function dropGrant(sessionId: string): void {
  keep(keyOf(sessionId), null);
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

export function isFresh(grant: Grant, nowMs: number): boolean {
  return Date.parse(grant.expiresAt) - nowMs > marginMs;
}

/** Shortest wait between two renewals, ms: must exceed nothing but a retry storm. */
const shortestWaitMs = 1_000;
/** `setTimeout` wraps beyond 2^31 - 1 ms. */
const longestWaitMs = 2_000_000_000;

/** When to ask for the next token: after four fifths of what is left of this one, ms from now. */
export function renewalDelayMs(grant: Grant, nowMs: number): number {
  const leftMs = Date.parse(grant.expiresAt) - nowMs;
  return Math.min(longestWaitMs, Math.max(shortestWaitMs, leftMs * 0.8));
}

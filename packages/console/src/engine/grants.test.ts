import { expect, test } from 'vitest';
import { isFresh, renewalDelayMs } from './grants.ts';

const nowMs = Date.parse('2026-01-01T00:00:00.000Z');
const grantFor = (leftMs: number) => ({
  sessionId: 's',
  url: 'http://localhost:9000',
  token: 'token',
  expiresAt: new Date(nowMs + leftMs).toISOString(),
});

test.each([
  ['a token of five minutes after four fifths', 300_000, 240_000],
  ['a token that seems to live for an hour no later than one of ten minutes would need', 3_600_000, 240_000],
  ['a very short token without a storm', 100, 1_000],
  ['a token that seems expired by a clock that is ahead, soon', -3_600_000, 30_000],
])('renews %s', (_what, leftMs, delayMs) => {
  expect(renewalDelayMs(grantFor(leftMs), nowMs)).toBe(delayMs);
});

test('a token about to expire is not worth a new connection', () => {
  expect(isFresh(grantFor(60_000), nowMs)).toBe(true);
  expect(isFresh(grantFor(4_000), nowMs)).toBe(false);
});

import { errorCodes } from '@virtual-tutor/schemas';
import { expect, test } from 'vitest';
import { asTutorError, fromWire, LinkLost, retryableByCode, TutorError } from './errors.ts';

test('codes may be tried again exactly where the engine says so', () => {
  const byTheEngine = Object.fromEntries(Object.entries(errorCodes).map(([code, { retryable }]) => [code, retryable]));
  expect(retryableByCode).toEqual(byTheEngine);
});

test("the engine's account of a refusal is kept whole", () => {
  const error = fromWire({ code: 'rate_limited', message: 'slow down', retryable: true, retryAfterMs: 1_200, requestId: 'r-1' });
  expect(error).toMatchObject({ code: 'rate_limited', message: 'slow down', retryable: true, retryAfterMs: 1_200, requestId: 'r-1' });
});

test('a code of a newer engine is internal, and may be tried again if that engine says so', () => {
  expect(fromWire({ code: 'moon_phase', message: 'wait', retryable: true, requestId: 'r-1' })).toMatchObject({
    code: 'internal',
    retryable: true,
  });
});

test.each([null, undefined, 'text', {}, { code: 'conflict' }, { message: 7 }])('%j is no account of a refusal', (wire) => {
  expect(fromWire(wire)).toBeNull();
});

test('an error of another copy of this package is known by its mark', () => {
  const foreign = Object.assign(new Error('elsewhere'), { [Symbol.for('@virtual-tutor/sdk/TutorError')]: true });
  expect(TutorError.is(foreign)).toBe(true);
  expect(TutorError.is(new LinkLost('lost'))).toBe(true);
  expect(TutorError.is(new Error('other'))).toBe(false);
  expect(TutorError.is(null)).toBe(false);
});

test('an abort is aborted, and any other failure a network that did not answer, with its cause', () => {
  expect(asTutorError(new DOMException('stop', 'AbortError'))).toMatchObject({ code: 'aborted', retryable: false });
  const cause = new TypeError('fetch failed');
  expect(asTutorError(cause)).toMatchObject({ code: 'unavailable', retryable: true, cause });
});

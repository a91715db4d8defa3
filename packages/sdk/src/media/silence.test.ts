import { expect, test } from 'vitest';
import { look, type Remedy, type Silence, startListening } from './silence.ts';

/** Looks every 300 ms; `packets` by the time of the look. */
function remedies(untilMs: number, packets: (nowMs: number) => number): readonly (readonly [number, Remedy])[] {
  const steps: [number, Remedy][] = [];
  let silence: Silence = startListening(0);
  for (let nowMs = 300; nowMs <= untilMs; nowMs += 300) {
    const seen = look(silence, { packets: packets(nowMs), nowMs });
    silence = seen.silence;
    if (seen.remedy !== 'none') steps.push([nowMs, seen.remedy]);
  }
  return steps;
}

test('a connection that carries packets is left alone', () => {
  expect(remedies(60_000, (nowMs) => nowMs)).toEqual([]);
});

test('after 1.5 s of silence the way is renewed once, after 3 s the connection is replaced', () => {
  expect(remedies(3_000, (nowMs) => Math.min(nowMs, 0))).toEqual([
    [1_500, 'restart'],
    [3_000, 'replace'],
  ]);
});

test('a connection that speaks again has its silence forgotten', () => {
  const packets = (nowMs: number) => (nowMs < 2_100 ? 1 : 2);
  expect(remedies(4_800, packets)).toEqual([
    [1_800, 'restart'],
    [3_600, 'restart'],
  ]);
});

test('after a sleep the way is renewed at once when nothing came meanwhile, and nothing is done when something did', () => {
  const awake = look(startListening(0), { packets: 5, nowMs: 300 }).silence;
  expect(look(awake, { packets: 9, nowMs: 60_000 }).remedy).toBe('none');
  const { silence, remedy } = look(awake, { packets: 5, nowMs: 60_000 });
  expect(remedy).toBe('restart');
  expect(look(silence, { packets: 5, nowMs: 60_300 }).remedy).toBe('none');
  expect(look(silence, { packets: 5, nowMs: 61_500 }).remedy).toBe('replace');
});

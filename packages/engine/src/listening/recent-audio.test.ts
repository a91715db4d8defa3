import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RecentAudio } from './recent-audio.ts';

/** 16 samples a millisecond, each telling its place. */
const chunk = (from: number, length: number) => Float32Array.from({ length }, (_, index) => from + index);

test('what was heard between two times is there until it is forgotten', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 600 }), { minLength: 1, maxLength: 30 }),
      fc.tuple(fc.nat(600), fc.nat(600), fc.nat(600)),
      (lengths, [a, b, forgotten]) => {
        const audio = new RecentAudio();
        let total = 0;
        for (const length of lengths) {
          audio.push(chunk(total, length));
          total += length;
        }
        const [fromMs, toMs] = [Math.min(a, b), Math.max(a, b)];
        const forgottenMs = Math.min(forgotten, fromMs);
        audio.forgetBefore(forgottenMs);
        const from = Math.min(total, fromMs * 16);
        const to = Math.min(total, toMs * 16);
        expect([...audio.between(fromMs, toMs)]).toEqual([...chunk(from, to - from)]);
        expect(audio.atMs).toBe(total / 16);
      },
    ),
  );
});

test('forgetting frees everything before, to the frame', () => {
  const audio = new RecentAudio();
  for (let frame = 0; frame < 100; frame += 1) audio.push(chunk(frame * 512, 512));
  audio.forgetBefore(3_000);
  expect(audio.between(0, 3_200).length).toBeLessThanOrEqual(200 * 16 + 512);
  expect(audio.between(0, 1_000)).toHaveLength(0);
});

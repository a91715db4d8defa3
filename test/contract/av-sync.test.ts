import { beforeAll, describe, expect, test } from 'vitest';
import { playoutRate, type Speech } from '../../packages/engine/src/media/ports.ts';
import { createSpeaker } from '../../packages/engine/src/speech/speaker.ts';
import {
  framesPerSecondOf,
  lagOf,
  longestFreeze,
  loudnessOf,
  openingAsDrawn,
  type Point,
  percentile,
  type SentenceSync,
  syncOf,
} from '../support/av-sync.ts';
import { seeded } from '../support/seeded.ts';

const text = 'The speed of light is about three hundred thousand kilometres per second, so nothing that you throw will ever catch it.';

/** What a browser would get of a sentence whose sound and picture come this late, at 25 frames a second. */
function receive(speech: Speech, { soundMs, pictureMs, stretch = 1 }: { soundMs: number; pictureMs: number; stretch?: number }) {
  const random = seeded(5);
  const durationMs = (speech.samples.length / playoutRate) * 1_000;
  const [sound, mouth] = [loudnessOf(speech), openingAsDrawn(speech.visemes)];
  const levels: Point[] = [];
  for (let atMs = -500; atMs < durationMs + 500; atMs += 5) {
    levels.push({ atMs: soundMs + atMs, value: sound(atMs) + 0.01 * random() });
  }
  const openings: Point[] = [];
  for (let atMs = -500; atMs < durationMs + 500; atMs += 40) {
    openings.push({ atMs: pictureMs + atMs * stretch, value: Math.round(mouth(atMs) * (1 + 0.1 * random())) });
  }
  return { levels, openings, speech, aboutMs: soundMs - 700 };
}

function offsetsOf(sync: SentenceSync | null): readonly number[] {
  return (sync?.offsets ?? []).map(({ offsetMs }) => offsetMs);
}

describe('measuring how lips fit a voice', () => {
  let speech: Speech;
  beforeAll(async () => {
    await using speaker = createSpeaker({ enabled: true, edgeVoice: null });
    speech = await speaker.say({ text, language: 'en', voice: null, signal: new AbortController().signal });
  });

  test.each([-200, -60, 0, 30, 140])('finds a picture that comes %i ms after the sound', (lateMs) => {
    const offsets = offsetsOf(syncOf(receive(speech, { soundMs: 10_000, pictureMs: 10_000 + lateMs })));
    expect(offsets.length).toBeGreaterThanOrEqual(4);
    for (const offset of offsets) expect(Math.abs(offset - lateMs)).toBeLessThanOrEqual(8);
  });

  test('finds when the sentence began, to some milliseconds', () => {
    expect(syncOf(receive(speech, { soundMs: 12_345, pictureMs: 12_345 }))?.beganMs).toBeCloseTo(12_345, -1);
  });

  test('sees drift within a sentence', () => {
    const offsets = offsetsOf(syncOf(receive(speech, { soundMs: 0, pictureMs: 0, stretch: 1.02 })));
    expect((offsets.at(-1) ?? 0) - (offsets[0] ?? 0)).toBeGreaterThan(50);
  });

  test('correlates a mouth with the phones when they fit, and not when they do not', () => {
    const fitting = syncOf(receive(speech, { soundMs: 0, pictureMs: 0 }));
    expect(fitting?.mouthCorrelation).toBeGreaterThan(0.7);
    const late = syncOf(receive(speech, { soundMs: 0, pictureMs: 350 }));
    expect(late?.mouthCorrelation).toBeLessThan(0.4);
    const { openings, ...rest } = receive(speech, { soundMs: 0, pictureMs: 0 });
    const shut = syncOf({ ...rest, openings: openings.map(({ atMs }) => ({ atMs, value: 0 })) });
    expect(shut).toMatchObject({ mouthCorrelation: 0, offsets: [] });
  });

  test('says that a sentence was not heard when there is only noise', () => {
    const { levels, ...rest } = receive(speech, { soundMs: 0, pictureMs: 0 });
    const random = seeded(9);
    expect(syncOf({ ...rest, levels: levels.map(({ atMs }) => ({ atMs, value: random() })) })).toBeNull();
    expect(syncOf({ ...rest, levels: [] })).toBeNull();
  });

  test('finds no lag where nothing changes', () => {
    const flat = Array.from({ length: 50 }, (_, index) => ({ atMs: index * 40, value: 3 }));
    expect(lagOf(flat, Math.sin, { fromMs: -100, toMs: 100, stepMs: 5 })).toBeNull();
  });

  test('counts pictures in each second and finds the longest that one stood', () => {
    const shown = [...Array.from({ length: 51 }, (_, frame) => frame * 40), 2_500, 2_540, 3_001].map((atMs) => ({ atMs, value: 0 }));
    expect(framesPerSecondOf(shown)).toEqual([25, 25, 3]);
    expect(longestFreeze(shown)).toBe(500);
    expect(percentile([3, 1, 2], 0.5)).toBe(2);
  });
});

import { expect, test } from 'vitest';
import type { Signal } from '../media-contract.ts';
import { type CaptionTrack, emptyTrack, type Playhead, played, told } from './caption-track.ts';

const texts = ['Light **scatters**, mostly blue.', 'Red passes.'];
const textOf = (turnId: string, index: number) => (turnId === 'turn' ? texts[index] : undefined);
/** `Light`, `scatters`, `mostly`, `blue`: 300 ms each. */
const words = [
  [0, 5],
  [8, 16],
  [20, 26],
  [27, 31],
].map(([from = 0, to = 0], at) => ({ from, to, startMs: at * 300, endMs: at * 300 + 280 }));
const speech = (change: Partial<Extract<Signal, { type: 'speech' }>> = {}): Signal => ({
  type: 'speech',
  turnId: 'turn',
  index: 0,
  rtpTimestamp: 1_000,
  fromMs: 0,
  durationMs: 1_300,
  words,
  ...change,
});
const second = speech({
  index: 1,
  rtpTimestamp: 1_000 + 1_400 * 48,
  durationMs: 500,
  words: [
    { from: 0, to: 3, startMs: 0, endMs: 200 },
    { from: 4, to: 10, startMs: 220, endMs: 450 },
  ],
});

const listened = (...signals: readonly Signal[]): CaptionTrack => signals.reduce((track, signal) => told(track, signal, 0), emptyTrack);
/** So many ms after the first sentence began, by the browser's own playout. */
const atMs = (ms: number): Playhead => ({ rtpTimestamp: (2 ** 32 + 1_000 + ms * 48) % 2 ** 32, nowMs: 0 });
const captionsAt = (track: CaptionTrack, ms: number) => played(track, atMs(ms), textOf).captions;

test('nothing is said before the browser plays it, however early it was told', () => {
  expect(captionsAt(listened(speech()), -80).current).toBeNull();
});

test('the word that is played is the word that is shown, and marks go with the word before them', () => {
  expect(captionsAt(listened(speech()), 310).current).toMatchObject({ index: 0, spokenChars: 19, word: { from: 8, to: 16 } });
  expect(captionsAt(listened(speech()), 290).current).toMatchObject({ spokenChars: 5, word: null });
  expect(captionsAt(listened(speech()), 1_300).current).toMatchObject({ spokenChars: 32, word: null });
});

test('the next sentence waits for the end of the one before', () => {
  const track = listened(speech(), second);
  expect(captionsAt(track, 1_250).current?.index).toBe(0);
  expect(captionsAt(track, 1_410).current).toMatchObject({ index: 1, spokenChars: 3 });
  expect(captionsAt(track, 1_410).heard).toEqual({ turnId: 'turn', index: 1, chars: 3, over: false });
});

test('timestamps wrap', () => {
  const track = listened(speech({ rtpTimestamp: 2 ** 32 - 480 }));
  expect(played(track, { rtpTimestamp: 310 * 48 - 480, nowMs: 0 }, textOf).captions.current?.word).toEqual({ from: 8, to: 16 });
});

test('a pause holds the caption where the voice was held, and it goes on with the word that was cut', () => {
  const paused = listened(speech(), { type: 'paused', turnId: 'turn', index: 0, atMs: 350 });
  expect(captionsAt(paused, 340).current?.paused).toBe(false);
  expect(captionsAt(paused, 5_000).current).toMatchObject({ paused: true, word: { from: 8, to: 16 } });
  const again = told(played(paused, atMs(5_000), textOf).track, speech({ rtpTimestamp: 1_000 + 6_000 * 48, fromMs: 300 }), 0);
  expect(captionsAt(again, 6_010).current).toMatchObject({ paused: false, word: { from: 8, to: 16 } });
  expect(captionsAt(again, 6_310).current?.word).toEqual({ from: 20, to: 26 });
});

test('what was heard stays heard while a cut word is said again', () => {
  const half = played(listened(speech()), atMs(650), textOf).track;
  const again = told(half, speech({ rtpTimestamp: 1_000 + 2_000 * 48, fromMs: 300 }), 0);
  expect(captionsAt(again, 2_010).heard).toEqual({ turnId: 'turn', index: 0, chars: 26, over: false });
});

test('an interrupted turn falls silent at once and keeps what was heard of it', () => {
  const half = played(listened(speech()), atMs(310), textOf).track;
  const cut = told(half, { type: 'silent', turnId: 'turn', reason: 'interrupted' }, 0);
  expect(captionsAt(cut, 700)).toEqual({ current: null, heard: { turnId: 'turn', index: 0, chars: 19, over: true } });
});

test('a finished turn is over when its last word was played, not when that was told', () => {
  const track = listened(speech(), { type: 'silent', turnId: 'turn', reason: 'finished' });
  expect(captionsAt(track, 1_200).heard?.over).toBe(false);
  expect(captionsAt(track, 1_300).heard?.over).toBe(true);
  expect(captionsAt(track, 2_000).current).not.toBeNull();
  expect(played(track, atMs(2_300), textOf)).toMatchObject({ track: { stretches: [] }, captions: { current: null } });
});

test('more of a turn that had run out opens it again', () => {
  const ended = played(listened(speech(), { type: 'silent', turnId: 'turn', reason: 'finished' }), atMs(1_310), textOf).track;
  expect(captionsAt(told(ended, second, 0), 1_450).heard).toMatchObject({ index: 1, over: false });
});

test('without the browser’s word the clock has to do', () => {
  const track = told(emptyTrack, speech(), 10_000);
  expect(played(track, { rtpTimestamp: null, nowMs: 10_100 }, textOf).captions.current).toBeNull();
  expect(played(track, { rtpTimestamp: null, nowMs: 10_500 }, textOf).captions.current?.word).toEqual({ from: 8, to: 16 });
});

test('a sentence whose text has not come yet has no caption, but counts as heard', () => {
  const track = listened(speech({ turnId: 'other' }));
  expect(captionsAt(track, 1_300)).toMatchObject({ current: null, heard: { turnId: 'other', chars: 31 } });
});

test('back in writing, nothing is being said', () => {
  const half = played(listened(speech()), atMs(310), textOf).track;
  const text = told(half, { type: 'quality', from: 'video', to: 'text', reason: 'connection_lost' }, 0);
  expect(captionsAt(text, 320)).toMatchObject({ current: null, heard: { over: true } });
});

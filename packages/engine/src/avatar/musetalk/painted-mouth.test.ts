import { expect, test } from 'vitest';
import { playoutRate, type Renderer, type Speech } from '../../media/ports.ts';
import { restMouth } from '../mouth.ts';
import type { Spoken } from '../viewers-mouth.ts';
import { maskOf } from './mouth-patch.ts';
import type { LiveMuseTalk } from './musetalk-process.ts';
import { PaintedMouth } from './painted-mouth.ts';
import type { PatchOutcome, PatchRequest } from './process-messages.ts';
import { stateLayers, stateWidth } from './windows.ts';

const size = 16;
const idleFrames = 50;
/** Each idle frame is grey of its own number. */
const renderer: Renderer = {
  width: size,
  height: size,
  idleFrames,
  render: (idleFrame) => new Uint8Array((size * size * 3) / 2).fill(idleFrame % idleFrames),
};
const part = { left: 4, top: 8, right: 12, bottom: 12 };
const mask = maskOf({ box: part, part, luma: new Uint8Array(32).fill(255) });
const dress = Array.from({ length: idleFrames }, () => ({ mask, latents: new Float32Array(8 * 32 * 32) }));
const painted = 200;
/** In the middle of the mouth, and above it. */
const [inMouth, above] = [10 * size + 8, 2 * size + 8];

const speechOf = (ms: number): Speech => ({
  samples: new Int16Array((ms * playoutRate) / 1000),
  visemes: [],
  words: [],
  engine: 'none',
});
const at = (speech: Speech, frame: number): Spoken => ({ mouth: restMouth, speech, atMs: frame * 40 + 25 });

/** Paints when it is told to. */
class Muse implements LiveMuseTalk {
  readonly windowOffsetMs = -80;
  readonly asked: { readonly request: PatchRequest; readonly answer: (outcome: PatchOutcome) => void }[] = [];
  left = 0;

  async hear({ samples }: Speech) {
    const steps = samples.length / (playoutRate / 50);
    return { steps, data: new Float32Array(steps * stateLayers * stateWidth) };
  }

  draw(request: PatchRequest): Promise<PatchOutcome> {
    return new Promise((answer) => this.asked.push({ request, answer }));
  }

  leave(): void {
    this.left += 1;
    this.answerAll({ status: 'late' });
  }

  answerAll(outcome: PatchOutcome = { status: 'drawn', planes: new Uint8Array(48).fill(painted) }): void {
    for (const { answer } of this.asked.splice(0)) answer(outcome);
  }
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

async function scene() {
  const muse = new Muse();
  const mouth = new PaintedMouth({ viewer: 'a', muse, renderer, dress });
  const speech = speechOf(2_000);
  mouth.prepare(speech);
  await settled();
  return { muse, mouth, speech };
}

test('asks for a third of a second, each frame by when it is due, and shows what was painted in time', async () => {
  const { muse, mouth, speech } = await scene();
  expect(mouth.move(7, at(speech, 0))).toBe(false);
  expect(muse.asked.map(({ request }) => request.inMs)).toEqual([0, 40, 80, 120, 160, 200, 240, 280]);
  muse.answerAll();
  await settled();
  expect(mouth.move(8, at(speech, 1))).toBe(true);
  expect(muse.asked.map(({ request }) => request.inMs)).toEqual([280]);
  const picture = mouth.picture(8);
  expect([picture[inMouth], picture[above]]).toEqual([painted, 8]);
});

test('is the filmed frame where a frame came too late: the mouth fades, and comes back', async () => {
  const { muse, mouth, speech } = await scene();
  mouth.move(0, at(speech, 0));
  muse.answerAll();
  await settled();
  mouth.move(1, at(speech, 1));
  mouth.move(2, at(speech, 20));
  const fading = [mouth.picture(2)[inMouth] ?? 0];
  for (const frame of [21, 22]) {
    mouth.move(frame, at(speech, frame));
    fading.push(mouth.picture(2)[inMouth] ?? 0);
  }
  expect(fading).toEqual([Math.round(2 + 198 * 0.75), Math.round(2 + 198 * 0.5), Math.round(2 + 198 * 0.25)]);
  expect(mouth.move(5, at(speech, 23))).toBe(false);
  expect(mouth.picture(5)).toEqual(renderer.render(5, restMouth));
  muse.answerAll();
  await settled();
  expect(mouth.move(6, at(speech, 24))).toBe(true);
  expect(mouth.picture(6)[inMouth]).toBe(painted);
});

test('a mouth that is interrupted closes within 160 ms', async () => {
  const { muse, mouth, speech } = await scene();
  mouth.move(0, at(speech, 0));
  muse.answerAll();
  await settled();
  expect(mouth.move(1, at(speech, 1))).toBe(true);
  expect([2, 3, 4, 5].map((frame) => mouth.move(frame, null))).toEqual([true, true, true, false]);
  mouth.move(1, null);
  mouth.rest();
  expect(mouth.picture(9)).toEqual(renderer.render(9, restMouth));
});

test('a second of frames too late is no hiccup: it says so, and rests', async () => {
  const { mouth, speech } = await scene();
  for (let frame = 0; frame < 24; frame += 1) expect(mouth.move(frame, at(speech, frame))).toBe(false);
  expect(() => mouth.move(24, at(speech, 24))).toThrow(expect.objectContaining({ name: 'FaceUnavailable', code: 'too_slow' }));
});

test('towards its end the next sentence is painted already', async () => {
  const muse = new Muse();
  const mouth = new PaintedMouth({ viewer: 'a', muse, renderer, dress });
  const [first, second] = [speechOf(200), speechOf(2_000)];
  mouth.prepare(first);
  mouth.prepare(second);
  await settled();
  mouth.move(0, at(first, 0));
  muse.answerAll();
  await settled();
  expect(mouth.move(5, at(second, 0))).toBe(true);
  // Three of the eight were of the second sentence: they are not asked for again.
  expect(muse.asked.map(({ request }) => request.inMs)).toEqual([120, 160, 200, 240, 280]);
});

test('what was asked for before a pause is given up, and asked for again when the sentence goes on', async () => {
  const { muse, mouth, speech } = await scene();
  mouth.move(0, at(speech, 0));
  for (let frame = 1; frame <= 8; frame += 1) mouth.move(frame, null);
  expect(muse.left).toBe(1);
  await settled();
  mouth.move(9, at(speech, 0));
  expect(muse.asked).toHaveLength(8);
});

test('each frame is painted on its own idle frame, also when frames were skipped', async () => {
  const { muse, mouth, speech } = await scene();
  mouth.move(10, at(speech, 0));
  muse.answerAll();
  await settled();
  // Two frames were not drawn here: the sound is at its third, the idle motion only at its second.
  mouth.move(11, at(speech, 3));
  expect(mouth.picture(11)[above]).toBe(13);
});

test('a sentence that nobody announced is heard when it is spoken', async () => {
  const { muse, mouth } = await scene();
  const sudden = speechOf(1_000);
  expect(mouth.move(0, at(sudden, 0))).toBe(false);
  expect(muse.asked).toHaveLength(0);
  await settled();
  mouth.move(1, at(sudden, 1));
  expect(muse.asked).toHaveLength(8);
});

test('leaves when nobody looks any more', async () => {
  const { muse, mouth, speech } = await scene();
  mouth.move(0, at(speech, 0));
  mouth[Symbol.dispose]();
  expect([muse.left, muse.asked.length]).toEqual([1, 0]);
});

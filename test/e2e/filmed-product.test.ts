import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { type Avatar, createTutorClient, type TutorClient } from '@virtual-tutor/sdk';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openFaceFinder } from '../../packages/engine/src/adapters/face-api.ts';
import { measureFace } from '../../packages/engine/src/avatar/face/measure.ts';
import type { Picture } from '../../packages/engine/src/avatar/source/clip.ts';
import { screenshot } from '../support/chromium.ts';
import { film, writeFilm } from '../support/filmed-clip.ts';
import { chromiumAvailable, describeWith } from '../support/loud-skip.ts';
import { enterRoom, heardAfter, type MeasuredRoom, type Product, startProduct } from '../support/measured-room.ts';
import { writeTinyMuseTalk } from '../support/tiny-musetalk.ts';

/*
 * The whole way of a face: a clip is sent to a running engine and built, a tutor is given it, a student sees and hears her in Chromium over the
 * relay, and consent is withdrawn. What the mouth does is measured by finding the face in the pictures that the browser shows.
 */

const busyMachine = { retry: 1 };
const side = 256;

describeWith(chromiumAvailable, 'Chromium')('a teacher and her face', () => {
  let folder: string;
  let product: Product;
  let client: TutorClient;
  let avatar: Avatar;
  let room: MeasuredRoom;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'filmed-product-'));
    const clip = join(folder, 'clip.mp4');
    const blink = (frame: number) => (frame % 60 < 5 ? 1 : 0);
    await writeFilm(clip, await film({ frames: 120, width: 640, height: 480, eyesPx: 90, sway: 1, noise: 2, blink }), 25);
    product = await startProduct();
    client = createTutorClient({ url: product.engine.url, apiKey: product.engine.apiKey });
    const consent = { by: 'Grace Hopper', statement: 'My students may see me.' };
    const made = await client.avatars.upload(await readFile(clip), { name: 'Ms Hopper', consent, tutorId: 'ada' });
    avatar = made;
    for await (const seen of client.avatars.watch(made.id)) avatar = seen;
    const wears = async () => (await client.tutors.get('ada')).settings.avatarId;
    while ((await wears()) !== made.id) await wait(100);
    room = await enterRoom(product);
  });
  afterAll(async () => {
    await room?.[Symbol.asyncDispose]();
    await product?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  test('is seen: her mouth moves with the words, rests in silence, and she is the same person', busyMachine, async () => {
    expect(avatar.status).toBe('ready');
    const { lesson } = room;
    await wait(3_000);
    const silent = await watched(lesson.page, 2_500);
    const askedAtMs = Date.now();
    await lesson.ask('Why is the sky blue?');
    await heardAfter(room, askedAtMs, 10_000);
    const speaking = await watched(lesson.page, 4_000);
    await screenshot(lesson.page, 'filmed-lesson');
    await using finder = await openFaceFinder();
    const look = async (pictures: readonly Picture[]) => {
      const openings: number[] = [];
      for (const picture of pictures) {
        const [face] = await finder.find(picture);
        const measured = face === undefined ? null : measureFace(face.landmarks);
        if (measured !== null) openings.push(measured.mouthOpening);
      }
      return openings;
    };
    const [atRest, moving] = [await look(silent), await look(speaking)];
    console.log(JSON.stringify({ silence: spread(atRest), speech: spread(moving) }));
    expect(atRest.length).toBeGreaterThan(0.9 * silent.length);
    expect(moving.length).toBeGreaterThan(0.9 * speaking.length);
    expect(Math.max(...moving)).toBeGreaterThan(0.1);
    // Variance is what moves: the landmarks' own jitter is in both.
    expect(spread(atRest).variance / spread(moving).variance).toBeLessThan(0.03);
    const [before, after] = [silent[0], speaking.at(-1)];
    if (before === undefined || after === undefined) throw new Error('nothing was seen');
    const [one, other] = [await embedding(finder, before), await embedding(finder, after)];
    const distance = Math.hypot(...one.map((value, i) => value - (other[i] ?? 0)));
    console.log(`the same person: ${distance.toFixed(3)}`);
    expect(distance).toBeLessThan(0.4);
  });

  test('is gone from the running lesson within a second when she withdraws, and stays gone', async () => {
    const { page } = room.lesson;
    const [before] = await watched(page, 200);
    if (before === undefined) throw new Error('nothing was seen');
    const revokedAtMs = Date.now();
    await client.avatars.revoke({ avatarId: avatar.id, reason: 'consent_withdrawn' });
    let goneAfterMs = Number.POSITIVE_INFINITY;
    while (Date.now() - revokedAtMs < 3_000 && goneAfterMs === Number.POSITIVE_INFINITY) {
      const [now] = await watched(page, 40);
      if (now !== undefined && difference(before, now) > 25) goneAfterMs = Date.now() - revokedAtMs;
    }
    console.log(`withdrawn to drawn: ${goneAfterMs} ms`);
    expect(goneAfterMs).toBeLessThan(1_000);
    await expect(client.avatars.file(avatar.id, 'thumbnail.jpg')).rejects.toMatchObject({ code: 'not_found' });
    await expect(client.tutors.configure('grace', { ...(await client.tutors.get('ada')).settings, name: 'Grace' })).rejects.toMatchObject({
      code: 'avatar_not_ready',
    });
  });
});

describeWith(chromiumAvailable, 'Chromium')('a teacher whose mouth is painted', () => {
  let folder: string;
  let product: Product;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'painted-product-'));
    // What these small models paint is a patch of another colour: nobody's mouth, but in its place.
    writeTinyMuseTalk(folder, { decoder: 'calm' });
    product = await startProduct({ env: { MUSETALK_BASE: folder } });
  });
  afterAll(async () => {
    await product?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  test('is seen with it while she speaks, and as she was filmed when she is silent', async () => {
    const client = createTutorClient({ url: product.engine.url, apiKey: product.engine.apiKey });
    const photo = await readFile(new URL('../support/faces/hopper.jpg', import.meta.url));
    const consent = { by: 'Grace Hopper', statement: 'My students may see me.' };
    const made = await client.avatars.upload(photo, { name: 'Ms Hopper', consent, tutorId: 'ada' });
    while ((await client.tutors.get('ada')).settings.avatarId !== made.id) await wait(100);
    await using room = await enterRoom(product);
    const { page } = room.lesson;
    await wait(3_000);
    // The first sentences are warped, while what MuseTalk needs of her face is made.
    let askedAtMs = Date.now();
    await room.lesson.ask('Why is the sky blue?');
    await heardAfter(room, askedAtMs, 10_000);
    await wait(15_000);
    const [silent] = await watched(page, 200);
    askedAtMs = Date.now();
    await room.lesson.ask('What do plants need?');
    await heardAfter(room, askedAtMs, 10_000);
    await wait(1_000);
    const speaking = await watched(page, 1_000);
    await screenshot(page, 'painted-lesson');
    if (silent === undefined) throw new Error('nothing was seen');
    const [mouths, eyes] = [
      { from: 0.5, to: 0.75 },
      { from: 0.2, to: 0.4 },
    ].map((rows) => speaking.map((picture) => difference(part(silent, rows), part(picture, rows))));
    console.log(JSON.stringify({ painted: spread(mouths ?? []), above: spread(eyes ?? []) }));
    expect(spread(mouths ?? []).mean).toBeGreaterThan(10);
    expect(spread(eyes ?? []).mean).toBeLessThan(4);
  });
});

/** Some rows of the middle half of a picture, as shares of its height. */
function part({ data, width, height }: Picture, { from, to }: { readonly from: number; readonly to: number }): Picture {
  const rows = { first: Math.round(from * height), end: Math.round(to * height) };
  const cut = { width: width / 2, height: rows.end - rows.first };
  const at = (i: number) => ((rows.first + Math.floor(i / (3 * cut.width))) * width + width / 4) * 3 + (i % (3 * cut.width));
  return { ...cut, data: Uint8Array.from({ length: 3 * cut.width * cut.height }, (_, i) => data[at(i)] ?? 0) };
}

async function embedding(finder: Awaited<ReturnType<typeof openFaceFinder>>, picture: Picture): Promise<readonly number[]> {
  const [face] = await finder.find(picture);
  if (face === undefined) throw new Error('there is no face');
  return [...(await finder.embed(picture, face))];
}

/** What the page's tutor showed in this time, ms, picture by picture. */
async function watched(page: Page, ms: number): Promise<readonly Picture[]> {
  const frames = await page.evaluate(
    async ({ lasts, size }) => {
      const video = document.querySelector('video');
      const canvas = document.createElement('canvas');
      canvas.width = size;
      canvas.height = size;
      const drawn = canvas.getContext('2d', { willReadFrequently: true });
      if (video === null || drawn === null) throw new Error('nothing to watch');
      const pictures: string[] = [];
      const until = performance.now() + lasts;
      do {
        await new Promise((resolve) => video.requestVideoFrameCallback(resolve));
        drawn.drawImage(video, 0, 0, size, size);
        const { data } = drawn.getImageData(0, 0, size, size);
        let text = '';
        for (let i = 0; i < data.length; i += 4) text += String.fromCharCode(data[i] ?? 0, data[i + 1] ?? 0, data[i + 2] ?? 0);
        pictures.push(btoa(text));
      } while (performance.now() < until);
      return pictures;
    },
    { lasts: ms, size: side },
  );
  return frames.map((base64) => ({ width: side, height: side, data: Uint8Array.from(Buffer.from(base64, 'base64')) }));
}

function spread(values: readonly number[]) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { n: values.length, mean: Number(mean.toFixed(4)), variance, most: Math.max(...values) };
}

function difference(a: Picture, b: Picture): number {
  return a.data.reduce((sum, value, i) => sum + Math.abs(value - (b.data[i] ?? 0)), 0) / a.data.length;
}

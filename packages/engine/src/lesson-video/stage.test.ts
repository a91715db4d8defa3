import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AvatarId } from '@virtual-tutor/schemas';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createVideoDecoder } from '../../../../test/support/seen-video.ts';
import { isTinted, type Tint, writeTintedAvatar } from '../../../../test/support/tinted-film.ts';
import { readManifest } from '../avatar/artifact/open-avatar.ts';
import { type Appearance, openStage } from './stage.ts';

const avatar = (last: string) => AvatarId.parse(`0193c5a0-0000-7000-8000-00000000000${last}`);
const [lin, absent] = [avatar('a'), avatar('b')];
/** Violet: no picture of the drawn tutors is. */
const tint: Tint = { u: 170, v: 170 };
let folder: string;
let artifacts: Awaited<ReturnType<typeof readManifest>>['artifacts'];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stage-'));
  await writeTintedAvatar(join(folder, lin), tint);
  ({ artifacts } = await readManifest(join(folder, lin)));
});
afterAll(() => rm(folder, { recursive: true }));

const drawn: Appearance = { fromMs: 0, voice: null, character: 'ada', film: null };

test('a viewer sees who was there, frame by frame, and nobody where the student had no picture', async () => {
  const filmed: Appearance = { ...drawn, film: { avatarId: lin, artifacts } };
  using stage = await openStage([drawn, filmed], folder);
  using decoder = createVideoDecoder('H264');
  const seen: string[] = [];
  for (const appearance of [null, drawn, drawn, null, filmed, filmed, drawn]) {
    const frame = await stage.next(appearance, null);
    const picture = decoder.decode(frame);
    const luma = picture.subarray(0, 512 * 512);
    const isDark = Math.max(...luma.subarray(0, 10_000)) < 40;
    seen.push(`${isTinted(picture, tint) ? 'filmed' : isDark ? 'nobody' : 'drawn'}${frame.key ? ' anew' : ''}`);
  }
  expect(seen).toEqual(['nobody anew', 'drawn anew', 'drawn', 'nobody anew', 'filmed anew', 'filmed', 'drawn anew']);
  expect(stage.missing).toEqual([]);
});

test('a film that is not there, or not the one that was built, is not seen, and that is said once', async () => {
  const torn = artifacts.map((artifact, nth) => (nth === 0 ? { ...artifact, sha256: '0'.repeat(64) } : artifact));
  const other: Appearance = { ...drawn, film: { avatarId: lin, artifacts: torn } };
  const gone: Appearance = { ...drawn, fromMs: 9, film: { avatarId: absent, artifacts } };
  using stage = await openStage([other, gone, { ...gone, fromMs: 99 }], folder);
  using decoder = createVideoDecoder('H264');
  for (const appearance of [other, gone]) expect(isTinted(decoder.decode(await stage.next(appearance, null)), tint)).toBe(false);
  expect(stage.missing).toEqual([
    { avatarId: lin, why: 'not_as_logged' },
    { avatarId: absent, why: 'missing' },
  ]);
});

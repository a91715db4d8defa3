import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createScriptedLlm } from '@virtual-tutor/engine/fakes';
import { AvatarId } from '@virtual-tutor/schemas';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { createSpeaker, type Speaker } from '../../packages/engine/src/speech/speaker.ts';
import { longestFreeze } from '../support/av-sync.ts';
import { madeReady, toAvatar } from '../support/avatars-in-log.ts';
import { chromiumAvailable, describeWith } from '../support/loud-skip.ts';
import { launchStudentsBrowser, type MediaRig, newTurn, type RigLesson, rigLessonOf, startMediaRig } from '../support/media-rig.ts';
import { ReceivingBrowser } from '../support/received-media.ts';
import { speakAndMeasure } from '../support/spoken-turn.ts';
import { writeTintedAvatar } from '../support/tinted-film.ts';
import { type NodeLesson, openLessonOn, tenantId } from '../support/voice-lesson.ts';

/*
 * A filmed tutor from the log to the picture that Chromium shows: chosen by what the log says, loaded and spoken by a
 * real worker, sent over the relay, and taken off when the log says that it was withdrawn.
 */

const busyMachine = { retry: 2 };
const avatarId = AvatarId.parse('0193c5a0-0000-7000-8000-00000000000a');
const lin = { tenantId, avatarId };
/** Violet: no picture of the drawn tutors is. */
const tint = { u: 170, v: 170 };
const text = 'Plants turn light into sugar, and for that they need water, air and a great deal of patience.';

/** That the frames which leave are the right ones, `test/fault/filmed-worker.test.ts` proves in every run. */

describeWith(chromiumAvailable, 'Chromium')('a filmed tutor', () => {
  let folder: string;
  let rig: MediaRig;
  let browser: Browser;
  let speaker: Speaker;
  let node: NodeLesson;
  let lesson: RigLesson;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'filmed-lesson-'));
    await writeTintedAvatar(join(folder, avatarId), tint);
    rig = await startMediaRig({ seed: 21, avatar: { enabled: true, folder, museTalkFolder: null } });
    browser = await launchStudentsBrowser();
    speaker = createSpeaker({ enabled: true, edgeVoice: null });
    node = await openLessonOn(rig.workers, { llm: createScriptedLlm({ play: () => ['Hello. '] }), avatarId });
    await toAvatar(node.handle, lin, ...madeReady);
    const { sessionId } = node;
    const peerId = randomUUID();
    const student = await ReceivingBrowser.connect(browser, {
      iceServers: [{ urls: `turn:127.0.0.1:${rig.network.port}?transport=udp`, ...rig.relay.credential(sessionId) }],
      negotiate: async (offer) => {
        const answer = await node.media.negotiate(tenantId, { sessionId, peerId, offer });
        if ('refused' in answer) throw new Error(answer.refused.message);
        return answer.answer;
      },
    });
    lesson = rigLessonOf(rig, { sessionId, student });
    await watch(student);
  });
  afterAll(async () => {
    await lesson?.[Symbol.asyncDispose]();
    await node?.[Symbol.asyncDispose]();
    await speaker?.[Symbol.asyncDispose]();
    await browser?.close();
    await rig?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  test('is seen, and moves its mouth with the words and at no other time', busyMachine, async () => {
    await expect.poll(async () => (await seen(lesson.student)).at(-1)?.violet, { timeout: 10_000 }).toBe(true);
    const { sentences } = await speakAndMeasure({ rig, lesson, speaker }, [text]);
    const [sync] = sentences;
    expect(sync?.soundFit).toBeGreaterThan(0.6);
    expect(sync?.mouthCorrelation).toBeGreaterThanOrEqual(0.5);
    lesson.student.media.forget();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const { openings } = await lesson.student.media.received();
    const atRest = openings.slice(5);
    expect(atRest.length).toBeGreaterThan(10);
    expect(Math.max(...atRest.map(({ value }) => value))).toBeLessThan(60);
    expect(longestFreeze(atRest)).toBeLessThan(500);
  });

  test('is gone within a second when it is revoked in the middle of a sentence, and the drawn one speaks on', async () => {
    const turnId = newTurn();
    const from = rig.facts.length;
    lesson.say(turnId, 0, text);
    await lesson.fact('firstFrame', from);
    await seen(lesson.student);
    const revokedAtMs = Date.now();
    await toAvatar(node.handle, lin, { type: 'RevokeAvatar', reason: 'consent_withdrawn' });
    await lesson.fact('heard', from);
    const pictures = (await seen(lesson.student)).filter(({ atMs }) => atMs >= revokedAtMs);
    const first = pictures.findIndex(({ violet }) => !violet);
    console.log(`revoked to shown: ${(pictures[first]?.atMs ?? 0) - revokedAtMs} ms`);
    expect((pictures[first]?.atMs ?? Number.POSITIVE_INFINITY) - revokedAtMs).toBeLessThan(1_000);
    expect(pictures.slice(first).some(({ violet }) => violet)).toBe(false);
    expect(pictures.length - first).toBeGreaterThan(30);
    expect(rig.facts.slice(from).some((fact) => fact.type === 'quality')).toBe(false);
  });
});

const Pictures = z.array(z.tuple([z.number(), z.number(), z.number(), z.number()]));

/** From now on the page keeps the mean colour of every picture that it shows, beside the time. */
async function watch({ media }: ReceivingBrowser): Promise<void> {
  await media.page.evaluate(() => {
    const video = document.querySelector('video');
    const canvas = document.createElement('canvas');
    canvas.width = 1;
    canvas.height = 1;
    const drawn = canvas.getContext('2d', { willReadFrequently: true });
    if (video === null || drawn === null) throw new Error('nothing to watch');
    const pictures: number[][] = [];
    Object.assign(globalThis, { colours: pictures });
    drawn.imageSmoothingQuality = 'high';
    const see = (): void => {
      video.requestVideoFrameCallback(see);
      drawn.drawImage(video, 0, 0, 64, 64, 0, 0, 1, 1);
      const [r = 0, g = 0, b = 0] = drawn.getImageData(0, 0, 1, 1).data;
      pictures.push([Date.now(), r, g, b]);
    };
    video.requestVideoFrameCallback(see);
  });
}

/** What was shown since it was asked before. */
async function seen({ media }: ReceivingBrowser): Promise<readonly { readonly atMs: number; readonly violet: boolean }[]> {
  const pictures = Pictures.parse(await media.page.evaluate('colours.splice(0)'));
  return pictures.map(([atMs, r, g, b]) => ({ atMs, violet: r - g > 30 && b - g > 30 }));
}

import { setTimeout as wait } from 'node:timers/promises';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { longestFreeze } from '../support/av-sync.ts';
import { chromiumAvailable, describeWith } from '../support/loud-skip.ts';
import { launchStudentsBrowser, type MediaRig, openRigLesson, type RigLesson, startMediaRig } from '../support/media-rig.ts';

const Inbound = z.object({
  /** Not there before the first one. */
  retransmittedPacketsReceived: z.number().default(0),
  framesDecoded: z.number(),
});

async function videoOf({ student }: RigLesson): Promise<z.infer<typeof Inbound>> {
  return Inbound.parse((await student.media.stats()).find(({ type, kind }) => type === 'inbound-rtp' && kind === 'video'));
}

/** The longest time that one picture stood while this went on and for two seconds after it, ms. */
async function freezeDuring({ student }: RigLesson, work: () => Promise<unknown>): Promise<number> {
  await student.media.received();
  student.media.forget();
  await work();
  await wait(2_000);
  return longestFreeze((await student.media.received()).openings);
}

describeWith(chromiumAvailable, 'Chromium').each([
  { layout: 'on a port of its own', throughRelay: false },
  { layout: 'behind the relay', throughRelay: true },
])('a browser and an engine $layout', ({ throughRelay }) => {
  let rig: MediaRig;
  let browser: Browser;
  beforeAll(async () => {
    rig = await startMediaRig({ throughRelay });
    browser = await launchStudentsBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await rig?.[Symbol.asyncDispose]();
  });

  test('mend what a network loses before anybody sees it', async () => {
    await using lesson = await openRigLesson(rig, { browser });
    await expect.poll(async () => (await videoOf(lesson)).framesDecoded, { timeout: 10_000 }).toBeGreaterThan(50);
    const freezeMs = await freezeDuring(lesson, async () => {
      rig.network.impair({ loss: 0.05 }, ['down']);
      await wait(4_000);
      rig.network.impair({});
    });
    expect((await videoOf(lesson)).retransmittedPacketsReceived).toBeGreaterThan(0);
    expect(freezeMs).toBeLessThan(1_000);
  });

  test('restart ICE with another relay address, and the picture stands for less than a second', async () => {
    await using lesson = await openRigLesson(rig, { browser, microphone: true });
    await expect.poll(async () => (await videoOf(lesson)).framesDecoded, { timeout: 10_000 }).toBeGreaterThan(50);
    const freezeMs = await freezeDuring(lesson, () =>
      lesson.student.restart([{ urls: rig.relay.url('udp'), ...rig.relay.credential(lesson.sessionId) }]),
    );
    const before = (await videoOf(lesson)).framesDecoded;
    await expect.poll(async () => (await videoOf(lesson)).framesDecoded, { timeout: 5_000 }).toBeGreaterThan(before + 25);
    // What went through the network of before goes beside it now.
    const passed = rig.network.schedule.length;
    await wait(1_000);
    expect(rig.network.schedule.length - passed).toBeLessThan(25);
    expect(freezeMs).toBeLessThan(1_000);
  });
});

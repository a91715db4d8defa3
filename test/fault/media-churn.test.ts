import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { chromiumAvailable, describeWith } from '../support/loud-skip.ts';
import { comeAndGo, heldBy, untilEmpty } from '../support/media-churn.ts';
import { launchStudentsBrowser, type MediaRig, startMediaRig } from '../support/media-rig.ts';

describeWith(chromiumAvailable, 'Chromium')('students who come and go', () => {
  let rig: MediaRig;
  let browser: Browser;

  beforeAll(async () => {
    rig = await startMediaRig();
    browser = await launchStudentsBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await rig?.[Symbol.asyncDispose]();
  });

  // The long version, for memory: `npm run soak -- media-churn`.
  test('leave no session, port or file behind, whether they said goodbye or not', async () => {
    for (const nth of [0, 1]) await comeAndGo(rig, { browser, nth });
    await untilEmpty(rig);
    const before = heldBy(rig);
    for (let nth = 0; nth < 6; nth += 1) await comeAndGo(rig, { browser, nth });
    await untilEmpty(rig);
    expect(heldBy(rig)).toMatchObject({ sessions: 0, files: before.files });
  });
});

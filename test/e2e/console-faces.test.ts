import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { accessibilityFindings, buildPage, launchChromium, screenshot, visit } from '../support/chromium.ts';
import { type RunningEngine, startEngine } from '../support/engine.ts';
import { film, writeFilm } from '../support/filmed-clip.ts';
import { chinese, english } from '../support/lesson-page.ts';
import { chromiumAvailable, describeWith } from '../support/loud-skip.ts';

const frames = 80;
const phone = { viewport: { width: 320, height: 700 }, locale: 'zh-CN', colorScheme: 'dark' } as const;

describeWith(chromiumAvailable, 'Chromium')('filmed tutors at the desk', () => {
  let browser: Browser;
  let engine: RunningEngine;
  let folder: string;
  const clips = { good: '', dark: '' };

  beforeAll(async () => {
    buildPage();
    folder = await mkdtemp(join(tmpdir(), 'tutor-clips-'));
    clips.good = join(folder, 'hopper.mp4');
    clips.dark = join(folder, 'dark.webm');
    const size = { width: 320, height: 320, eyesPx: 64, frames };
    await writeFilm(clips.good, await film(size), 25);
    await writeFilm(clips.dark, await film({ ...size, frames: 20, light: 0.2 }), 25);
    const fakeCamera = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'];
    [browser, engine] = await Promise.all([launchChromium(fakeCamera), startEngine({ ENABLE_AVATAR: 'true' })]);
  });
  afterAll(async () => {
    await browser?.close();
    await engine?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

  async function send(page: Page, clip: string, name: string): Promise<void> {
    await page.locator('input[type=file]').setInputFiles(clip);
    await page.getByRole('textbox', { name: english('faceName') }).fill(name);
    await page.getByRole('textbox', { name: english('consentBy') }).fill('Grace Hopper');
    expect(await button(page, english('makeFace')).isDisabled()).toBe(true);
    await page.getByRole('checkbox', { name: english('consentGiven') }).check();
    await button(page, english('makeFace')).click();
  }

  test('a clip becomes a face that a tutor is given, until it is withdrawn', async () => {
    await using visitor = await visit(browser, `${engine.url}/#/desk/faces/+`);
    const { page, troubles } = visitor;
    await send(page, clips.good, 'Ms Hopper');
    await page.getByRole('heading', { name: 'Ms Hopper' }).waitFor();
    await page.getByText(english('face_ready'), { exact: true }).waitFor({ timeout: 60_000 });
    const loop = page.getByLabel(english('facePreview'));
    await expect.poll(() => loop.evaluate((video) => video instanceof HTMLVideoElement && video.currentTime > 0.2)).toBe(true);
    expect(await accessibilityFindings(page)).toEqual([]);
    await screenshot(page, 'face-ready');

    await page.getByRole('combobox', { name: english('giveToTutor') }).selectOption('ada');
    await button(page, english('publishFace')).click();
    await page.getByText(english('publishedFace', { tutor: 'Ada' })).waitFor();
    await page.goto(`${engine.url}/#/desk/tutors/ada`);
    const worn = page.getByRole('combobox', { name: english('fieldFilmed') });
    expect(await worn.evaluate((select) => select instanceof HTMLSelectElement && select.selectedOptions[0]?.text)).toBe('Ms Hopper');

    await page.goto(`${engine.url}/#/desk/faces`);
    await page.getByRole('link', { name: 'Ms Hopper' }).click();
    await button(page, english('revokeFace')).click();
    await page.getByRole('radio', { name: english('revoke_replaced') }).check();
    await page
      .getByRole('dialog')
      .getByRole('button', { name: english('revokeFace'), exact: true })
      .click();
    await page.getByText(english('faceWasRevoked')).waitFor();
    await button(page, english('deleteFace')).click();
    await page
      .getByRole('dialog')
      .getByRole('button', { name: english('deleteFace'), exact: true })
      .click();
    await page.getByText(english('noFacesTitle')).waitFor();
    expect(troubles).toEqual([]);
  });

  test('a clip that cannot be used says why, with the picture, in Chinese on a narrow dark screen too', async () => {
    await using visitor = await visit(browser, `${engine.url}/#/desk/faces/+`);
    const { page, troubles } = visitor;
    await send(page, clips.dark, 'In the dark');
    await page.getByText(english('fault_too_dark')).waitFor({ timeout: 60_000 });
    await page.getByText(english('fault_too_short')).waitFor();
    await expect
      .poll(() =>
        page
          .locator('.fault img')
          .first()
          .evaluate((image) => image instanceof HTMLImageElement && image.naturalWidth),
      )
      .toBeGreaterThan(100);
    expect(await accessibilityFindings(page)).toEqual([]);
    expect(troubles).toEqual([]);
    await using narrow = await visit(browser, page.url(), phone);
    await narrow.page.getByText(chinese('fault_too_dark')).waitFor();
    expect(await accessibilityFindings(narrow.page)).toEqual([]);
    expect(await narrow.page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
    await screenshot(narrow.page, 'face-refused');
  });

  test('the camera records, and is off again afterwards', async () => {
    await using visitor = await visit(browser, `${engine.url}/#/desk/faces/+`);
    const { page, troubles } = visitor;
    await page.clock.install();
    await button(page, english('useCamera')).click();
    const camera = page.getByLabel(english('cameraPicture'));
    await expect.poll(() => camera.evaluate((video) => video instanceof HTMLVideoElement && video.videoWidth)).toBeGreaterThan(0);
    const track = await camera.evaluateHandle((video) =>
      video instanceof HTMLVideoElement && video.srcObject instanceof MediaStream ? video.srcObject.getTracks()[0] : undefined,
    );
    expect(await accessibilityFindings(page)).toEqual([]);
    await screenshot(page, 'face-camera');
    await button(page, english('startRecording')).click();
    await page.getByText(english('recordingIn', { seconds: 3 })).waitFor();
    await page.clock.runFor(3_100);
    await page.getByText(english('recordingFor', { seconds: 10 })).waitFor();
    await page.clock.runFor(10_100);
    await page.getByLabel(english('recordedClip')).waitFor();
    expect(await track.evaluate((camera) => camera?.readyState)).toBe('ended');
    expect(troubles).toEqual([]);
  });
});

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { accessibilityFindings, buildPage, screenshot, visit } from '../support/chromium.ts';
import { type RunningEngine, startEngine, withVoice } from '../support/engine.ts';
import { chinese, english } from '../support/lesson-page.ts';
import { chromiumAvailable, describeWith } from '../support/loud-skip.ts';
import { launchStudentsBrowser } from '../support/media-rig.ts';
import { VoicePage } from '../support/voice-page.ts';

const blueSky = 'Why is the sky blue?';
/** Stands for a browser's rule that no page makes noise before its first gesture: Playwright's every look counts as one. */
const silentBeforeGesture = `{
  let gesture = false;
  for (const event of ['keydown', 'pointerup']) addEventListener(event, () => { gesture = true; }, { capture: true });
  const play = HTMLMediaElement.prototype.play;
  HTMLMediaElement.prototype.play = function () {
    const allowed = this.muted || gesture;
    return allowed ? play.call(this) : Promise.reject(new DOMException('no gesture yet', 'NotAllowedError'));
  };
}`;
const narrowest = { width: 320, height: 640 } as const;

describeWith(chromiumAvailable, 'Chromium')('voice and face in trouble', () => {
  let engine: RunningEngine;
  let browser: Browser;

  beforeAll(async () => {
    buildPage();
    [browser, engine] = await Promise.all([launchStudentsBrowser(), startEngine(await withVoice())]);
  });
  afterAll(async () => {
    await browser?.close();
    await engine?.[Symbol.asyncDispose]();
  });

  test('a microphone that is refused is explained, and typing goes on', async () => {
    await using visitor = await visit(browser, engine.url);
    const { page } = visitor;
    await page.addInitScript(`navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError'))`);
    await page.reload();
    const voice = new VoicePage(page);
    await voice.start();
    await voice.startTalking.click();
    await page.getByText(english('mic_denied_title')).waitFor();
    expect(await accessibilityFindings(page)).toEqual([]);
    await screenshot(page, 'voice-mic-denied');
    await voice.lesson.ask(blueSky);
    await voice.caption.waitFor();
  });

  test('everything about talking can be done by keyboard', async () => {
    await using visitor = await visit(browser, engine.url);
    const { page } = visitor;
    const voice = new VoicePage(page);
    await voice.start();
    await voice.startTalking.focus();
    await page.keyboard.press('Enter');
    const focused = page.locator('button:focus');
    await page.getByRole('button', { name: english('micMute') }).waitFor();
    await page.keyboard.press('Space');
    await page.getByText(english('mutedNow'), { exact: true }).waitFor();
    expect(await focused.getAttribute('aria-label')).toBe(english('micUnmute'));
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByRole('radio', { name: english('modePush') }).check();
    await page.keyboard.press('Escape');
    await page.keyboard.press('Shift+Tab');
    expect(await focused.textContent()).toBe(english('holdToTalk'));
    await page.keyboard.down('Space');
    await page.getByRole('button', { name: english('releaseToSend'), pressed: true }).waitFor();
    await page.keyboard.up('Space');
    await voice.holdToTalk.and(page.locator('[aria-pressed="false"]')).waitFor();
    expect(await accessibilityFindings(page)).toEqual([]);
  });

  test('a microphone that is taken away is told, and can be given back', async () => {
    await using visitor = await visit(browser, engine.url);
    const { page } = visitor;
    const voice = new VoicePage(page);
    await page.addInitScript(`{
      const media = navigator.mediaDevices;
      const ask = media.getUserMedia.bind(media);
      window.microphones = [];
      media.getUserMedia = async (wanted) => {
        const stream = await ask(wanted);
        window.microphones.push(...stream.getAudioTracks());
        return stream;
      };
    }`);
    await page.reload();
    await voice.start();
    await voice.startTalking.click();
    await page.getByRole('button', { name: english('micMute') }).waitFor();
    // What Chromium does when its owner withdraws the permission: the track ends, and a new one is refused.
    await page.evaluate(`{
      navigator.permissions.query = async () => ({ state: 'denied' });
      for (const track of window.microphones) { track.stop(); track.dispatchEvent(new Event('ended')); }
    }`);
    await page.getByText(english('mic_revoked_title')).waitFor();
    await page.getByRole('button', { name: english('tryAgain') }).click();
    await page.getByRole('button', { name: english('micMute') }).waitFor();
  });

  test('a page without a gesture shows the face in silence, and speaks after the first key', async () => {
    await using visitor = await visit(browser, engine.url);
    const { page } = visitor;
    const voice = new VoicePage(page);
    await voice.start();
    await page.addInitScript(silentBeforeGesture);
    await page.reload();
    const sound = voice.stage.getByRole('button', { name: english('soundOn') });
    await sound.first().waitFor();
    await voice.face.waitFor();
    expect(await voice.isMuted()).toBe(true);
    expect(await accessibilityFindings(page)).toEqual([]);
    await voice.lesson.question.focus();
    await page.keyboard.press('W');
    await sound.first().waitFor({ state: 'detached' });
    expect(await voice.isMuted()).toBe(false);
  });

  test('a second tab takes voice and face over, and gives them back when asked', async () => {
    await using visitor = await visit(browser, engine.url);
    const { page, context } = visitor;
    const first = new VoicePage(page);
    await first.start();
    await first.startTalking.click();
    await page.getByRole('button', { name: english('micMute') }).waitFor();
    const second = new VoicePage(await context.newPage());
    // A grant belongs to its tab; staff get one of their own.
    await second.page.goto(page.url());
    await second.face.waitFor();
    await page.getByText(english('voiceElsewhereTitle')).waitFor();
    expect(await accessibilityFindings(page)).toEqual([]);
    await page.getByRole('button', { name: english('useHere') }).click();
    await first.face.waitFor();
    await second.page.getByText(english('voiceElsewhereTitle')).waitFor();
    // Nobody was recorded for a tab that had no voice.
    await first.startTalking.waitFor();
  });

  test('a lesson that is left behind keeps no connection and no microphone', async () => {
    await using visitor = await visit(browser, engine.url);
    const { page } = visitor;
    await page.addInitScript(`{
      window.opened = [];
      const Real = RTCPeerConnection;
      RTCPeerConnection = class extends Real { constructor(...given) { super(...given); window.opened.push(this); } };
      const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      navigator.mediaDevices.getUserMedia = async (wanted) => {
        const stream = await ask(wanted);
        window.opened.push(...stream.getTracks());
        return stream;
      };
    }`);
    await page.reload();
    const voice = new VoicePage(page);
    await voice.start();
    await voice.startTalking.click();
    await page.getByRole('button', { name: english('micMute') }).waitFor();
    const states = () => page.evaluate('window.opened.map((thing) => thing.connectionState ?? thing.readyState)');
    expect(await states()).toEqual(['connected', 'live']);
    await page.getByRole('link', { name: english('backToLessons') }).click();
    await voice.face.waitFor({ state: 'detached' });
    await expect.poll(states).toEqual(['closed', 'ended']);
  });

  test('an engine that is killed in the middle of a spoken sentence comes back with voice and face', { timeout: 120_000 }, async () => {
    await using visitor = await visit(browser, engine.url);
    const { page } = visitor;
    const voice = new VoicePage(page);
    await voice.start();
    await voice.lesson.ask(blueSky);
    await voice.caption.waitFor();
    await engine.kill();
    await voice.lesson.status(english('stateReconnecting')).waitFor();
    await engine.restart();
    await voice.lesson.ready();
    await voice.face.waitFor({ timeout: 30_000 });
    const before = await voice.pictures();
    await expect.poll(() => voice.pictures(), { timeout: 30_000 }).toBeGreaterThan(before + 10);
    await voice.lesson.ask('What is evaporation?');
    await voice.caption.waitFor({ timeout: 30_000 });
  });

  test.each([
    { name: 'light-en', say: english, tutor: 'Ada', options: { locale: 'en-GB', colorScheme: 'light' } },
    { name: 'dark-zh', say: chinese, tutor: '小蓝老师', options: { locale: 'zh-CN', colorScheme: 'dark' } },
  ] as const)('a spoken lesson is accessible and fits the narrowest screen, in $name', async ({ name, say, tutor, options }) => {
    await using visitor = await visit(browser, engine.url, { ...options, reducedMotion: 'reduce' });
    const { page, troubles } = visitor;
    const voice = new VoicePage(page, { tutor, say });
    await voice.start();
    await voice.lesson.ask(name === 'light-en' ? blueSky : '天空为什么是蓝色的？');
    await voice.caption.waitFor();
    expect(await accessibilityFindings(page)).toEqual([]);
    await screenshot(page, `voice-desktop-${name}`);
    await page.setViewportSize(narrowest);
    expect(await accessibilityFindings(page)).toEqual([]);
    await screenshot(page, `voice-narrow-${name}`);
    expect(await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')).toBe(0);
    await voice.settings.click();
    expect(await accessibilityFindings(page)).toEqual([]);
    await screenshot(page, `voice-settings-${name}`);
    expect(troubles).toEqual([]);
  });
});

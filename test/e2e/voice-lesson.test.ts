import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildPage, screenshot, visit } from '../support/chromium.ts';
import { type RunningEngine, startEngine, withVoice } from '../support/engine.ts';
import { chinese, english } from '../support/lesson-page.ts';
import { chromiumAvailable, describeWith } from '../support/loud-skip.ts';
import { launchTalkingBrowser, type TalkingBrowser, VoicePage } from '../support/voice-page.ts';
import { say, silence, voicesAvailable } from '../support/voices.ts';

const blueSky = 'Why is the sky blue?';

describeWith(chromiumAvailable && voicesAvailable, 'Chromium and voices (apt-get install flite espeak-ng)')('a spoken lesson', () => {
  let engine: RunningEngine;
  let talking: TalkingBrowser;
  let browser: Browser;

  beforeAll(async () => {
    buildPage();
    const question = say(blueSky);
    [engine, talking] = await Promise.all([
      startEngine(await withVoice()),
      launchTalkingBrowser(silence(1_500), question, silence(7_000), question, silence(7_000), question),
    ]);
    browser = talking.browser;
  });
  afterAll(async () => {
    await talking?.[Symbol.asyncDispose]();
    await engine?.[Symbol.asyncDispose]();
  });

  test('the tutor is seen at once, moves, and comes through the relay alone', async () => {
    await using visitor = await visit(browser, engine.url);
    const { page, troubles } = visitor;
    const offers: string[] = [];
    page.on('websocket', (socket) => socket.on('framesent', ({ payload }) => offers.push(String(payload))));
    const voice = new VoicePage(page);
    await voice.start();
    const before = await voice.pictures();
    await expect.poll(() => voice.pictures(), { timeout: 5_000 }).toBeGreaterThan(before + 20);
    const offered = offers.filter((frame) => frame.includes('a=candidate:'));
    expect(offered).toHaveLength(1);
    expect(offered[0]).toContain(' typ relay ');
    expect(offered[0]).not.toMatch(/ typ (?:host|srflx|prflx)/);
    await voice.settings.click();
    await page.getByText(english('viaRelay')).waitFor();
    expect(troubles).toEqual([]);
  });

  test('a typed question is answered aloud, word by word, and the text never runs ahead of the voice', async () => {
    await using visitor = await visit(browser, engine.url);
    const voice = new VoicePage(visitor.page);
    await voice.start();
    await voice.lesson.ask(blueSky);
    await voice.caption.waitFor();
    const heard: string[] = [];
    for (let look = 0; look < 25; look += 1) {
      const said = await voice.said();
      if (said !== '' && said !== heard.at(-1)) heard.push(said);
      await visitor.page.waitForTimeout(100);
    }
    await screenshot(visitor.page, 'voice-speaking');
    expect(heard.length).toBeGreaterThan(3);
    const sentence = await voice.caption.textContent();
    const shown = (await voice.lesson.answer.textContent()) ?? '';
    // Read a moment apart: what is shown may be a word further, never the sentence's end.
    expect(shown.length).toBeLessThan((await voice.said()).length + shown.indexOf(heard[0]?.slice(0, 5) ?? '') + (sentence?.length ?? 0));
    await voice.lesson.stop.click();
    await voice.caption.waitFor({ state: 'detached' });
    const stopped = await voice.lesson.finished();
    expect(stopped.length).toBeLessThan(shown.length + 40);
    await visitor.page.reload();
    await voice.lesson.turns.last().getByText(english('interrupted')).waitFor();
    expect(await voice.lesson.answer.textContent()).toBe(stopped);
  });

  test('a spoken question becomes a message, and is answered aloud', async () => {
    await using visitor = await visit(browser, engine.url);
    const voice = new VoicePage(visitor.page);
    await voice.start();
    await voice.startTalking.click();
    await visitor.page.locator('.caption-student').waitFor({ timeout: 40_000 });
    await voice.spokenQuestions.first().waitFor({ state: 'attached' });
    await voice.caption.waitFor();
    expect(await voice.said()).not.toBe('');
  });

  test('with push-to-talk only what is said while the key is held is heard', async () => {
    await using visitor = await visit(browser, engine.url);
    const { page } = visitor;
    const voice = new VoicePage(page);
    await voice.start();
    await voice.settings.click();
    await page.getByRole('radio', { name: english('modePush') }).check();
    await page.keyboard.press('Escape');
    await voice.startTalking.click();
    await voice.holdToTalk.waitFor();
    // The first question passes with nobody listening.
    await page.waitForTimeout(4_000);
    expect(await voice.spokenQuestions.count()).toBe(0);
    await voice.settings.focus();
    await page.locator('.room-scroller').focus();
    await page.keyboard.down('Space');
    await page.getByRole('button', { name: english('releaseToSend') }).waitFor();
    await page.locator('.caption-student').waitFor({ timeout: 30_000 });
    await page.waitForTimeout(2_500);
    await page.keyboard.up('Space');
    await voice.spokenQuestions.first().waitFor({ state: 'attached' });
    await voice.holdToTalk.waitFor();
  });

  test('a Chinese lesson is spoken, and says what is missing to be understood', async () => {
    await using visitor = await visit(browser, engine.url, { locale: 'zh-CN' });
    const voice = new VoicePage(visitor.page, { tutor: '小蓝老师', say: chinese });
    await voice.start();
    await visitor.page.getByText(chinese('missingListeningTitle')).click();
    await visitor.page.getByText('ASR_MODELS_DIR').waitFor();
    expect(await voice.startTalking.count()).toBe(0);
    await voice.lesson.ask('天空为什么是蓝色的？');
    await voice.caption.waitFor();
    await expect.poll(() => voice.said()).toMatch(/^\p{Script=Han}{2}/u);
    await screenshot(visitor.page, 'voice-speaking-zh');
  });

  test('whoever prefers to read gets answers at once, in every later lesson too', async () => {
    await using visitor = await visit(browser, engine.url);
    const { page } = visitor;
    const voice = new VoicePage(page);
    await voice.start();
    await voice.settings.click();
    await page.getByRole('button', { name: english('settingsWriting') }).click();
    await voice.face.waitFor({ state: 'detached' });
    await voice.lesson.ask(blueSky);
    await voice.lesson.finished();
    expect(await voice.caption.count()).toBe(0);
    await page.reload();
    await voice.lesson.ready();
    await page.getByRole('button', { name: english('backToVoice') }).click();
    await voice.face.waitFor();
  });
});

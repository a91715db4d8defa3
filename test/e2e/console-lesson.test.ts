import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildPage, launchChromium, visit } from '../support/chromium.ts';
import { type RunningEngine, startEngine } from '../support/engine.ts';
import { chinese, english, LessonPage } from '../support/lesson-page.ts';
import { chromiumAvailable, describeWith } from '../support/loud-skip.ts';

const blueSky = 'Why is the sky blue?';

describeWith(chromiumAvailable, 'Chromium')('a lesson in the browser', () => {
  let browser: Browser;
  /** Slow enough to be stopped, reloaded and killed in the middle of an answer. */
  let engine: RunningEngine;

  beforeAll(async () => {
    buildPage();
    [browser, engine] = await Promise.all([launchChromium(), startEngine({ EXTRACTIVE_PACE_MS: '20' })]);
  });
  afterAll(async () => {
    await browser?.close();
    await engine?.[Symbol.asyncDispose]();
  });

  test('an answer appears piece by piece and opens the passage that it cites', async () => {
    await using visitor = await visit(browser, engine.url);
    const { page, troubles } = visitor;
    const lesson = new LessonPage(page);
    await lesson.start();
    expect(await page.title()).toBe('Lesson with Ada · Virtual Tutor');
    await lesson.ask(blueSky);
    const beginning = await lesson.beginning();
    const answer = await lesson.finished();
    expect(answer.length).toBeGreaterThan(beginning.length);
    expect(answer).toContain('scatter');

    const citation = lesson.answer.getByRole('button').first();
    const name = await citation.getAttribute('aria-label');
    await citation.click();
    const passage = page.getByRole('dialog', { name: 'Light and the blue sky' });
    await passage.waitFor();
    expect(await passage.getByRole('blockquote').textContent()).toContain('blue light');
    await page.keyboard.press('Escape');
    await passage.waitFor({ state: 'detached' });
    expect(await page.locator('.citation:focus').getAttribute('aria-label')).toBe(name);
    expect(troubles).toEqual([]);
  });

  test('a screen reader is told whole sentences, without marks', async () => {
    await using visitor = await visit(browser, engine.url);
    const lesson = new LessonPage(visitor.page);
    await lesson.start();
    const told = visitor.page.getByRole('log');
    expect(await told.textContent()).toBe('');
    await lesson.ask(blueSky);
    await lesson.beginning();
    await lesson.finished();
    const sentences = await told.locator('p').allInnerTexts();
    expect(sentences.length).toBeGreaterThan(0);
    for (const sentence of sentences) expect(sentence).toMatch(/^[^[\]*]+[.?!:”"]$/u);
  });

  test('a Chinese visitor has a Chinese page, and Enter that chooses a word sends nothing', async () => {
    await using visitor = await visit(browser, engine.url, { locale: 'zh-CN' });
    const { page, troubles, context } = visitor;
    const lesson = new LessonPage(page, { tutor: '小蓝老师', say: chinese });
    await lesson.start();
    expect(await page.locator('html').getAttribute('lang')).toBe('zh-CN');
    await lesson.question.focus();
    const input = await context.newCDPSession(page);
    await input.send('Input.imeSetComposition', { text: '天空为什么是蓝色的', selectionStart: 9, selectionEnd: 9 });
    await page.keyboard.press('Enter');
    expect(await lesson.turns.count()).toBe(1);
    await input.send('Input.insertText', { text: '天空为什么是蓝色的？' });
    await page.keyboard.press('Enter');
    await lesson.beginning(8);
    const answer = await lesson.finished();
    expect(answer).toContain('散射');
    await lesson.answer.getByRole('button').first().click();
    const passage = page.getByRole('dialog', { name: '光与蓝天' });
    expect(await passage.getByRole('blockquote').getAttribute('lang')).toBe('zh-CN');
    expect(troubles).toEqual([]);
  });

  test.each(['button', 'Escape'])('the tutor stops by %s, and what was said stays', async (by) => {
    await using visitor = await visit(browser, engine.url);
    const lesson = new LessonPage(visitor.page);
    await lesson.start();
    await lesson.ask(blueSky);
    const beginning = await lesson.beginning();
    if (by === 'button') await lesson.stop.click();
    else await visitor.page.keyboard.press('Escape');
    await lesson.turns.last().getByText(english('interrupted')).waitFor();
    const heard = await lesson.finished();
    expect(heard.startsWith(beginning.trimEnd().slice(0, 20))).toBe(true);
    await visitor.page.reload();
    await lesson.turns.last().getByText(english('interrupted')).waitFor();
    expect(await lesson.answer.textContent()).toBe(heard);
  });

  test('after a reload in the middle of an answer, the lesson and the draft are where they were', async () => {
    await using visitor = await visit(browser, engine.url);
    const { page, troubles } = visitor;
    const lesson = new LessonPage(page);
    await lesson.start();
    await lesson.ask(blueSky);
    await lesson.question.fill('And why is a sunset');
    const beginning = await lesson.beginning();
    await page.reload();
    await lesson.ready();
    const answer = await lesson.finished();
    expect(answer.startsWith(beginning.slice(0, 20))).toBe(true);
    expect(await lesson.turns.count()).toBe(2);
    expect(await lesson.question.inputValue()).toBe('And why is a sunset');
    await page.reload();
    await lesson.ready();
    expect(await lesson.answer.textContent()).toBe(answer);
    expect(troubles).toEqual([]);
  });

  test('everything can be done by keyboard', async () => {
    await using visitor = await visit(browser, engine.url);
    const { page } = visitor;
    const lesson = new LessonPage(page);
    const start = page.getByRole('button', { name: english('startLessonWith', { name: 'Ada' }), exact: true });
    await start.waitFor();
    const tabTo = async (name: string) => {
      for (let presses = 0; presses < 40; presses++) {
        await page.keyboard.press('Tab');
        const focused = page.locator('button:focus, a:focus');
        if ((await focused.count()) === 0) continue;
        if (`${await focused.getAttribute('aria-label')} ${await focused.textContent()}`.includes(name)) return;
      }
      throw new Error(`Tab never came to ${name}`);
    };
    await tabTo(english('startLessonWith', { name: 'Ada' }));
    await page.keyboard.press('Enter');
    await lesson.ready();
    await page.keyboard.type(blueSky);
    await page.keyboard.press('Enter');
    await lesson.beginning();
    await lesson.finished();
    await tabTo('Light and the blue sky');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog', { name: 'Light and the blue sky' }).waitFor();
    await page.keyboard.press('Escape');
    await tabTo(english('endLesson'));
    await page.keyboard.press('Enter');
    await page.getByRole('dialog', { name: english('endLessonAsk') }).waitFor();
    await tabTo(english('endLesson'));
    await page.keyboard.press('Enter');
    await page.getByText(english('ended_student')).waitFor();
  });

  test('an engine that dies in the middle of an answer and comes back is waited for', async () => {
    await using visitor = await visit(browser, engine.url);
    const { page } = visitor;
    const lesson = new LessonPage(page);
    await lesson.start();
    await lesson.ask(blueSky);
    const beginning = await lesson.beginning();
    await engine.kill();
    await lesson.status(english('stateReconnecting')).waitFor();
    await engine.restart();
    await lesson.ready();
    const answer = await lesson.finished();
    expect(answer.startsWith(beginning.slice(0, 20))).toBe(true);
    expect(await lesson.turns.count()).toBe(2);
    await lesson.ask('What is evaporation?');
    await lesson.beginning();
    expect(await lesson.turns.count()).toBe(3);
  });
});

import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { accessibilityFindings, buildPage, fromElsewhere, launchChromium, screenshot, visit } from '../support/chromium.ts';
import { type RunningEngine, startEngine } from '../support/engine.ts';
import { consoleClient, joinLesson } from '../support/lesson.ts';
import { chinese, english } from '../support/lesson-page.ts';
import { chromiumAvailable, describeWith } from '../support/loud-skip.ts';

const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 } as const;
const desktop = { viewport: { width: 1280, height: 800 } } as const;
/** WCAG 1.4.10: the width of 1280 px at four times the size. */
const narrowest = { width: 320, height: 800 } as const;

/** Either width, scheme and language at least once. */
const looks = [
  { name: 'desktop-light-en', options: { ...desktop, locale: 'en-GB', colorScheme: 'light' } },
  { name: 'phone-dark-zh', options: { ...phone, locale: 'zh-CN', colorScheme: 'dark' } },
] as const satisfies readonly { readonly name: string; readonly options: BrowserContextOptions }[];

describeWith(chromiumAvailable, 'Chromium')('every view', () => {
  let browser: Browser;
  let engine: RunningEngine;
  const lessons = { en: '', zh: '', ended: '' };

  beforeAll(async () => {
    buildPage();
    [browser, engine] = await Promise.all([launchChromium(), startEngine()]);
    const client = await consoleClient(engine);
    const hold = async (lesson: { readonly tutorId: string; readonly studentId: string }, questions: readonly string[]) => {
      await using joined = await joinLesson(client, lesson);
      for (const question of questions) await joined.session.chat.send(question).text();
      return joined.sessionId;
    };
    lessons.en = await hold({ tutorId: 'ada', studentId: 'lin' }, ['Why is the sky blue?', 'And why are sunsets red?']);
    lessons.zh = await hold({ tutorId: 'xiaolan', studentId: 'xiaoming' }, ['天空为什么是蓝色的？', '那日落为什么是红色的？']);
    lessons.ended = await hold({ tutorId: 'ada', studentId: 'noor' }, ['What is evaporation?']);
    await client.sessions.end(lessons.ended);
  });
  afterAll(async () => {
    await browser?.close();
    await engine?.[Symbol.asyncDispose]();
  });

  const views = {
    home: { path: () => '/', ready: (page: Page) => page.locator('.cards') },
    lesson: { path: (zh: boolean) => `/#/lesson/${zh ? lessons.zh : lessons.en}`, ready: (page: Page) => page.locator('.source').last() },
    passage: {
      path: (zh: boolean) => `/#/lesson/${zh ? lessons.zh : lessons.en}`,
      ready: (page: Page) => page.locator('dialog'),
      first: (page: Page) => page.locator('.citation').last().click(),
    },
    ended: { path: () => `/#/lesson/${lessons.ended}`, ready: (page: Page) => page.locator('.room-foot .notice') },
    tutors: { path: () => '/#/desk/tutors', ready: (page: Page) => page.locator('.rows') },
    tutor: { path: (zh: boolean) => `/#/desk/tutors/${zh ? 'xiaolan' : 'ada'}`, ready: (page: Page) => page.locator('form.form') },
    collection: {
      path: (zh: boolean) => `/#/desk/knowledge/light-water-sky-${zh ? 'zh' : 'en'}`,
      ready: (page: Page) => page.locator('.rows'),
    },
    links: { path: () => '/#/desk/links', ready: (page: Page) => page.locator('form.form') },
    audit: { path: () => '/#/audit', ready: (page: Page) => page.locator('table') },
    replay: { path: (zh: boolean) => `/#/audit/${zh ? lessons.zh : lessons.en}`, ready: (page: Page) => page.locator('.verdict-title') },
    unknown: { path: () => '/#/nowhere', ready: (page: Page) => page.locator('h1') },
  } as const satisfies Record<
    string,
    { path: (zh: boolean) => string; ready: (page: Page) => ReturnType<Page['locator']>; first?: (page: Page) => Promise<void> }
  >;

  test.each(looks)('$name is accessible, and fits the narrowest screen', async ({ name, options }) => {
    const isChinese = options.locale === 'zh-CN';
    const findings: string[] = [];
    for (const [view, shown] of Object.entries(views)) {
      await using visitor = await visit(browser, `${engine.url}${shown.path(isChinese)}`, { ...options, reducedMotion: 'reduce' });
      const { page, troubles } = visitor;
      if ('first' in shown) await shown.first(page);
      await shown.ready(page).waitFor();
      await screenshot(page, `${view}-${name}`);
      findings.push(...(await accessibilityFindings(page)).map((finding) => `${view}: ${finding}`), ...troubles);
      await page.setViewportSize(narrowest);
      const overflow: unknown = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
      if (overflow !== 0) findings.push(`${view}: ${overflow} px too wide`);
    }
    expect(findings).toEqual([]);
  });

  test.each(looks)('signing in is accessible in $name', async ({ name, options }) => {
    await using visitor = await visit(browser, fromElsewhere(engine.url), options);
    const say = options.locale === 'zh-CN' ? chinese : english;
    await visitor.page.getByLabel(say('apiKey')).waitFor();
    await screenshot(visitor.page, `sign-in-${name}`);
    expect(await accessibilityFindings(visitor.page)).toEqual([]);
  });
});

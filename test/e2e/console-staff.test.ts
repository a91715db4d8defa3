import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildPage, fromElsewhere, launchChromium, visit } from '../support/chromium.ts';
import { type RunningEngine, startEngine } from '../support/engine.ts';
import { english, LessonPage } from '../support/lesson-page.ts';
import { chromiumAvailable, describeWith } from '../support/loud-skip.ts';

describeWith(chromiumAvailable, 'Chromium')('teachers, operators and auditors in the browser', () => {
  let browser: Browser;
  let engine: RunningEngine;

  beforeAll(async () => {
    buildPage();
    [browser, engine] = await Promise.all([launchChromium(), startEngine()]);
  });
  afterAll(async () => {
    await browser?.close();
    await engine?.[Symbol.asyncDispose]();
  });

  const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

  test('a document that a teacher adds is cited in the next answer', async () => {
    await using visitor = await visit(browser, `${engine.url}/#/desk/knowledge/light-water-sky-en`);
    const { page, troubles } = visitor;
    await page.getByRole('textbox', { name: english('documentTitle') }).fill('Axolotls');
    await page
      .getByRole('textbox', { name: english('documentText') })
      .fill('# Axolotls\n\nAn axolotl is a salamander that keeps its gills for life. It can grow back a lost leg.');
    await button(page, english('add')).click();
    await page
      .getByRole('list', { name: english('documents') })
      .getByText('Axolotls')
      .waitFor();

    await page.goto(engine.url);
    const lesson = new LessonPage(page);
    await lesson.start();
    await lesson.ask('What is an axolotl?');
    await lesson.turns.last().getByRole('button', { name: 'Axolotls' }).first().click();
    await page.getByRole('dialog', { name: 'Axolotls' }).getByText('keeps its gills for life').waitFor();
    expect(troubles).toEqual([]);

    await page.goto(`${engine.url}/#/desk/knowledge/light-water-sky-en`);
    await button(page, english('removeNamed', { title: 'Axolotls' })).click();
    await button(page, english('remove')).click();
    await page.getByText(english('removedDocument', { title: 'Axolotls' })).waitFor();
    await page
      .getByRole('list', { name: english('documents') })
      .getByText('Axolotls')
      .waitFor({ state: 'detached' });
  });

  test('a tutor that a teacher sets up greets its students', async () => {
    await using visitor = await visit(browser, `${engine.url}/#/desk/tutors/+`);
    const { page, troubles } = visitor;
    await page.getByRole('textbox', { name: english('fieldName'), exact: true }).fill('Grace');
    await page.getByRole('textbox', { name: english('fieldId') }).fill('grace');
    await page.getByRole('combobox', { name: english('fieldKnowledge') }).selectOption('light-water-sky-en');
    await page.getByRole('textbox', { name: english('fieldGreeting') }).fill('Good day, let us look at **light**.');
    await button(page, english('save')).click();
    await page.getByRole('link', { name: english('editTutor', { name: 'Grace' }) }).waitFor();
    await page.getByRole('link', { name: english('navHome'), exact: true }).click();
    const lesson = new LessonPage(page, { tutor: 'Grace' });
    await lesson.start();
    await lesson.turns.first().getByText('Good day, let us look at light.').waitFor();
    expect(troubles).toEqual([]);
  });

  test('a one-time link opens a lesson without an account, once', async () => {
    await using teacher = await visit(browser, `${engine.url}/#/desk/links`);
    await teacher.page.getByRole('textbox', { name: english('student') }).fill('lin');
    await button(teacher.page, english('makeLink')).click();
    const link = await teacher.page.getByRole('textbox', { name: english('linkAddress') }).inputValue();

    await using student = await visit(browser, fromElsewhere(link));
    const lesson = new LessonPage(student.page);
    await lesson.ready();
    expect(student.page.url()).not.toContain(link.split('/').at(-1));
    await lesson.ask('Why is the sky blue?');
    await lesson.turns.nth(1).getByRole('button', { name: 'Light and the blue sky' }).first().waitFor();
    await student.page.reload();
    await lesson.ready();
    expect(await lesson.turns.count()).toBe(2);

    await using second = await visit(browser, link);
    await second.page.getByText(english('error_link_used')).waitFor();
  });

  test('away from the engine, staff sign in with an API key that the tab forgets', async () => {
    await using visitor = await visit(browser, fromElsewhere(engine.url));
    const { page, context } = visitor;
    const key = page.getByLabel(english('apiKey'));
    await key.fill('vt_key_wrong');
    await button(page, english('signIn')).click();
    await page.getByText(english('keyRefused')).waitFor();
    await key.fill(engine.apiKey);
    await button(page, english('signIn')).click();
    await page.getByText(english('rolesAre', { roles: english('roleOperator') })).waitFor();
    const lesson = new LessonPage(page);
    await lesson.start();
    const other = await context.newPage();
    await other.goto(fromElsewhere(engine.url));
    await other.getByLabel(english('apiKey')).waitFor();
  });
});

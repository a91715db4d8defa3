import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildPage, launchChromium, visit } from '../support/chromium.ts';
import { type RunningEngine, startEngine } from '../support/engine.ts';
import { consoleClient, joinLesson } from '../support/lesson.ts';
import { english } from '../support/lesson-page.ts';
import { chromiumAvailable, describeWith } from '../support/loud-skip.ts';

describeWith(chromiumAvailable, 'Chromium')('an auditor in the browser', () => {
  let browser: Browser;
  let engine: RunningEngine;

  beforeAll(async () => {
    buildPage();
    [browser, engine] = await Promise.all([launchChromium(), startEngine()]);
    const client = await consoleClient(engine);
    for (const [studentId, ...questions] of [
      ['lin', 'Why is the sky blue?', 'What is evaporation?'],
      ['noor', 'How do plants make food?'],
    ] as const) {
      await using lesson = await joinLesson(client, { studentId });
      for (const question of questions) await lesson.session.chat.send(question).text();
    }
  });
  afterAll(async () => {
    await browser?.close();
    await engine?.[Symbol.asyncDispose]();
  });

  test('finds a lesson, reads its verdict and moves through it', async () => {
    await using visitor = await visit(browser, `${engine.url}/#/audit`);
    const { page, troubles } = visitor;
    await page.getByRole('textbox', { name: english('filterStudent') }).fill('lin');
    await page.getByRole('button', { name: english('filter'), exact: true }).click();
    await page.getByRole('link', { name: 'noor' }).waitFor({ state: 'detached' });
    await page.getByRole('link', { name: 'lin' }).click();
    await page.getByText(english('verdictIntact')).waitFor();

    const events = page.getByRole('region', { name: english('timeline') }).getByRole('button');
    const head = await events.count();
    expect(head).toBeGreaterThan(10);
    const search = page.getByRole('searchbox', { name: english('findEvents') });
    await search.fill('evaporation');
    await events.filter({ hasText: 'blue sky' }).first().waitFor({ state: 'detached' });
    expect(await events.filter({ hasText: 'What is evaporation?' }).count()).toBe(1);
    await search.fill('');
    const panel = page.getByRole('tabpanel');
    await panel.getByText('What is evaporation?').waitFor();

    // Back to the first question, which is not answered yet.
    await events
      .filter({ hasText: english('event_MessageReceived') })
      .first()
      .click();
    await panel.getByText(english('turn_waiting')).waitFor();
    expect(await panel.getByText('Why is the sky blue?').count()).toBe(1);
    expect(await panel.getByText('What is evaporation?').count()).toBe(0);

    const slider = page.getByRole('slider', { name: english('scrubber') });
    const before = Number(await slider.inputValue());
    await slider.press('ArrowRight');
    expect(await slider.inputValue()).toBe(String(before + 1));
    expect(page.url()).toMatch(new RegExp(`/${before + 1}$`));
    await slider.press('End');
    await page.getByText(english('revisionOf', { revision: head, head })).waitFor();

    await page.getByRole('tab', { name: english('tabProof') }).click();
    await panel
      .getByText(/rank 1 of/)
      .first()
      .waitFor();
    expect(await panel.getByText(english('proofMissing')).count()).toBe(0);
    await page.getByRole('tab', { name: english('tabProof') }).press('ArrowRight');
    await panel.getByText('"status": "active"').waitFor();
    await page.getByRole('tab', { name: english('tabEvent') }).click();
    await panel.getByText(english('factHash')).waitFor();
    expect(troubles).toEqual([]);
  });

  test('a forgotten student leaves a chain that holds and nothing to read', async () => {
    const client = await consoleClient(engine);
    await client.privacy.forgetStudent('noor');
    await using visitor = await visit(browser, `${engine.url}/#/audit`);
    const { page } = visitor;
    await page.getByRole('link', { name: 'noor' }).click();
    await page.getByText(english('verdictIntact')).waitFor();
    await page.getByRole('tabpanel').getByText(english('personalForgotten')).first().waitFor();
    expect(await page.getByText('plants').count()).toBe(0);
  });
});

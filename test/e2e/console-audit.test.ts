import { readFile } from 'node:fs/promises';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { verifyEvidence } from '../../packages/server/evidence/verify-evidence.mjs';
import { openDatabase } from '../../packages/server/src/store/database.ts';
import { accessibilityFindings, buildPage, launchChromium, visit } from '../support/chromium.ts';
import { type RunningEngine, startEngine } from '../support/engine.ts';
import { consoleClient, joinLesson } from '../support/lesson.ts';
import { chinese, english } from '../support/lesson-page.ts';
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
  /** Of the first lesson, as the log has it. */
  async function citingSentence(): Promise<string> {
    const client = await consoleClient(engine);
    for await (const { id } of client.audit.sessions({ studentId: 'lin' }))
      for await (const { type, payload, personal } of client.audit.events(id))
        if (type === 'SentenceGenerated' && Array.isArray(payload['citations']) && payload['citations'].length > 0)
          return String(personal?.['text']).trim();
    throw new Error('a tutor who quotes the course cites it');
  }

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

    await page.getByRole('tab', { name: english('tabDiff') }).click();
    await panel.getByRole('spinbutton').fill('1');
    await panel.getByRole('rowheader', { name: 'turns.1' }).waitFor();
    await page.getByRole('tab', { name: english('tabDiff') }).press('ArrowRight');
    await panel.getByText('"status": "active"').waitFor();
    await page.getByRole('tab', { name: english('tabEvent') }).click();
    await panel.getByText(english('factHash')).waitFor();
    expect(troubles).toEqual([]);
  });

  test.each([
    ['en-GB', english],
    ['zh-CN', chinese],
  ] as const)(
    'is told why a sentence was said in two clicks, plays the lesson at eight times its speed, and takes evidence of it (%s)',
    async (locale, say) => {
      const narrow = { locale, viewport: { width: 390, height: 844 }, acceptDownloads: true };
      await using visitor = await visit(browser, `${engine.url}/#/audit`, narrow);
      const { page, troubles } = visitor;
      await page.getByRole('link', { name: 'lin' }).click();
      await page.getByText(say('verdictIntact')).waitFor();

      // Two clicks from the lesson's page to everything about a sentence.
      await page.getByRole('tab', { name: say('tabWhy') }).click();
      await page
        .getByRole('tabpanel')
        .getByRole('button', { name: await citingSentence() })
        .first()
        .click();
      const why = page.locator('.why');
      for (const name of [
        'whyModel',
        'whyTemperature',
        'whyPrompt',
        'whyHeard',
        'whyLatency',
        'whyTutor',
        'whyConfigured',
        'whyInstructions',
      ] as const)
        await why.getByText(say(name), { exact: true }).waitFor();
      expect(await why.locator('.proof').count()).toBeGreaterThan(0);
      expect(await why.getByText(say('proofMissing')).count()).toBe(0);
      expect(await accessibilityFindings(page)).toEqual([]);

      const player = page.getByRole('region', { name: say('play') });
      const slider = page.getByRole('slider', { name: say('scrubber') });
      const events = page.getByRole('region', { name: say('timeline') }).getByRole('button');
      await events.filter({ hasText: 'Why is the sky blue?' }).first().click();
      await player.getByText('Why is the sky blue?').waitFor();
      await slider.press('Home');
      await player.getByText('Why is the sky blue?').waitFor({ state: 'detached' });
      await player.getByRole('combobox', { name: say('speed') }).selectOption('8');
      await player.getByRole('button', { name: say('play') }).press('Enter');
      await expect.poll(() => slider.inputValue(), { timeout: 30_000 }).toBe(await slider.getAttribute('max'));
      await player.getByText(say('captionTutor')).waitFor();
      await player.getByRole('button', { name: say('play') }).waitFor();

      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name: say('evidenceRedacted'), exact: true }).click(),
      ]);
      const pack = await readFile(await download.path(), 'utf8');
      expect(verifyEvidence(pack, null)).toMatchObject({ redacted: true });
      expect(pack).not.toContain('evaporation');
      expect(troubles).toEqual([]);
    },
  );

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

  test('a log that somebody changed in its database is shown as such, with the place', async () => {
    await engine.stop();
    {
      await using database = await openDatabase({ kind: 'embedded', dataDir: engine.dataDir });
      const { sql } = database;
      await sql`alter table es_event disable trigger user`;
      const [changed] = await sql`update es_event set payload = replace(payload, '"index":0', '"index":7') where type = 'SentenceGenerated'
        and position = (select min(position) from es_event where type = 'SentenceGenerated') returning revision::text as revision`;
      expect(Number(changed?.['revision'])).toBeGreaterThan(1);
      await sql`alter table es_event enable trigger user`;
    }
    await engine.restart();
    for (const [locale, say] of [
      ['en-GB', english],
      ['zh-CN', chinese],
    ] as const) {
      await using visitor = await visit(browser, `${engine.url}/#/audit`, { locale });
      await visitor.page.getByRole('link', { name: 'lin' }).click();
      const alert = visitor.page.getByRole('alert').filter({ hasText: say('verdictBroken') });
      await alert.waitFor();
      await alert.getByText(/changed after it was written/).waitFor();
    }
  });
});

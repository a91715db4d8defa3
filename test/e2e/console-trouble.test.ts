import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildPage, fromElsewhere, launchChromium, visit } from '../support/chromium.ts';
import { type RunningEngine, startEngine } from '../support/engine.ts';
import { consoleClient } from '../support/lesson.ts';
import { english, LessonPage } from '../support/lesson-page.ts';
import { chromiumAvailable, describeWith } from '../support/loud-skip.ts';

describeWith(chromiumAvailable, 'Chromium')('the page in trouble', () => {
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

  test('a lesson outlives its tokens', async () => {
    const ttlMs = 8_000;
    await using brief = await startEngine({ ENGINE_TOKEN_TTL_SECONDS: String(ttlMs / 1_000) });
    const client = await consoleClient(brief);
    const { session } = await client.sessions.create({ tutorId: 'ada', studentId: 'lin' });
    const { url } = await client.sessions.invite(session.id);
    await using visitor = await visit(browser, fromElsewhere(url));
    const { page, troubles } = visitor;
    const lesson = new LessonPage(page);
    await lesson.ready();
    const token = () => page.evaluate<unknown>(`JSON.parse(sessionStorage.getItem('vt-grant:${session.id}')).token`);
    const first = await token();
    await expect.poll(token, { timeout: 2 * ttlMs }).not.toBe(first);
    await page.reload();
    await lesson.ready();
    await lesson.ask('Why is the sky blue?');
    await lesson.turns.nth(1).getByRole('button', { name: 'Light and the blue sky' }).first().waitFor();
    expect(troubles).toEqual([]);
  });

  test.each([1, -1])("a student's clock that is wrong by %i hours is no obstacle", async (hours) => {
    const client = await consoleClient(engine);
    const { session } = await client.sessions.create({ tutorId: 'ada', studentId: 'lin' });
    const { url } = await client.sessions.invite(session.id);
    await using visitor = await visit(browser, fromElsewhere(engine.url));
    const { page } = visitor;
    await page.clock.install({ time: Date.now() + hours * 3_600_000 });
    await page.goto(fromElsewhere(url));
    const lesson = new LessonPage(page);
    await lesson.ready();
    await page.reload();
    await lesson.ready();
    await lesson.ask('Why is the sky blue?');
    await lesson.turns.nth(1).getByRole('button', { name: 'Light and the blue sky' }).first().waitFor();
  });

  test('a question asked while the engine is away is kept, over a reload too, and asked once', async () => {
    await using visitor = await visit(browser, engine.url);
    const { page } = visitor;
    const lesson = new LessonPage(page);
    await lesson.start();
    await engine.kill();
    await lesson.status(english('stateReconnecting')).waitFor();
    await lesson.ask('Why is the sky blue?');
    await page.getByText(english('sending')).waitFor();
    await engine.restart();
    await lesson.ready();
    await lesson.turns.nth(1).getByRole('button', { name: 'Light and the blue sky' }).first().waitFor();
    await page.reload();
    await lesson.ready();
    expect(await lesson.turns.count()).toBe(2);
  });

  test('a question asked before the connection stands is asked once it does', async () => {
    await using visitor = await visit(browser, engine.url);
    const { page } = visitor;
    const network = Promise.withResolvers<void>();
    await page.routeWebSocket('**/trpc**', (socket) => {
      const server = socket.connectToServer();
      let turn = network.promise;
      socket.onMessage((message) => {
        turn = turn.then(() => server.send(message));
      });
    });
    const lesson = new LessonPage(page);
    await page.getByRole('button', { name: english('startLessonWith', { name: 'Ada' }) }).click();
    // Nothing is known of the lesson yet, its tutor's name neither.
    const nameless = new LessonPage(page, { tutor: english('yourTutor') });
    await nameless.ask('Why is the sky blue?');
    await page.getByText(english('sending')).waitFor();
    network.resolve();
    await lesson.turns.nth(1).getByRole('button', { name: 'Light and the blue sky' }).first().waitFor();
    expect(await lesson.turns.count()).toBe(2);
  });

  test('a page opened while the engine is away says so and goes on by itself', async () => {
    await using visitor = await visit(browser, engine.url);
    const { page } = visitor;
    const start = page.getByRole('button', { name: english('startLesson') }).first();
    await start.waitFor();
    await page.route('**/trpc/**', (route) => route.abort());
    await page.evaluate('location.reload()');
    await page.getByText(english('unreachableTitle')).waitFor();
    await page.unroute('**/trpc/**');
    await start.waitFor();
  });

  test('when all places are taken, the page says so and can be tried again', async () => {
    await using small = await startEngine({ MAX_SESSIONS: '1' });
    const client = await consoleClient(small);
    const { session } = await client.sessions.create({ tutorId: 'ada', studentId: 'lin' });
    await using visitor = await visit(browser, small.url);
    const { page } = visitor;
    await page
      .getByRole('button', { name: english('startLesson') })
      .first()
      .click();
    await page.getByText(english('error_capacity_exceeded')).waitFor();
    await client.sessions.end(session.id);
    const lesson = new LessonPage(page);
    await lesson.start();
  });

  test('a lesson that the school ends is over for the student at once, and can still be read', async () => {
    const client = await consoleClient(engine);
    const { session } = await client.sessions.create({ tutorId: 'ada', studentId: 'lin' });
    await using visitor = await visit(browser, fromElsewhere((await client.sessions.invite(session.id)).url));
    const { page } = visitor;
    const lesson = new LessonPage(page);
    await lesson.ready();
    await lesson.ask('Why is the sky blue?');
    await lesson.turns.nth(1).getByRole('button', { name: 'Light and the blue sky' }).first().waitFor();
    await client.sessions.end(session.id);
    await page.getByText(english('ended_operator')).waitFor();
    expect(await lesson.question.count()).toBe(0);
    await page.reload();
    await page.getByText(english('ended_operator')).waitFor();
    expect(await lesson.turns.count()).toBe(2);
  });

  test('an ended lesson opened afresh says that it has ended, and offers nothing that cannot work', async () => {
    const client = await consoleClient(engine);
    const { session } = await client.sessions.create({ tutorId: 'ada', studentId: 'lin' });
    await client.sessions.end(session.id);
    await using visitor = await visit(browser, `${engine.url}/#/lesson/${session.id}`);
    const { page } = visitor;
    await page.locator('.notice').getByText(english('ended')).waitFor();
    for (const name of [english('reconnect'), english('endLesson')]) expect(await page.getByRole('button', { name }).count()).toBe(0);
    expect(await page.getByText(english('loading')).count()).toBe(0);
  });

  test('a lesson that this tab may not open says what to do', async () => {
    const client = await consoleClient(engine);
    const { session } = await client.sessions.create({ tutorId: 'ada', studentId: 'lin' });
    await using visitor = await visit(browser, fromElsewhere(`${engine.url}/#/lesson/${session.id}`));
    await visitor.page.getByText(english('noAccessTitle')).waitFor();
    await visitor.page.goto(fromElsewhere(`${engine.url}/#/join/no-such-code-here`));
    await visitor.page.getByText(english('joinFailedBody')).waitFor();
  });

  test('markup in a question or a document is shown, never run', async () => {
    const client = await consoleClient(engine);
    const hostile = '<img src=x onerror="document.title=1"><script>document.title=1</script>';
    await client.knowledge.addDocument('light-water-sky-en', {
      title: `Quokkas ${hostile}`,
      mime: 'text/markdown',
      text: `A quokka is a small marsupial ${hostile}. [here](javascript:document.title=1)`,
    });
    await using visitor = await visit(browser, engine.url);
    const { page, troubles } = visitor;
    const lesson = new LessonPage(page);
    await lesson.start();
    await lesson.ask(`What is a quokka? ${hostile}`);
    await lesson.turns.nth(1).getByRole('button', { name: 'Quokkas' }).first().click();
    await page.getByRole('dialog').getByText('<img src=x').first().waitFor();
    expect(await page.locator('main img, main script, main a[href^="javascript"]').count()).toBe(0);
    expect(troubles).toEqual([]);
  });
});

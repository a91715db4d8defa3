import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { evaluateInside } from '../support/inside.ts';
import { consoleClient, eventsOf } from '../support/lesson.ts';
import { english } from '../support/lesson-page.ts';
import { chromiumAvailable, describeWith } from '../support/loud-skip.ts';
import { audible, enterRoom, heardAfter, type MeasuredRoom, type Product, silenceAfter, startProduct } from '../support/measured-room.ts';
import { childrenOf, descendantsOf } from '../support/processes.ts';

/*
 * What may go wrong with voice and face while the tutor speaks, in the whole product. Each ends in what the guide says,
 * is recorded, and the lesson goes on: what the student hears is measured in the browser.
 */

const question = 'What is photosynthesis?';

/** The next so many sentences each end the thread that is asked to say them. */
const crashingSpeech = (times: number) => `{
  const { Worker } = process.getBuiltinModule('node:worker_threads');
  const { postMessage } = Worker.prototype;
  globalThis.crashes = [];
  globalThis.restore = () => void (Worker.prototype.postMessage = postMessage);
  Worker.prototype.postMessage = function (order, ...rest) {
    if (order?.type !== 'speak' || crashes.length >= ${times}) return postMessage.call(this, order, ...rest);
    crashes.push(order.id);
    void this.terminate();
  };
}`;

/** Every picture takes longer than it lasts. */
const slowEncoding = `{
  const { CodecContext } = require(${JSON.stringify(fileURLToPath(import.meta.resolve('node-av/lib')))});
  const { sendFrame } = CodecContext.prototype;
  globalThis.restore = () => void (CodecContext.prototype.sendFrame = sendFrame);
  CodecContext.prototype.sendFrame = async function (frame) {
    await new Promise((resolve) => setTimeout(resolve, 60));
    return sendFrame.call(this, frame);
  };
}`;

describeWith(chromiumAvailable, 'Chromium')('a lesson with voice and face', () => {
  let product: Product;
  let room: MeasuredRoom;

  beforeAll(async () => {
    product = await startProduct();
  });
  afterAll(() => product?.[Symbol.asyncDispose]());

  /** A new lesson in which the tutor has begun a long answer. */
  beforeEach(async () => {
    room = await enterRoom(product);
    await room.media.until('connected');
    await room.lesson.ask(question);
    await heardAfter(room, 0, 15_000);
  });
  afterEach(async () => {
    await inEngineWorker('globalThis.restore?.()');
    await room[Symbol.asyncDispose]();
  });

  /** Kinds of events of the lesson that is open, newest lesson last. */
  async function recorded(): Promise<readonly { readonly type: string; readonly payload: Readonly<Record<string, unknown>> }[]> {
    const client = await consoleClient(product.engine);
    let newest = '';
    for await (const { id } of client.sessions.list({ status: 'active' })) newest = id > newest ? id : newest;
    return eventsOf(client, newest);
  }

  async function types(): Promise<readonly string[]> {
    return (await recorded()).map(({ type }) => type);
  }

  function childOf(program: string): number {
    const [pid] = childrenOf(product.engine.pid(), program);
    if (pid === undefined) throw new Error(`no process runs ${program}`);
    return pid;
  }

  function killChild(program: string): void {
    process.kill(childOf(program), 'SIGKILL');
  }

  const inEngineWorker = (expression: string) => evaluateInside(childOf('worker/main'), expression);

  /** Where the lesson has come to: each change of what the student gets, and why. */
  async function qualities(): Promise<readonly string[]> {
    const changes = (await recorded()).filter(({ type }) => type === 'QualityChanged');
    return changes.map(({ payload }) => `${String(payload['to'])}: ${String(payload['reason'])}`);
  }

  async function askAgain(): Promise<void> {
    if ((await room.lesson.stop.count()) > 0) await room.lesson.stop.click().catch(() => undefined);
    await room.lesson.stop.waitFor({ state: 'detached' });
    // The last of the answer that was stopped is not the next one.
    await wait(1_000);
    const askedAt = Date.now();
    await room.lesson.ask('Why do plants need light?');
    expect((await heardAfter(room, askedAt, 20_000)) - askedAt).toBeLessThan(15_000);
  }

  test('goes on when the relay is killed and comes back', async () => {
    const killedAt = Date.now();
    killChild('turn-process');
    const { fromMs, toMs } = await silenceAfter(room, { afterMs: killedAt, leastMs: 900, withinMs: 30_000 });
    expect(fromMs - killedAt).toBeLessThan(2_000);
    expect(toMs - fromMs).toBeLessThan(8_000);
    expect((await types()).filter((type) => type === 'ReplyFailed' || type === 'ReplyInterrupted')).toEqual([]);
  });

  test('goes on when the engine worker is killed mid-sentence', async () => {
    killChild('worker/main');
    await expect.poll(types, { timeout: 10_000 }).toContain('MediaDisconnected');
    const changes = (await recorded()).filter(({ type }) => type === 'QualityChanged').map(({ payload }) => payload);
    expect(changes).toContainEqual(expect.objectContaining({ to: 'text', reason: 'worker_crashed' }));
    await expect.poll(async () => (await types()).filter((type) => type === 'MediaConnected').length, { timeout: 40_000 }).toBe(2);
    await askAgain();
  });

  test('keeps its voice when the thread that synthesises it crashes in a sentence', async () => {
    await inEngineWorker(crashingSpeech(1));
    await askAgain();
    expect(await inEngineWorker('crashes.length')).toBe(1);
    expect(await types()).not.toContain('SentenceUnspoken');
    expect(await qualities()).toEqual(['video: connected']);
  });

  test.runIf(process.env['LONG'] === '1')('goes on in writing when every synthesiser crashes, and aloud when they work again', async () => {
    await inEngineWorker(crashingSpeech(1_000));
    await room.lesson.stop.click();
    await room.lesson.ask('Why do plants need light?');
    await expect.poll(qualities, { timeout: 20_000 }).toContain('text: speech_failed');
    expect(await room.lesson.finished()).not.toBe('');
    await inEngineWorker('restore()');
    await expect.poll(qualities, { timeout: 60_000 }).toContain('video: recovered');
    await askAgain();
  });

  test('goes on with its voice alone when drawing the face takes longer than it lasts', async () => {
    const slowAt = Date.now();
    await inEngineWorker(slowEncoding);
    await expect.poll(qualities, { timeout: 20_000 }).toContain('voice: renderer_late');
    await inEngineWorker('restore()');
    const loud = (await room.media.received()).levels.filter(({ atMs, value }) => atMs > slowAt && value > audible);
    const pauses = loud.map(({ atMs }, index) => atMs - (loud[index - 1]?.atMs ?? atMs));
    expect(Math.max(...pauses)).toBeLessThan(1_500);
    await askAgain();
  });

  test.runIf(process.env['LONG'] === '1')(
    'of a browser that sleeps for a minute is left after half of it, and goes on when it wakes',
    async () => {
      const asleep = descendantsOf(process.pid, 'chromium');
      for (const pid of asleep) process.kill(pid, 'SIGSTOP');
      const sleptAt = Date.now();
      try {
        await expect.poll(types, { timeout: 45_000, interval: 500 }).toContain('MediaDisconnected');
        expect(Date.now() - sleptAt).toBeGreaterThan(20_000);
        await wait(sleptAt + 60_000 - Date.now());
      } finally {
        for (const pid of asleep) process.kill(pid, 'SIGCONT');
      }
      await expect.poll(async () => (await types()).filter((type) => type === 'MediaConnected').length, { timeout: 40_000 }).toBe(2);
      expect(await qualities()).toContain('text: connection_lost');
      await askAgain();
    },
  );

  test('goes on over another network', async () => {
    const changedAt = Date.now();
    product.network.changeSourcePorts();
    const { fromMs, toMs } = await silenceAfter(room, { afterMs: changedAt, leastMs: 900, withinMs: 25_000 });
    expect(fromMs - changedAt).toBeLessThan(2_000);
    expect(toMs - fromMs).toBeLessThan(8_000);
  });

  test('waits while nothing gets through, counts nothing as heard, and goes on where it was', async () => {
    const cutAt = Date.now();
    product.network.cut();
    product.tcpNetwork.cut();
    await wait(8_000);
    const heardBefore = (await types()).filter((type) => type === 'SentenceHeard').length;
    await wait(3_000);
    expect((await types()).filter((type) => type === 'SentenceHeard')).toHaveLength(heardBefore);
    product.network.mend();
    product.tcpNetwork.mend();
    const mendedAt = Date.now();
    const { toMs } = await silenceAfter(room, { afterMs: cutAt, leastMs: 5_000, withinMs: 30_000 });
    expect(toMs - mendedAt).toBeLessThan(10_000);
    expect((await types()).filter((type) => type === 'MediaConnected').length).toBeGreaterThanOrEqual(2);
    expect(await types()).toContain('MediaDisconnected');
  });

  test('goes on when the microphone is taken away, and says so', async () => {
    const { page } = room.lesson;
    await page.getByRole('button', { name: english('startTalking') }).click();
    await page.getByRole('button', { name: english('micMute') }).waitFor();
    // Allowing one thing alone forbids all others.
    await page.context().clearPermissions();
    await page.context().grantPermissions(['geolocation']);
    await page.evaluate('received.endMicrophone()');
    await page.getByText(english('mic_revoked_title')).waitFor();
    const from = Date.now();
    await heardAfter(room, from, 5_000);
  });
});

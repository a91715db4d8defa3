import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { consoleClient, eventsOf } from '../support/lesson.ts';
import { english } from '../support/lesson-page.ts';
import { chromiumAvailable, describeWith } from '../support/loud-skip.ts';
import { enterRoom, heardAfter, type MeasuredRoom, type Product, silenceAfter, startProduct } from '../support/measured-room.ts';
import { childrenOf } from '../support/processes.ts';

/*
 * What may go wrong with voice and face while the tutor speaks, in the whole product. Each ends in what the guide says,
 * is recorded, and the lesson goes on: what the student hears is measured in the browser.
 */

const question = 'What is photosynthesis?';

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
  afterEach(() => room[Symbol.asyncDispose]());

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

  function killChild(program: string): void {
    const [pid] = childrenOf(product.engine.pid(), program);
    if (pid === undefined) throw new Error(`no process runs ${program}`);
    process.kill(pid, 'SIGKILL');
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
    if ((await room.lesson.stop.count()) > 0) await room.lesson.stop.click().catch(() => undefined);
    const askedAt = Date.now();
    await room.lesson.ask('Why do plants need light?');
    expect((await heardAfter(room, askedAt, 20_000)) - askedAt).toBeLessThan(15_000);
  });

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

import { setTimeout as wait } from 'node:timers/promises';
import type { Browser } from 'playwright-core';
import { buildPage } from './chromium.ts';
import { type RunningEngine, startEngine } from './engine.ts';
import { LessonPage } from './lesson-page.ts';
import { launchStudentsBrowser } from './media-rig.ts';
import { NetSim, TcpSim } from './netsim.ts';
import { freePort } from './postgres.ts';
import { untilQuiet } from './process-load.ts';
import { childrenOf } from './processes.ts';
import { MeasuredPage } from './received-media.ts';

/** The whole product on this machine: engine with voice and face, its page in Chromium, and a network in between. */
export interface Product extends AsyncDisposable {
  readonly engine: RunningEngine;
  readonly browser: Browser;
  /** Between the page's media and the relay: by UDP, and by TCP at the same port. */
  readonly network: NetSim;
  readonly tcpNetwork: TcpSim;
  /** The port of the relay. */
  readonly relayPort: number;
}

export interface ProductOptions {
  readonly seed?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** What students say: a WAV, again and again from when the microphone is opened. */
  readonly microphoneWav?: string;
}

const voiceAndFace = { ENABLE_TTS: 'true', ENABLE_ASR: 'true', ENABLE_AVATAR: 'true' };

export async function startProduct({ seed = 1, env = {}, microphoneWav }: ProductOptions = {}): Promise<Product> {
  await using cleanUp = new AsyncDisposableStack();
  buildPage();
  const relayPort = await freePort();
  const engine = cleanUp.use(
    await startEngine({ ...voiceAndFace, WEBRTC_PORT_MIN: String(relayPort), WEBRTC_PORT_MAX: String(relayPort + 5), ...env }),
  );
  const network = cleanUp.use(await NetSim.udp({ target: relayPort, seed }));
  const tcpNetwork = cleanUp.use(await TcpSim.listen({ target: relayPort, seed, port: network.port }));
  const browser = await launchStudentsBrowser(microphoneWav);
  cleanUp.defer(() => browser.close());
  for (const pid of childrenOf(engine.pid())) await untilQuiet(pid);
  const resources = cleanUp.move();
  return { engine, browser, network, tcpNetwork, relayPort, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

/** A student in the room of a lesson. */
export interface MeasuredRoom extends AsyncDisposable {
  readonly lesson: LessonPage;
  readonly media: MeasuredPage;
}

/** Opens the engine's page and starts a lesson with this tutor; media is being connected when it returns. */
export async function enterRoom({ engine, browser, network }: Product, tutor = 'Ada'): Promise<MeasuredRoom> {
  const context = await browser.newContext({
    locale: 'en-GB',
    timezoneId: 'UTC',
    viewport: { width: 1000, height: 800 },
    permissions: ['microphone'],
  });
  context.setDefaultTimeout(20_000);
  const page = await context.newPage();
  const media = await MeasuredPage.prepare(page, network.port);
  await page.goto(engine.url);
  const lesson = new LessonPage(page, { tutor });
  await lesson.start();
  return { lesson, media, [Symbol.asyncDispose]: () => context.close() };
}

/** Louder than comfort noise: loudness of speech. */
export const audible = 0.1;

/** When the tutor was first heard after this time, epoch ms. Fails when it is not heard within this, ms. */
export async function heardAfter({ media }: MeasuredRoom, afterMs: number, withinMs: number): Promise<number> {
  for (const until = Date.now() + withinMs; Date.now() < until; await wait(100)) {
    const first = (await media.received()).levels.find(({ atMs, value }) => atMs > afterMs && value > audible);
    if (first !== undefined) return first.atMs;
  }
  throw new Error(`the tutor was not heard within ${withinMs} ms`);
}

/** The first silence of at least so long after this time that ended with the tutor being heard again. Fails when there is none within this, ms. */
export async function silenceAfter(
  { media }: MeasuredRoom,
  { afterMs, leastMs, withinMs }: { readonly afterMs: number; readonly leastMs: number; readonly withinMs: number },
): Promise<{ readonly fromMs: number; readonly toMs: number }> {
  for (const until = Date.now() + withinMs; Date.now() < until; await wait(200)) {
    const loud = (await media.received()).levels.filter(({ atMs, value }) => atMs > afterMs && value > audible);
    const end = loud.findIndex(({ atMs }, index) => atMs - (loud[index - 1]?.atMs ?? afterMs) >= leastMs);
    const after = loud[end];
    if (after !== undefined) return { fromMs: loud[end - 1]?.atMs ?? afterMs, toMs: after.atMs };
  }
  throw new Error(`within ${withinMs} ms the tutor was not silent and heard again`);
}

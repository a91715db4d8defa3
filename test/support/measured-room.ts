import type { Browser } from 'playwright-core';
import { buildPage } from './chromium.ts';
import { type RunningEngine, startEngine } from './engine.ts';
import { LessonPage } from './lesson-page.ts';
import { launchStudentsBrowser } from './media-rig.ts';
import { NetSim } from './netsim.ts';
import { freePort } from './postgres.ts';
import { untilQuiet } from './process-load.ts';
import { childrenOf } from './processes.ts';
import { MeasuredPage } from './received-media.ts';

/** The whole product on this machine: engine with voice and face, its page in Chromium, and a network in between. */
export interface Product extends AsyncDisposable {
  readonly engine: RunningEngine;
  readonly browser: Browser;
  /** Between the page's media and the relay. */
  readonly network: NetSim;
  /** The port of the relay. */
  readonly relayPort: number;
}

export interface ProductOptions {
  readonly seed?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** What students say: a WAV, once from when the microphone is opened. */
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
  const browser = await launchStudentsBrowser(microphoneWav);
  cleanUp.defer(() => browser.close());
  for (const pid of childrenOf(engine.pid())) await untilQuiet(pid);
  const resources = cleanUp.move();
  return { engine, browser, network, relayPort, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

/** A student in the room of a lesson. */
export interface MeasuredRoom extends AsyncDisposable {
  readonly lesson: LessonPage;
  readonly media: MeasuredPage;
}

/** Opens the engine's page and starts a lesson; media is being connected when it returns. */
export async function enterRoom({ engine, browser, network }: Product): Promise<MeasuredRoom> {
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
  const lesson = new LessonPage(page);
  await lesson.start();
  return { lesson, media, [Symbol.asyncDispose]: () => context.close() };
}

import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { setTimeout as wait } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import { z } from 'zod';
import { mouthBox, mouthDarkBelow } from '../../packages/engine/src/avatar/mouth-opening.ts';
import { loudness, type Point } from './av-sync.ts';

/* What a page in real Chromium received, measured inside it. Times are epoch ms. */

export interface ShownPicture extends Point {
  /** Of the frame, at 90 kHz; the value is the mouth's opening. */
  readonly rtpTimestamp: number;
}

export interface Received {
  /** Pictures when they were shown, and how open the mouth was. */
  readonly openings: readonly ShownPicture[];
  /** Sound when it was played, by the browser's own account of its loudspeaker's delay: loudness of 5 ms each. */
  readonly levels: readonly Point[];
  /** What went into the microphone. */
  readonly microphone: readonly Point[];
  /** Requests over the page's sockets, by the name of the procedure. */
  readonly sent: readonly { readonly procedure: string; readonly atMs: number }[];
  /** As `RTCPeerConnection` names it. */
  readonly state: string;
}

const Levels = z.array(z.tuple([z.number(), z.number(), z.number()]));
const Taken = z.object({
  frames: z.array(z.tuple([z.number(), z.number(), z.number()])),
  levels: Levels,
  microphone: Levels,
  sent: z.array(z.tuple([z.string(), z.number()])),
  state: z.string(),
});
const Playout = z.object({ totalPlayoutDelay: z.number(), totalSamplesCount: z.number() });

const script = stripTypeScriptTypes(readFileSync(new URL('./browser/receiver.ts', import.meta.url), 'utf8'));
const mouth = { box: mouthBox, darkBelow: mouthDarkBelow };

/** A page that measures all media that it receives from now on. */
export class MeasuredPage {
  readonly page: Page;
  #received: { openings: ShownPicture[]; levels: Point[]; microphone: Point[]; sent: { procedure: string; atMs: number }[] };

  private constructor(page: Page) {
    this.page = page;
    this.#received = nothing();
  }

  /** `relayPort`: where the page finds TURN servers instead of where it is told to. */
  static async prepare(page: Page, relayPort: number | null = null): Promise<MeasuredPage> {
    const start = `globalThis.received = new ReceivedMedia(${JSON.stringify(mouth)}); listenIn(received, ${relayPort});`;
    // The page's own scripts must not meet the names of this one.
    await page.addInitScript(`(() => { ${script}\n${start} })()`);
    return new MeasuredPage(page);
  }

  /** At most 30 s. */
  async until(state: string): Promise<void> {
    for (let looks = 0; looks < 600; looks += 1) {
      if ((await this.page.evaluate('received.state')) === state) return;
      await wait(50);
    }
    throw new Error(`the media connection never was ${state}`);
  }

  /** Everything that was received since the beginning, or since `forget`. */
  async received(): Promise<Received> {
    const delayMs = await this.#loudspeakerDelay();
    const { frames, levels, microphone, sent, state } = Taken.parse(await this.page.evaluate('received.take()'));
    for (const [atMs, value, rtpTimestamp] of frames) this.#received.openings.push({ atMs, value, rtpTimestamp });
    this.#received.levels.push(...levels.flatMap((level) => pointsOf(level, delayMs)));
    this.#received.microphone.push(...microphone.flatMap((level) => pointsOf(level, 0)));
    for (const [procedure, atMs] of sent) this.#received.sent.push({ procedure, atMs });
    return { ...this.#received, state };
  }

  forget(): void {
    this.#received = nothing();
  }

  /** As the browser counts: `RTCStatsReport`. */
  async stats(): Promise<readonly Readonly<Record<string, unknown>>[]> {
    return z.array(z.record(z.string(), z.unknown())).parse(await this.page.evaluate('received.stats()'));
  }

  /** From the jitter buffer to the ear, on average, ms. */
  async #loudspeakerDelay(): Promise<number> {
    const playout = (await this.stats()).find(({ type }) => type === 'media-playout');
    if (playout === undefined) return 0;
    const { totalPlayoutDelay, totalSamplesCount } = Playout.parse(playout);
    return totalSamplesCount === 0 ? 0 : (totalPlayoutDelay / totalSamplesCount) * 1_000;
  }
}

function nothing() {
  return { openings: [], levels: [], microphone: [], sent: [] };
}

function pointsOf([atMs, first, second]: readonly [number, number, number], delayMs: number): readonly Point[] {
  return [
    { atMs: atMs + delayMs + 2.5, value: loudness(first) },
    { atMs: atMs + delayMs + 7.5, value: loudness(second) },
  ];
}

export interface IceServer {
  readonly urls: string | readonly string[];
  readonly username?: string;
  readonly credential?: string;
}

export interface ReceiverOptions {
  readonly iceServers: readonly IceServer[];
  readonly microphone?: boolean;
  /** Takes an offer to the engine and brings the answer; `restart`: of the connection there is. */
  readonly negotiate: (offer: string, restart: boolean) => Promise<string>;
}

/** A secure context without a server: Playwright answers for it. */
const blankPage = 'http://localhost/receiver';

/** A student's browser as far as media goes, without the product's page or SDK. */
export class ReceivingBrowser implements AsyncDisposable {
  readonly media: MeasuredPage;
  readonly #options: ReceiverOptions;

  private constructor(media: MeasuredPage, options: ReceiverOptions) {
    this.media = media;
    this.#options = options;
  }

  /** Resolves once media may flow. */
  static async connect(browser: Browser, options: ReceiverOptions): Promise<ReceivingBrowser> {
    const page = await browser.newPage({ permissions: ['microphone'] });
    const media = await MeasuredPage.prepare(page);
    await page.route(blankPage, (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>receiver</title>' }));
    await page.goto(blankPage);
    const receiving = new ReceivingBrowser(media, options);
    const setup = { iceServers: options.iceServers, microphone: options.microphone ?? false };
    await page.evaluate(`void (globalThis.receiver = new Receiver(${JSON.stringify(setup)}))`);
    await receiving.#negotiate(false);
    await media.until('connected');
    return receiving;
  }

  /** An ICE restart, as after a change of networks. */
  async restart(iceServers = this.#options.iceServers): Promise<void> {
    await this.media.page.evaluate(`receiver.use(${JSON.stringify(iceServers)})`);
    await this.#negotiate(true);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.media.page.evaluate('receiver.close()').catch(() => undefined);
    await this.media.page.close().catch(() => undefined);
  }

  async #negotiate(restart: boolean): Promise<void> {
    const { page } = this.media;
    const offer = z.string().parse(await page.evaluate(`receiver.offer(${restart})`));
    const answer = await this.#options.negotiate(offer, restart);
    await page.evaluate(`receiver.accept(${JSON.stringify(answer)})`);
  }
}

import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import type { Browser, Page } from 'playwright-core';
import { z } from 'zod';
import { mouthBox, mouthDarkBelow } from '../../packages/engine/src/avatar/mouth-opening.ts';
import { loudness, type Point } from './av-sync.ts';

/* A student's browser, as far as media goes: real Chromium, which measures what it receives. Times are epoch ms. */

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

export interface ShownPicture extends Point {
  /** Of the frame, at 90 kHz; the value is the mouth's opening. */
  readonly rtpTimestamp: number;
}

export interface Received {
  /** Pictures when they were shown, and how open the mouth was. */
  readonly openings: readonly ShownPicture[];
  /** Sound when it left the jitter buffer: loudness of 5 ms each. */
  readonly levels: readonly Point[];
  /** As `RTCPeerConnection` names it. */
  readonly state: string;
}

const Taken = z.object({
  frames: z.array(z.tuple([z.number(), z.number(), z.number(), z.number()])),
  levels: z.array(z.tuple([z.number(), z.number(), z.number()])),
  state: z.string(),
});

const script = stripTypeScriptTypes(readFileSync(new URL('./browser/receiver.ts', import.meta.url), 'utf8'));
/** A secure context without a server: Playwright answers for it. */
const blankPage = 'http://localhost/receiver';

export class ReceivingBrowser implements AsyncDisposable {
  readonly page: Page;
  readonly #options: ReceiverOptions;
  readonly #openings: ShownPicture[] = [];
  readonly #levels: Point[] = [];

  private constructor(page: Page, options: ReceiverOptions) {
    this.page = page;
    this.#options = options;
  }

  /** Resolves once media may flow. */
  static async connect(browser: Browser, options: ReceiverOptions): Promise<ReceivingBrowser> {
    const page = await browser.newPage({ permissions: ['microphone'] });
    await page.route(blankPage, (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>receiver</title>' }));
    await page.goto(blankPage);
    await page.evaluate(script);
    const receiving = new ReceivingBrowser(page, options);
    const mouth = { box: mouthBox, darkBelow: mouthDarkBelow };
    const setup = { iceServers: options.iceServers, microphone: options.microphone ?? false, mouth };
    await page.evaluate(`globalThis.receiver = new Receiver(${JSON.stringify(setup)})`);
    await receiving.#negotiate(false);
    await receiving.until('connected');
    return receiving;
  }

  /** An ICE restart, as after a change of networks. */
  async restart(iceServers = this.#options.iceServers): Promise<void> {
    await this.page.evaluate(`receiver.use(${JSON.stringify(iceServers)})`);
    await this.#negotiate(true);
  }

  async until(state: string): Promise<void> {
    await this.page.waitForFunction(`receiver.state === ${JSON.stringify(state)}`, null, { timeout: 30_000, polling: 50 });
  }

  /** Everything that was received since the beginning, or since `forget`. */
  async received(): Promise<Received> {
    const { frames, levels, state } = Taken.parse(await this.page.evaluate('receiver.take()'));
    for (const [atMs, value, rtpTimestamp] of frames) this.#openings.push({ atMs, value, rtpTimestamp });
    for (const [atMs, first, second] of levels) {
      this.#levels.push({ atMs: atMs + 2.5, value: loudness(first) }, { atMs: atMs + 7.5, value: loudness(second) });
    }
    return { openings: this.#openings, levels: this.#levels, state };
  }

  forget(): void {
    this.#openings.length = 0;
    this.#levels.length = 0;
  }

  /** As the browser counts: `RTCStatsReport`. */
  async stats(): Promise<readonly Readonly<Record<string, unknown>>[]> {
    return z.array(z.record(z.string(), z.unknown())).parse(await this.page.evaluate('receiver.stats()'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.page.evaluate('receiver.close()').catch(() => undefined);
    await this.page.close().catch(() => undefined);
  }

  async #negotiate(restart: boolean): Promise<void> {
    const offer = z.string().parse(await this.page.evaluate(`receiver.offer(${restart})`));
    const answer = await this.#options.negotiate(offer, restart);
    await this.page.evaluate(`receiver.accept(${JSON.stringify(answer)})`);
  }
}

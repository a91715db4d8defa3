import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { chromium, type Page } from 'playwright-core';
import { z } from 'zod';
import { startCableEngine } from '../support/cable-engine.ts';
import { buildPage } from '../support/chromium.ts';
import { english, LessonPage } from '../support/lesson-page.ts';
import { quietInItsNetwork } from '../support/lessons-in-page.ts';
import { openCable } from '../support/netns.ts';
import { type RelayKind, relayKinds } from '../support/relays.ts';

/*
 * A lesson that lasts longer than anything in a relay does: an allocation (10 minutes), coturn's nonce (it may change from 10
 * minutes on, as by its default), the credentials (5 minutes) and the student's token. In each setting the page's first connection must
 * stay the only one, pictures must come in every ten seconds, and a question every five minutes must be answered aloud.
 */

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '70' }, json: { type: 'boolean', default: false } },
});
const lookEveryMs = 10_000;
const askEveryMs = 300_000;
const settings = relayKinds.flatMap((kind) => [false, true].map((engineRelay) => ({ kind, engineRelay })));

const Seen = z.object({
  connections: z.number(),
  state: z.string(),
  frames: z.number(),
  audioPacketsLost: z.number(),
  audioEnergy: z.number(),
});
type Seen = z.infer<typeof Seen>;

const keepConnections = `
  globalThis.connections = [];
  globalThis.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...args) { super(...args); globalThis.connections.push(this); }
  };`;
const look = `(async () => {
  const last = connections.at(-1);
  const stats = last === undefined ? [] : [...(await last.getStats()).values()];
  const inbound = (kind) => stats.find((one) => one.type === 'inbound-rtp' && one.kind === kind);
  return {
    connections: connections.length,
    state: last?.connectionState ?? 'none',
    frames: inbound('video')?.framesReceived ?? 0,
    audioPacketsLost: inbound('audio')?.packetsLost ?? 0,
    audioEnergy: inbound('audio')?.totalAudioEnergy ?? 0,
  };
})()`;

const seen = async (page: Page): Promise<Seen> => Seen.parse(await page.evaluate(look));

/** The voice may come a little after the words. */
async function isHeard(page: Page, energyBefore: number): Promise<boolean> {
  for (let looks = 0; looks < 30; looks += 1) {
    if ((await seen(page)).audioEnergy > energyBefore + 0.01) return true;
    await wait(500);
  }
  return false;
}

interface Outcome {
  readonly setting: string;
  readonly kept: boolean;
  readonly minutes: number;
  readonly connections: number;
  /** In the poorest ten seconds. */
  readonly fewestFrames: number;
  readonly audioPacketsLost: number;
  readonly answered: number;
  readonly unanswered: number;
  /** Packets past the relay's port. */
  readonly otherUdp: number;
}

async function hold(kind: RelayKind, engineRelay: boolean): Promise<Outcome> {
  const setting = `${kind}, ${engineRelay ? 'relay at both ends' : 'relay at one end'}`;
  await using cable = openCable({ udp: '10110', turnTcp: null, apiPort: 9000 });
  await using engine = await startCableEngine(cable, { kind, env: engineRelay ? { WEBRTC_ENGINE_RELAY: 'true' } : {} });
  const browser = await chromium.launch({ executablePath: cable.chromium, args: quietInItsNetwork });
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(60_000);
    await page.addInitScript(keepConnections);
    await page.goto(engine.url);
    await page.getByLabel(english('apiKey')).fill(engine.apiKey);
    await page.getByRole('button', { name: english('signIn'), exact: true }).click();
    const lesson = new LessonPage(page);
    await lesson.start();
    while ((await seen(page)).frames < 100) await wait(500);
    const began = performance.now();
    const minutesGone = () => (performance.now() - began) / 60_000;
    let [answered, unanswered, fewestFrames, nextQuestionMs] = [0, 0, Number.POSITIVE_INFINITY, 0];
    let last = await seen(page);
    let isAlive = true;
    while (minutesGone() < Number(values.minutes) && isAlive) {
      if (performance.now() - began >= nextQuestionMs) {
        nextQuestionMs += askEveryMs;
        await lesson.ask('What is light?');
        const reply = await lesson.finished();
        if (reply !== '' && (await isHeard(page, last.audioEnergy))) answered += 1;
        else unanswered += 1;
        last = await seen(page);
        console.log(`${setting}: ${minutesGone().toFixed(1)} min, ${JSON.stringify({ ...last, answered, unanswered, fewestFrames })}`);
      }
      await wait(lookEveryMs);
      const now = await seen(page);
      fewestFrames = Math.min(fewestFrames, now.frames - last.frames);
      isAlive = now.connections === 1 && now.state === 'connected' && now.frames > last.frames;
      last = now;
    }
    const { connections, audioPacketsLost } = last;
    const { otherUdp } = cable.counts();
    const kept = isAlive && unanswered === 0 && otherUdp === 0;
    return {
      setting,
      kept,
      minutes: Math.round(minutesGone()),
      connections,
      fewestFrames,
      audioPacketsLost,
      answered,
      unanswered,
      otherUdp,
    };
  } finally {
    await browser.close();
  }
}

await buildPage();
const outcomes = await Promise.all(
  settings.map(async ({ kind, engineRelay }, nth) => {
    // One after the other: the machine is small, and an engine's start takes all of it.
    await wait(nth * 15_000);
    const outcome = await hold(kind, engineRelay);
    console.log(`${outcome.setting}: ${outcome.kept ? 'it held' : 'IT DID NOT HOLD'}`);
    return outcome;
  }),
);
const kept = outcomes.every((outcome) => outcome.kept);
if (values.json) console.log(JSON.stringify({ kept, outcomes }));
process.exitCode = kept ? 0 : 1;

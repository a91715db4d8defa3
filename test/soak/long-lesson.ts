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
 * A lesson that lasts longer than anything in a relay does: an allocation (10 minutes), coturn's nonce (it changes after an hour, and is
 * forgotten sooner), the credentials (5 minutes) and the student's token. In each setting the page's first connection must stay
 * the only one, packets must come in every ten seconds, and a question every five minutes must be answered aloud. Without a
 * face: what counts here is the way, and four browsers that draw would be all that this measures.
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
  packets: z.number(),
  packetsLost: z.number(),
  energy: z.number(),
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
  const voice = stats.find((one) => one.type === 'inbound-rtp' && one.kind === 'audio');
  return {
    connections: connections.length,
    state: last?.connectionState ?? 'none',
    packets: voice?.packetsReceived ?? 0,
    packetsLost: voice?.packetsLost ?? 0,
    energy: voice?.totalAudioEnergy ?? 0,
  };
})()`;

const seen = async (page: Page): Promise<Seen> => Seen.parse(await page.evaluate(look));

async function isHeard(page: Page, energyBefore: number): Promise<boolean> {
  for (let looks = 0; looks < 30; looks += 1) {
    if ((await seen(page)).energy > energyBefore + 0.01) return true;
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
  readonly fewestPackets: number;
  readonly packetsLost: number;
  readonly answered: number;
  readonly unanswered: number;
  /** Packets past the relay's port. */
  readonly otherUdp: number;
}

async function hold(kind: RelayKind, engineRelay: boolean): Promise<Outcome> {
  const setting = `${kind}, ${engineRelay ? 'relay at both ends' : 'relay at one end'}`;
  await using cable = openCable({ udp: '10110', turnTcp: null, apiPort: 9000 });
  await using engine = await startCableEngine(cable, {
    kind,
    env: { ENABLE_AVATAR: 'false', SESSION_TIMEOUT_SECONDS: '14400', WEBRTC_ENGINE_RELAY: String(engineRelay) },
  });
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
    while ((await seen(page)).packets < 10) await wait(500);
    const began = performance.now();
    const minutesGone = () => (performance.now() - began) / 60_000;
    let [answered, unanswered, fewestPackets, nextQuestionMs] = [0, 0, Number.POSITIVE_INFINITY, 0];
    let last = await seen(page);
    let isAlive = true;
    while (minutesGone() < Number(values.minutes) && isAlive) {
      if (performance.now() - began >= nextQuestionMs) {
        nextQuestionMs += askEveryMs;
        await lesson.ask('What is light?');
        if (await isHeard(page, last.energy)) answered += 1;
        else unanswered += 1;
        if ((await lesson.stop.count()) > 0) await lesson.stop.click().catch(() => undefined);
        last = await seen(page);
        console.log(`${setting}: ${minutesGone().toFixed(1)} min, ${JSON.stringify({ ...last, answered, unanswered, fewestPackets })}`);
      }
      await wait(lookEveryMs);
      const now = await seen(page);
      fewestPackets = Math.min(fewestPackets, now.packets - last.packets);
      isAlive = now.connections === 1 && now.state === 'connected' && now.packets > last.packets;
      last = now;
    }
    const { connections, packetsLost } = last;
    const { otherUdp } = cable.counts();
    const kept = isAlive && unanswered === 0 && otherUdp === 0;
    return {
      setting,
      kept,
      minutes: Math.round(minutesGone()),
      connections,
      fewestPackets,
      packetsLost,
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

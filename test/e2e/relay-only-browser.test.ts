import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { quietInItsNetwork } from '../support/lessons-in-page.ts';
import { chromiumAvailable, describeWith } from '../support/loud-skip.ts';
import { type Cable, namespacesAvailable, openCable } from '../support/netns.ts';
import type { StageOrder } from '../support/relay-stage-child.ts';
import { coturnAvailable, relayKinds } from '../support/relays.ts';
import type { SprayTask } from '../support/spray-child.ts';

const program = join(import.meta.dirname, '..', 'support', 'relay-stage-child.ts');
const sprayer = join(import.meta.dirname, '..', 'support', 'spray-child.ts');
const port = 9000;

const Connections = z.array(
  z.object({
    /** Candidate lines of the offer and of the answer. */
    offered: z.array(z.string()),
    answered: z.array(z.string()),
    refused: z.string().nullable(),
    /** Codes of `icecandidateerror`. */
    errors: z.array(z.number()),
    audioPackets: z.number(),
    localType: z.string().nullable(),
  }),
);
type Connections = z.infer<typeof Connections>;

/** Runs in the page: as many connections as asked, all of them there at once. */
const connectAll = `async (count) => {
  const open = async () => {
    const iceServers = await (await fetch('/config')).json();
    const connection = new RTCPeerConnection({ iceServers, iceTransportPolicy: 'relay', bundlePolicy: 'max-bundle' });
    const errors = [];
    connection.onicecandidateerror = ({ errorCode }) => errors.push(errorCode);
    connection.addTransceiver('audio', { direction: 'recvonly' });
    connection.addTransceiver('video', { direction: 'recvonly' });
    await connection.setLocalDescription();
    while (connection.iceGatheringState !== 'complete') await new Promise((done) => setTimeout(done, 20));
    const sdp = connection.localDescription.sdp;
    const candidates = (text) => text.split('\\r\\n').filter((line) => line.startsWith('a=candidate'));
    const body = JSON.stringify({ peerId: crypto.randomUUID?.() ?? String(Math.random()), sdp });
    const { answer = null, refused = null } = await (await fetch('/offer', { method: 'POST', body })).json();
    if (answer !== null) await connection.setRemoteDescription({ type: 'answer', sdp: answer });
    return { connection, errors, offered: candidates(sdp), answered: answer === null ? [] : candidates(answer), refused };
  };
  const all = [];
  for (let at = 0; at < count; at += 1) all.push(await open());
  const look = async ({ connection, ...seen }) => {
    const stats = [...(await connection.getStats()).values()];
    const audio = stats.find(({ type, kind }) => type === 'inbound-rtp' && kind === 'audio');
    const transport = stats.find(({ type }) => type === 'transport');
    const pair = stats.find(({ id }) => id === transport?.selectedCandidatePairId);
    const local = stats.find(({ id }) => id === pair?.localCandidateId);
    return { ...seen, audioPackets: audio?.packetsReceived ?? 0, localType: local?.candidateType ?? null };
  };
  /** Until every connection that stands has received so many packets more. */
  globalThis.receiveMore = async (packets) => {
    const before = await Promise.all(all.map(look));
    for (let looks = 0; looks < 150; looks += 1) {
      const seen = await Promise.all(all.map(look));
      const goesOn = (one, nth) => one.audioPackets >= before[nth].audioPackets + packets || one.answered.length === 0 || one.offered.length === 0;
      if (seen.every(goesOn)) return seen.map((one, nth) => ({ ...one, audioPackets: one.audioPackets - before[nth].audioPackets }));
      await new Promise((done) => setTimeout(done, 100));
    }
    return (await Promise.all(all.map(look))).map((one, nth) => ({ ...one, audioPackets: one.audioPackets - before[nth].audioPackets }));
  };
  return globalThis.receiveMore(50);
}`;

interface Visit {
  readonly count: number;
  /** What happens while all are connected; after it, each must receive as much again. */
  readonly meanwhile?: () => void;
}

async function connect(cable: Cable, order: Omit<StageOrder, 'address' | 'port'>, { count, meanwhile }: Visit): Promise<Connections> {
  const { address } = cable.engine;
  const [command, ...args] = cable.engine.within([process.execPath, program, JSON.stringify({ ...order, address, port })]);
  const engine = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(createInterface({ input: engine.stdout }), 'line');
  const browser = await chromium.launch({
    executablePath: cable.chromium,
    args: quietInItsNetwork,
  });
  try {
    const page = await browser.newPage();
    await page.goto(`http://${address}:${port}/`);
    const connected = Connections.parse(await page.evaluate(`(${connectAll})(${count})`));
    if (meanwhile === undefined) return connected;
    meanwhile();
    // The bystander on the last port heard every shot: so did the engine.
    expect(await page.evaluate("fetch('/heard').then((heard) => heard.text())")).toBe('4');
    return Connections.parse(await page.evaluate('receiveMore(50)'));
  } finally {
    await browser.close();
    engine.kill('SIGKILL');
  }
}

/** Resolves to how many datagrams went out through the sprayer's own allocation. */
function spray(cable: Cable, task: SprayTask): number {
  const [command, ...args] = cable.browser.within([process.execPath, sprayer, JSON.stringify(task)]);
  const done = spawnSync(command, args, { encoding: 'utf8', timeout: 50_000 });
  expect(done.stderr).toBe('');
  return Number(done.stdout);
}

for (const kind of relayKinds) {
  const available = namespacesAvailable && chromiumAvailable && (kind === 'embedded' || coturnAvailable);
  describeWith(available, 'root for network namespaces, nft, coturn and Chromium')(
    `Chromium past a firewall, with the ${kind} relay`,
    () => {
      test.each([
        ['to the engine', false, 30],
        ['to a relay port of the engine', true, 10],
      ])('media passes the one open port, %s', async (_what, engineRelay, count) => {
        await using cable = openCable({ udp: '10110', turnTcp: null, apiPort: port });
        const connections = await connect(cable, { kind, layout: 'single-port', engineRelay, transport: 'udp' }, { count });
        expect(connections).toHaveLength(count);
        for (const { offered, answered, audioPackets, localType, refused } of connections) {
          expect(refused).toBeNull();
          expect(audioPackets).toBeGreaterThanOrEqual(50);
          expect(localType).toBe('relay');
          expect(offered.length).toBeGreaterThan(0);
          for (const line of offered) expect(line).toContain(' typ relay ');
          expect(answered.length).toBeGreaterThan(0);
          for (const line of answered) expect(line).toContain(engineRelay ? ' typ relay' : ' typ host');
        }
        expect(cable.counts()).toMatchObject({ otherUdp: 0, otherTcp: 0, turnTcp: 0 });
      });

      test('where no UDP passes, media goes over TCP', async () => {
        await using cable = openCable({ udp: '1', turnTcp: 10_110, apiPort: port });
        const connections = await connect(cable, { kind, layout: 'single-port', engineRelay: false, transport: 'tcp' }, { count: 5 });
        expect(connections.map(({ localType }) => localType)).toEqual(Array<string>(5).fill('relay'));
        for (const { audioPackets } of connections) expect(audioPackets).toBeGreaterThanOrEqual(50);
        expect(cable.counts()).toMatchObject({ turnUdp: 0, otherUdp: 0, otherTcp: 0 });
      });

      test.each([
        ['every port of the engine', false, [20_000, 20_999]],
        ['every relay port', true, [49_152, 65_535]],
      ] as const)('a student with a credential of his own who sprays %s silences nobody', async (_what, engineRelay, ports) => {
        await using cable = openCable({ udp: '10110', turnTcp: null, apiPort: port });
        const order = { kind, layout: 'single-port', engineRelay, transport: 'udp' } as const;
        const peer = kind === 'coturn' ? cable.engine.address : '127.0.0.1';
        let sent = 0;
        const meanwhile = () => {
          sent = spray(cable, { config: `http://${cable.engine.address}:${port}/config`, peer, ports: [...ports] });
        };
        const connections = await connect(cable, order, { count: 5, meanwhile });
        expect(sent).toBe((ports[1] - ports[0] + 1) * 4);
        for (const { audioPackets, localType } of connections) {
          expect(audioPackets).toBeGreaterThanOrEqual(50);
          expect(localType).toBe('relay');
        }
      });

      test('ports 10111 to 10115 carry five, and the sixth is told why by its relay', async () => {
        await using cable = openCable({ udp: '10110-10115', turnTcp: null, apiPort: port });
        const connections = await connect(cable, { kind, layout: 'port-range', engineRelay: false, transport: 'udp' }, { count: 6 });
        const [sixth] = connections.slice(5);
        for (const { audioPackets, localType } of connections.slice(0, 5)) {
          expect(audioPackets).toBeGreaterThanOrEqual(50);
          expect(localType).toBe('relay');
        }
        expect(sixth?.offered).toEqual([]);
        expect(sixth?.errors.every((code) => code === 486 || code === 508)).toBe(true);
        expect(sixth?.errors.length).toBeGreaterThan(0);
        expect(cable.counts()).toMatchObject({ otherUdp: 0, otherTcp: 0 });
      });
    },
  );
}

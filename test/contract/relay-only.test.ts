import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { type BrowserTask, type EngineOrder, Invitation, Outcomes } from '../support/cable-child.ts';
import { describeWith } from '../support/loud-skip.ts';
import { type Cable, namespacesAvailable, openCable } from '../support/netns.ts';
import { coturnAvailable, relayKinds } from '../support/relays.ts';

const program = join(import.meta.dirname, '..', 'support', 'cable-child.ts');
const apiPort = 9000;

/** The relay and the peers behind it; they end with their namespace. */
async function startEngine(cable: Cable, order: Omit<EngineOrder, 'address'>): Promise<Invitation> {
  const [command, ...args] = cable.engine.within([
    process.execPath,
    program,
    'engine',
    JSON.stringify({ ...order, address: cable.engine.address }),
  ]);
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  return Invitation.parse(JSON.parse(String(line)));
}

function visit(cable: Cable, task: BrowserTask): Outcomes {
  const [command, ...args] = cable.browser.within([process.execPath, program, 'browser', JSON.stringify(task)]);
  const done = spawnSync(command, args, { encoding: 'utf8', timeout: 50_000 });
  expect(done.stderr).toBe('');
  return Outcomes.parse(JSON.parse(done.stdout));
}

for (const kind of relayKinds) {
  const available = namespacesAvailable && (kind === 'embedded' || coturnAvailable);
  describeWith(available, 'root for network namespaces, nft and coturn')(`media past a firewall, with the ${kind} relay`, () => {
    test('thirty sessions at once pass one UDP port, and no packet goes to any other', async () => {
      await using cable = openCable({ udp: '10110', turnTcp: null, apiPort });
      const { udp: url, tickets } = await startEngine(cable, { kind, layout: 'single-port', sessions: 30 });
      const outcomes = visit(cable, { url, tickets, packets: 20 });
      expect(outcomes.map(({ code, echoed }) => [code, echoed])).toEqual(tickets.map(() => [0, 20]));
      // Thirty relay ports, none of them on the cable.
      expect(new Set(outcomes.map(({ relay }) => relay)).size).toBe(30);
      const counts = cable.counts();
      expect(counts).toMatchObject({ otherUdp: 0, otherTcp: 0, turnTcp: 0 });
      expect(counts.turnUdp).toBeGreaterThan(30 * 20 * 2);
    });

    test('five sessions pass ports 10110 to 10115, and the sixth is refused by number', async () => {
      await using cable = openCable({ udp: '10110-10115', turnTcp: null, apiPort });
      const { udp: url, tickets } = await startEngine(cable, { kind, layout: 'port-range', sessions: 6 });
      const outcomes = visit(cable, { url, tickets, packets: 20 });
      expect(outcomes.slice(0, 5).map(({ code, echoed }) => [code, echoed])).toEqual([1, 2, 3, 4, 5].map(() => [0, 20]));
      expect([486, 508]).toContain(outcomes[5]?.code);
      const ports = outcomes.slice(0, 5).map(({ relay }) => Number(relay?.split(':')[1]));
      expect(ports.toSorted()).toEqual([10_111, 10_112, 10_113, 10_114, 10_115]);
      expect(cable.counts()).toMatchObject({ otherUdp: 0, otherTcp: 0, turnTcp: 0 });
    });

    test('where no UDP passes at all, media goes over TCP to the same port', async () => {
      await using cable = openCable({ udp: '1', turnTcp: 10_110, apiPort });
      const { tcp: url, tickets } = await startEngine(cable, { kind, layout: 'single-port', sessions: 5 });
      const outcomes = visit(cable, { url, tickets, packets: 20 });
      expect(outcomes.map(({ code, echoed }) => [code, echoed])).toEqual(tickets.map(() => [0, 20]));
      expect(cable.counts()).toMatchObject({ turnUdp: 0, otherUdp: 0, otherTcp: 0 });
    });

    test('the firewall counts what leaves the permitted ports, so that its zeros mean something', async () => {
      await using cable = openCable({ udp: '10110', turnTcp: null, apiPort });
      const stray = "const s = require('node:dgram').createSocket('udp4'); s.send('x', 20000, process.argv[1], () => s.close())";
      const [command, ...args] = cable.browser.within([process.execPath, '-e', stray, cable.engine.address]);
      expect(spawnSync(command, args).status).toBe(0);
      expect(cable.counts()).toMatchObject({ turnUdp: 0, otherUdp: 1 });
    });
  });
}

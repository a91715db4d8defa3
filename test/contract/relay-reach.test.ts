import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { openEchoPeer } from '../support/echo-peer.ts';
import { describeWith } from '../support/loud-skip.ts';
import { namespacesAvailable, openNamespace } from '../support/netns.ts';
import { forbidden, forbidden6 } from '../support/reach-child.ts';
import { coturnAvailable, coturnUser, relayKinds, startRelay } from '../support/relays.ts';
import { TurnClient } from '../support/turn-client.ts';

const ReachReport = z.object({
  tried: z.number(),
  audible: z.array(z.string()),
  granted: z.array(z.string()),
  leaks: z.array(z.string()),
  engineReached: z.boolean(),
});
const program = join(import.meta.dirname, '..', 'support', 'reach-child.ts');

for (const kind of relayKinds) {
  const available = namespacesAvailable && (kind === 'embedded' || coturnAvailable);
  describeWith(available, 'root for network namespaces, nft and coturn')(`what the ${kind} relay reaches`, () => {
    test('is the engine and nothing else, in any range, form or way of asking', async () => {
      await using alone = openNamespace([...forbidden, ...forbidden6]);
      const [command, ...args] = alone.within([process.execPath, program, kind]);
      const done = spawnSync(command, args, { encoding: 'utf8', timeout: 50_000 });
      expect(done.stderr).toBe('');
      const report = ReachReport.parse(JSON.parse(done.stdout));
      expect(report.audible).toHaveLength(forbidden.length + forbidden6.length);
      expect(report).toMatchObject({ tried: 42, granted: [], leaks: [], engineReached: true });
    });
  });
}

const documented = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'operations', 'media.md'), 'utf8');
const firewall = /^```nft\n(.*?)^```/ms.exec(documented)?.[1] ?? '';

describeWith(namespacesAvailable && coturnUser() !== null, 'root for network namespaces, nft and coturn')(
  'coturn, which knows no ports,',
  () => {
    const portsReached = (within: (command: readonly string[]) => readonly [string, ...string[]]): unknown => {
      const [command, ...args] = within([process.execPath, program, 'ports']);
      const done = spawnSync(command, args, { encoding: 'utf8', timeout: 50_000 });
      expect(done.stderr).toBe('');
      return JSON.parse(done.stdout);
    };

    test('is kept to the media ports by the documented firewall', async () => {
      await using alone = openNamespace([]);
      expect(portsReached(alone.within)).toEqual({ media: 1, beside: 1 });
      const [command, ...args] = alone.within(['nft', '-f', '-']);
      expect(spawnSync(command, args, { input: firewall, encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
      expect(portsReached(alone.within)).toEqual({ media: 1, beside: 0 });
    });
  },
);

describe('what the embedded relay reaches on the engine itself', () => {
  test('is its media ports, not what else listens there', async () => {
    await using relay = await startRelay('embedded');
    const { mediaAddress, mediaPorts } = relay.plan;
    await using beside = await openEchoPeer(mediaAddress, mediaPorts[1] + 1);
    await using first = await openEchoPeer(mediaAddress, mediaPorts[0]);
    await using last = await openEchoPeer(mediaAddress, mediaPorts[1]);
    using client = new TurnClient(relay.url('udp'), relay.credential('session-1'));
    expect(await client.allocate()).toBe(0);
    expect(await client.permit(beside.at)).toBe(0);
    expect(await client.bindChannel(0x4000, beside.at)).toBe(403);
    client.send(beside.at, Buffer.from('x'));
    for (const peer of [first, last]) {
      client.send(peer.at, Buffer.from('y'));
      expect(String(await client.next())).toBe('y');
    }
    expect(beside.datagrams).toBe(0);
  });

  test('does not answer for somebody who merely sits on the same address', async () => {
    await using relay = await startRelay('embedded');
    const { mediaAddress, mediaPorts } = relay.plan;
    await using beside = await openEchoPeer(mediaAddress, mediaPorts[1] + 2);
    await using engine = await openEchoPeer(mediaAddress, mediaPorts[0] + 1);
    using client = new TurnClient(relay.url('udp'), relay.credential('session-1'));
    expect(await client.allocate()).toBe(0);
    expect(await client.permit(engine.at)).toBe(0);
    if (client.relay === null) throw new Error('no relay');
    // An intruder on this machine sends to the relay port himself.
    using intruder = new TurnClient(`turn:${client.relay.address}:${client.relay.port}`, relay.credential('session-2'), 300);
    expect(await intruder.allocate()).toBeNull();
    client.send(engine.at, Buffer.from('z'));
    expect(String(await client.next())).toBe('z');
    expect(client.received).toBe(1);
    expect(beside.datagrams).toBe(0);
  });
});

import { describe, expect, test } from 'vitest';
import { openEchoPeer } from '../support/echo-peer.ts';
import { describeWith } from '../support/loud-skip.ts';
import { coturnAvailable, type Relay, type RelayKind, relayKinds, startRelay, until } from '../support/relays.ts';
import { TurnClient } from '../support/turn-client.ts';

const refused = 401;
const full = [486, 508];
/** Within the media ports of the plan. */
const mediaPort = 20_417;

function suiteOf(kind: RelayKind) {
  return describeWith(kind === 'embedded' || coturnAvailable, 'coturn (turnserver)');
}

/** Clients of as many sessions, one after the other, and what each was answered. */
async function allocateMany(relay: Relay, users: readonly string[], cleanUp: DisposableStack) {
  const answers = [];
  for (const user of users) {
    const client = cleanUp.use(new TurnClient(relay.url('udp'), relay.credential(user)));
    answers.push({ client, code: await client.allocate() });
  }
  return answers;
}

/** A relay may take a moment to notice that a place was given back. */
async function allocatesSoon(relay: Relay, user: string, cleanUp: DisposableStack): Promise<boolean> {
  for (let tries = 0; tries < 30; tries += 1) {
    const [one] = await allocateMany(relay, [user], cleanUp);
    if (one?.code === 0) return true;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return false;
}

for (const kind of relayKinds) {
  suiteOf(kind)(`who may use the ${kind} relay`, () => {
    test.each(['udp', 'tcp'] as const)('a session reaches its peer and hears it, over %s', async (transport) => {
      await using relay = await startRelay(kind);
      await using peer = await openEchoPeer(relay.plan.mediaAddress, mediaPort);
      using client = new TurnClient(relay.url(transport), relay.credential('session-1'));
      expect(await client.allocate()).toBe(0);
      expect(client.relay?.address).toBe(relay.plan.relayAddress);
      expect(client.relay?.port).toBeGreaterThanOrEqual(relay.plan.relayPorts[0]);
      expect(client.relay?.port).toBeLessThanOrEqual(relay.plan.relayPorts[1]);

      expect(await client.permit(peer.at)).toBe(0);
      client.send(peer.at, Buffer.from('by indication'));
      expect(String(await client.next())).toBe('by indication');
      expect(await client.bindChannel(0x4000, peer.at)).toBe(0);
      // Lengths that do not fill four bytes, which a stream must pad.
      for (const text of ['1', '12', '123', '1234', '12345']) {
        client.sendOnChannel(0x4000, Buffer.from(text));
        expect(String(await client.next())).toBe(text);
      }
    });

    test('anybody may ask where he is, as Chromium does before it goes on', async () => {
      await using relay = await startRelay(kind);
      for (const transport of ['udp', 'tcp'] as const) {
        using client = new TurnClient(relay.url(transport), relay.credential('session-1'));
        expect(await client.whoami()).toMatchObject({ address: '127.0.0.1' });
      }
    });

    test('a credential that is late, made with another secret, or of another session opens nothing', async () => {
      await using relay = await startRelay(kind);
      const own = relay.credential('session-1');
      const wrong = [
        relay.credential('session-1', { ttlSeconds: -1 }),
        relay.credential('session-1', { secret: 'somebody-elses-secret' }),
        { ...own, username: relay.credential('session-2').username },
        { ...own, username: own.username.replace(/^\d+/, (seconds) => String(Number(seconds) + 86_400)) },
        { ...own, credential: '' },
        { username: 'session-1', credential: own.credential },
        { username: 'admin', credential: 'admin' },
      ];
      for (const credential of wrong) {
        using client = new TurnClient(relay.url('udp'), credential);
        expect(await client.allocate()).toBe(refused);
        expect(client.relay).toBeNull();
      }
      using client = new TurnClient(relay.url('udp'), own);
      expect(await client.allocate()).toBe(0);
    });

    test('a credential that expires keeps what it opened, and opens nothing more', async () => {
      await using relay = await startRelay(kind);
      await using peer = await openEchoPeer(relay.plan.mediaAddress, mediaPort);
      const credential = relay.credential('session-1', { ttlSeconds: 5 });
      using client = new TurnClient(relay.url('udp'), credential);
      expect(await client.allocate()).toBe(0);
      await until(() => Date.now() / 1000 > Number(credential.username.split(':')[0]) + 1);
      expect(await client.refresh(600)).toBe(0);
      expect(await client.permit(peer.at)).toBe(0);
      expect(await client.bindChannel(0x4000, peer.at)).toBe(0);
      client.sendOnChannel(0x4000, Buffer.from('still here'));
      expect(String(await client.next())).toBe('still here');
      // coturn's own clock ticks once a second, and later on a busy machine.
      const late = async () => {
        using client = new TurnClient(relay.url('udp'), credential);
        return await client.allocate();
      };
      await expect.poll(late, { interval: 500, timeout: 10_000 }).toBe(refused);
    });

    test("nobody takes over another session's allocation", async () => {
      await using relay = await startRelay(kind);
      using client = new TurnClient(relay.url('udp'), relay.credential('session-1'));
      expect(await client.allocate()).toBe(0);
      expect(await client.allocate()).toBe(437);
    });

    test('one session has its fill, the next one still gets in, and a place given back is free again', async () => {
      await using relay = await startRelay(kind);
      using cleanUp = new DisposableStack();
      const { perUser } = relay.plan.quotas;
      const greedy = await allocateMany(relay, Array<string>(perUser + 1).fill('greedy'), cleanUp);
      expect(greedy.map(({ code }) => code)).toEqual([...Array<number>(perUser).fill(0), 486]);
      const [other] = await allocateMany(relay, ['modest'], cleanUp);
      expect(other?.code).toBe(0);
      expect(await greedy[0]?.client.refresh(0)).toBe(0);
      expect(await allocatesSoon(relay, 'greedy', cleanUp)).toBe(true);
    });

    test('many allocations asked for at the same moment do not slip past the quota', async () => {
      await using relay = await startRelay(kind);
      using cleanUp = new DisposableStack();
      const { perUser } = relay.plan.quotas;
      const clients = Array.from({ length: perUser * 3 }, () => cleanUp.use(new TurnClient(relay.url('udp'), relay.credential('greedy'))));
      const codes = await Promise.all(clients.map((client) => client.allocate()));
      expect(codes.filter((code) => code === 0)).toHaveLength(perUser);
      expect(codes.filter((code) => code === 486)).toHaveLength(perUser * 2);
    });

    test('five relay ports carry five sessions, the sixth is refused by number, and takes the first place that is left', async () => {
      await using relay = await startRelay(kind, { layout: 'port-range' });
      using cleanUp = new DisposableStack();
      const users = ['1', '2', '3', '4', '5', '6'].map((number) => `session-${number}`);
      const sessions = await allocateMany(relay, users, cleanUp);
      expect(sessions.slice(0, 5).map(({ code }) => code)).toEqual([0, 0, 0, 0, 0]);
      expect(full).toContain(sessions[5]?.code);
      const ports = sessions.slice(0, 5).map(({ client }) => client.relay?.port);
      expect(ports.toSorted()).toEqual([1, 2, 3, 4, 5].map((more) => relay.plan.port + more));
      // A refusal must not count as a place given back, nor as one taken.
      const [seventh] = await allocateMany(relay, ['session-7'], cleanUp);
      expect(full).toContain(seventh?.code);
      expect(await sessions[2]?.client.refresh(0)).toBe(0);
      expect(await allocatesSoon(relay, 'session-8', cleanUp)).toBe(true);
    });

    test('a fixed user of the operator works for every browser at once', async () => {
      const user = { username: 'tutor', password: 'a fixed password' };
      await using relay = await startRelay(kind, { user });
      using cleanUp = new DisposableStack();
      for (let browsers = 0; browsers < relay.plan.quotas.perUser + 2; browsers += 1) {
        const client = cleanUp.use(new TurnClient(relay.url('udp'), { username: user.username, credential: user.password }));
        expect(await client.allocate()).toBe(0);
      }
      using wrong = new TurnClient(relay.url('udp'), { username: user.username, credential: 'another' });
      expect(await wrong.allocate()).toBe(refused);
    });

    test('one session cannot take the bandwidth of many', async () => {
      await using relay = await startRelay(kind);
      await using peer = await openEchoPeer(relay.plan.mediaAddress, mediaPort);
      using client = new TurnClient(relay.url('udp'), relay.credential('session-1'));
      expect(await client.allocate()).toBe(0);
      expect(await client.bindChannel(0x4000, peer.at)).toBe(0);
      const packet = Buffer.alloc(1_000, 7);
      const { bytesPerSecond } = relay.plan.quotas;
      const wanted = bytesPerSecond * 5;
      for (let sent = 0; sent < wanted; sent += packet.length * 20) {
        for (let burst = 0; burst < 20; burst += 1) client.sendOnChannel(0x4000, packet);
        await new Promise((resolve) => setImmediate(resolve));
      }
      // What follows the flood is answered: it was dropped, not queued.
      expect(await client.refresh(600)).toBe(0);
      expect(peer.bytes).toBeLessThan(bytesPerSecond * 2.5);
      expect(peer.bytes).toBeGreaterThan(0);
    });
  });
}

describe('the embedded relay, where its public address is IPv6,', () => {
  test.each(['udp', 'tcp'] as const)('serves IPv6 and IPv4 over %s, and still relays over IPv4 alone', async (transport) => {
    await using relay = await startRelay('embedded', { publicHost: '::1', loopbackOnly: false });
    await using peer = await openEchoPeer(relay.plan.mediaAddress, mediaPort);
    expect(relay.plan.urls[0]).toBe(`turn:[::1]:${relay.plan.port}?transport=udp`);
    for (const host of ['[::1]', '127.0.0.1']) {
      using client = new TurnClient(`turn:${host}:${relay.plan.port}?transport=${transport}`, relay.credential('session-1'));
      expect(await client.allocate()).toBe(0);
      expect(client.relay?.address).toBe('127.0.0.1');
      expect(await client.bindChannel(0x4000, peer.at)).toBe(0);
      client.sendOnChannel(0x4000, Buffer.from(host));
      expect(String(await client.next())).toBe(host);
    }
  });
});

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Connection } from 'werift';
import { type LocalWire, openRelayWire, relayCandidate } from '../../packages/engine/src/adapters/werift-wire.ts';
import { OfferRefused } from '../../packages/engine/src/media/ports.ts';
import { SourcePin } from '../../packages/engine/src/media/source-pin.ts';
import { engineUser } from '../../packages/server/src/turn/credentials.ts';
import { method } from '../../packages/server/src/turn/stun.ts';
import { describeWith } from '../support/loud-skip.ts';
import { coturnAvailable, type RelayKind, startRelay } from '../support/relays.ts';
import { ScriptedTurn } from '../support/scripted-turn.ts';

/* The engine as a client of TURN, with `WEBRTC_ENGINE_RELAY`: what werift's own client gets wrong. */

const ports = { mediaAddress: '127.0.0.1', mediaPorts: [24_700, 24_799] } as const;
const student = { address: '127.0.0.1', port: 50_000 };

describe('an allocation of the engine', () => {
  let turn: ScriptedTurn;
  let pin: SourcePin;
  beforeEach(async () => {
    turn = await ScriptedTurn.open();
    pin = new SourcePin();
    pin.replace([student]);
  });
  afterEach(async () => {
    vi.useRealTimers();
    await turn[Symbol.asyncDispose]();
  });

  /** Begins ICE with the student, which binds a channel to him. */
  async function callStudent(wire: LocalWire): Promise<Connection> {
    const connection = new Connection(false, { useIpv6: false });
    wire.attach(connection);
    await connection.gatherCandidates();
    connection.setRemoteParams({ iceLite: false, usernameFragment: 'abcd', password: 'x'.repeat(22) });
    await connection.addRemoteCandidate(relayCandidate(student));
    connection.connect().catch(() => undefined);
    await expect.poll(() => turn.accepted(method.channelBind), { timeout: 5_000 }).toBeGreaterThan(0);
    return connection;
  }

  const open = (nth = 0) => openRelayWire({ ...ports, engineRelay: { url: turn.url, username: 'engine', credential: 'secret' }, pin, nth });

  test('is freed when its connection closes, even after its nonce went stale', async () => {
    const wire = await open();
    turn.changeNonce();
    await wire.close();
    expect(turn.refreshes.at(-1)).toBe(0);
  });

  test('lives on past nonce after nonce, with its permissions', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const wire = await open();
    for (let round = 1; round <= 5; round += 1) {
      turn.changeNonce();
      vi.advanceTimersByTime(120_000);
      await expect.poll(() => turn.refreshes.length, { timeout: 5_000 }).toBe(round);
      await expect.poll(() => turn.accepted(method.createPermission), { timeout: 5_000 }).toBe(round);
    }
    expect(turn.refreshes).toEqual([600, 600, 600, 600, 600]);
    vi.useRealTimers();
    await wire.close();
  });

  test('is refused by name when the server has none', async () => {
    turn.refuseAllocations = true;
    await expect(open()).rejects.toThrow(OfferRefused);
    await expect(open()).rejects.toMatchObject({ code: 'no_free_port' });
  });

  test('believes what a peer sent from its server alone', async () => {
    const wire = await open(7);
    const connection = await callStudent(wire);
    const stranger = createSocket('udp4').bind(0, '127.0.0.1');
    await once(stranger, 'listening');
    const alert = Buffer.from('15fefd000000000000000000020100', 'hex');
    stranger.send(turn.channelData(alert), turn.client.port, turn.client.address);
    stranger.send(turn.dataIndication(student, alert), turn.client.port, turn.client.address);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect([pin.heardAtMs, pin.dropped]).toEqual([0, 0]);
    turn.send(turn.channelData(alert));
    await expect.poll(() => pin.heardAtMs).toBeGreaterThan(0);
    stranger.close();
    await connection.close();
  });

  test('drops what its server forwards of anybody but the student', async () => {
    const wire = await open();
    turn.send(turn.dataIndication({ address: '127.0.0.1', port: 50_001 }, Buffer.from('15fefd000000000000000000020100', 'hex')));
    await expect.poll(() => pin.dropped).toBe(1);
    expect(pin.heardAtMs).toBe(0);
    await wire.close();
  });
});

describe.each(['embedded', 'coturn'] as const)('the %s relay', (kind: RelayKind) => {
  describeWith(kind === 'embedded' || coturnAvailable, 'coturn')('with six ports', () => {
    test('serves wave after wave of connections, though each wave takes all of its ports', async () => {
      await using relay = await startRelay(kind, { layout: 'port-range', engineRelay: true });
      const engineRelay = { url: relay.plan.localUrl, ...relay.credential(engineUser) };
      const [first, last] = relay.plan.relayPorts;
      let nth = 0;
      const attempt = async () => {
        nth += 1;
        return openRelayWire({ ...ports, engineRelay, pin: new SourcePin(), nth }).catch(() => null);
      };
      for (let wave = 0; wave < 3; wave += 1) {
        const wires: LocalWire[] = [];
        while (wires.length < last - first + 1) {
          // A port that was given back is free within a second.
          await expect
            .poll(async () => wires.push(...[await attempt()].filter((wire) => wire !== null)), { timeout: 5_000 })
            .toBeGreaterThan(wires.length);
        }
        expect(await attempt()).toBeNull();
        await Promise.all(wires.map((wire) => wire.close()));
      }
    });
  });
});

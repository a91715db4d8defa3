import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { TutorError } from '../errors.ts';
import type { WebrtcConfig } from '../media-contract.ts';
import { type ConnectedPeer, MediaConnection } from './media-connection.ts';
import type { StatsSample } from './stats.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const config: WebrtcConfig = {
  iceServers: [{ urls: ['turn:school.test:10110'], username: 'u', credential: 'c' }],
  iceTransportPolicy: 'relay',
  expiresAt: '2030-01-01T00:00:00.000Z',
  publicIp: '127.0.0.1',
  portRange: { min: 10_110, max: 10_110 },
  voice: { speaks: true, listens: true, face: true, missing: [] },
};

/** A network and an engine that do as they are told, and what became of it. */
class World {
  /** Packets flow through the newest way of the newest peer. */
  flows = true;
  /** Only a new way, or a new peer, gets through again. */
  healsBy: 'itself' | 'restart' | 'replace' = 'itself';
  refusal: TutorError | null = null;
  /** The newest peer's way no longer passes the relay. */
  strays = false;
  /** Of the newest restart: aborted, its offer does not reach the engine. */
  restarted: AbortSignal | null = null;
  readonly told: string[] = [];
  readonly ways: string[] = [];
  readonly peerIds = new Set<string>();
  open = 0;
  readonly #startedAt = Date.now();
  readonly connection: MediaConnection<ConnectedPeer>;

  constructor(voice: WebrtcConfig['voice'] = config.voice) {
    this.connection = new MediaConnection<ConnectedPeer>({
      config: async () => ({ ...config, voice }),
      negotiate: async () => '',
      open: async ({ peerId, way }) => {
        this.ways.push(way);
        if (this.refusal !== null) throw this.refusal;
        this.peerIds.add(peerId);
        if (this.healsBy === 'replace') this.flows = true;
        this.strays = false;
        return this.#peer();
      },
      onConfig: () => {},
      onConnected: () => this.#tell('connected'),
      onLost: () => this.#tell('lost'),
      onFailed: (error, retrying) => this.#tell(`failed ${error?.code ?? '-'} ${retrying}`),
      now: () => Date.now(),
    });
  }

  #tell(what: string): void {
    this.told.push(`${Date.now() - this.#startedAt} ${what}`);
  }

  #peer(): ConnectedPeer {
    this.open += 1;
    let packets = 0;
    let closed = false;
    return {
      sample: async () => {
        if (this.strays) throw new TutorError('media_blocked', 'the connection does not pass the relay');
        if (this.flows) packets += 1;
        const sample: StatsSample = { atMs: Date.now(), packets, lost: 0, bytes: 0, frames: 0, jitterMs: null, rttMs: null, relayed: true };
        return sample;
      },
      restart: async (_, signal) => {
        this.restarted = signal;
        this.#tell('restart');
        if (this.healsBy === 'restart') this.flows = true;
      },
      close: () => {
        if (!closed) this.open -= 1;
        closed = true;
      },
    };
  }
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

test('a connection that works is watched and otherwise left alone', async () => {
  const world = new World();
  await pass(600_000);
  expect(world.told).toEqual(['0 connected']);
  world.connection.stop();
  expect(world.open).toBe(0);
});

test('a new way through the network is enough when it is', async () => {
  const world = new World();
  await pass(3_000);
  world.flows = false;
  world.healsBy = 'restart';
  await pass(4_000);
  expect(world.told).toEqual(['0 connected', '4500 lost', '4500 restart', '4800 connected']);
  expect(world.peerIds.size).toBe(1);
  world.connection.stop();
});

test('after 3 s without a packet the peer is replaced by one of another id', async () => {
  const world = new World();
  await pass(3_000);
  world.flows = false;
  world.healsBy = 'replace';
  await pass(4_000);
  expect(world.told).toEqual(['0 connected', '4500 lost', '4500 restart', '6000 connected']);
  expect(world.peerIds.size).toBe(2);
  expect(world.open).toBe(1);
  world.connection.stop();
});

test('an offer of a peer that was replaced does not follow the one of its replacement', async () => {
  const world = new World();
  await pass(3_000);
  world.flows = false;
  world.healsBy = 'replace';
  await pass(2_000);
  expect(world.restarted?.aborted).toBe(false);
  await pass(2_000);
  expect(world.restarted?.aborted).toBe(true);
  world.connection.stop();
});

test('a peer that leaves the relay is replaced at once', async () => {
  const world = new World();
  await pass(3_000);
  world.strays = true;
  await pass(300);
  expect(world.told).toEqual(['0 connected', '3300 lost', '3300 connected']);
  expect(world.peerIds.size).toBe(2);
  expect(world.open).toBe(1);
  world.connection.stop();
});

test('an outage of 8 s is one for text, and it is tried again until it is over', async () => {
  const world = new World();
  await pass(3_000);
  world.flows = false;
  world.refusal = new TutorError('relay_unavailable', 'gone');
  await pass(60_000);
  expect(world.told.at(-1)).toBe('11000 failed relay_unavailable true');
  expect(world.ways.length).toBeGreaterThan(8);
  expect(new Set(world.ways.slice(1))).toEqual(new Set(['udp', 'tcp']));
  world.refusal = null;
  world.flows = true;
  await pass(17_000);
  expect(world.told.at(-1)).toMatch(/ connected$/);
  world.connection.stop();
});

test('what would fail again is not tried again', async () => {
  const refused = new World();
  refused.refusal = new TutorError('media_blocked', 'no');
  const empty = new World({ speaks: false, listens: false, face: false, missing: [] });
  await pass(60_000);
  expect(refused.told).toEqual(['0 failed media_blocked false']);
  expect(refused.ways).toHaveLength(1);
  expect(empty.told).toEqual(['0 failed media_unavailable false']);
  expect(empty.ways).toHaveLength(0);
});

test('a full engine is asked again when it said to', async () => {
  const world = new World();
  world.refusal = new TutorError('capacity_exceeded', 'full', { retryAfterMs: 10_000 });
  await pass(9_900);
  expect(world.ways).toHaveLength(1);
  world.refusal = null;
  await pass(200);
  expect(world.told).toEqual(['8000 failed capacity_exceeded true', '10000 connected']);
  world.connection.stop();
});

test('a network that comes back is not kept waiting', async () => {
  const world = new World();
  world.refusal = new TutorError('capacity_exceeded', 'full', { retryAfterMs: 10_000 });
  await pass(1_000);
  world.refusal = null;
  world.connection.nudge();
  await pass(1);
  expect(world.told).toEqual(['1000 connected']);
  world.connection.stop();
});

test('once stopped it does nothing more, whatever was under way', async () => {
  const world = new World();
  world.connection.stop();
  await pass(60_000);
  expect(world.told).toEqual([]);
  expect(world.open).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
});

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { credentialOf } from './credentials.ts';
import type { RelayOptions } from './relay-client.ts';
import { RelayDoor } from './relay-door.ts';
import {
  attribute,
  decodeStun,
  encodeStun,
  errorCodeOf,
  longTermKey,
  method,
  type StunAttribute,
  type StunMessage,
  textOf,
} from './stun.ts';

const realm = 'virtual-tutor';
const secret = 'shared';
const minute = 60_000;
const options: RelayOptions = {
  realm,
  secret,
  user: null,
  relayAddress: '127.0.0.1',
  relayPorts: [31_000, 31_999],
  peers: { address: '127.0.0.1', ports: [20_000, 20_999] },
  quotas: { perUser: 3, total: 50, bytesPerSecond: 400_000 },
  nowSeconds: () => Math.floor(Date.now() / 1000),
};
const udp = { type: attribute.requestedTransport, value: new Uint8Array([17, 0, 0, 0]) };

/** A client that speaks to the door itself, so that time can be turned. */
class Caller {
  readonly #door: RelayDoor;
  readonly #key: string;
  readonly #address: string;
  readonly #credential: ReturnType<typeof credentialOf>;
  #transactions = 0;
  #nonce: string | null = null;
  #answered: (message: StunMessage) => void = () => {};
  dismissed = false;

  constructor(
    door: RelayDoor,
    {
      name,
      address = '198.51.100.7',
      ttlSeconds = 300,
    }: { readonly name: string; readonly address?: string; readonly ttlSeconds?: number },
  ) {
    this.#door = door;
    this.#key = `udp ${address} ${name}`;
    this.#address = address;
    this.#credential = credentialOf(secret, name, options.nowSeconds() + ttlSeconds);
  }

  say(bytes: Uint8Array): void {
    this.#door.receive(this.#key, bytes, () => ({
      key: this.#key,
      source: { address: this.#address, port: 4_000 },
      send: (answer) => {
        const message = decodeStun(answer);
        if (message !== null) this.#answered(message);
      },
      dismiss: () => {
        this.dismissed = true;
      },
    }));
  }

  /** Error code, 0 for success. A challenge is followed once, when there was none before. */
  async ask(number: number, attributes: readonly StunAttribute[]): Promise<number> {
    const first = await this.#exchange(number, attributes);
    const nonce = textOf(first, attribute.nonce);
    if (errorCodeOf(first) !== 401 || nonce === null || this.#nonce !== null) return errorCodeOf(first) ?? 0;
    this.#nonce = nonce;
    return errorCodeOf(await this.#exchange(number, attributes)) ?? 0;
  }

  allocate(extra: readonly StunAttribute[] = [udp]): Promise<number> {
    return this.ask(method.allocate, extra);
  }

  refresh(): Promise<number> {
    return this.ask(method.refresh, []);
  }

  #exchange(number: number, attributes: readonly StunAttribute[]): Promise<StunMessage> {
    this.#transactions += 1;
    const transactionId = new Uint8Array(12).fill(this.#transactions % 256).fill(this.#transactions >> 8, 6);
    const { username, credential } = this.#credential;
    const signature = [
      { type: attribute.username, value: Buffer.from(username) },
      { type: attribute.realm, value: Buffer.from(realm) },
      { type: attribute.nonce, value: Buffer.from(this.#nonce ?? '') },
    ];
    const signed = this.#nonce !== null;
    const all = signed ? [...attributes, ...signature] : attributes;
    const bytes = encodeStun(
      { method: number, kind: 'request', transactionId, attributes: all },
      signed ? longTermKey(username, realm, credential) : null,
    );
    return new Promise((resolve) => {
      this.#answered = resolve;
      this.say(bytes);
    });
  }
}

/** Turns the clock and what hangs on it; sockets go on as they are. */
beforeEach(() => {
  vi.useFakeTimers({
    toFake: ['Date', 'performance', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'],
    now: 1_800_000_000_000,
  });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('over a long lesson', () => {
  test('one nonce and one credential of five minutes last for sixty-five minutes of refreshing', async () => {
    using door = new RelayDoor(options);
    const caller = new Caller(door, { name: 'session-1' });
    expect(await caller.allocate()).toBe(0);
    for (let minutes = 0; minutes < 65; minutes += 0.4) {
      vi.advanceTimersByTime(0.4 * minute);
      expect(await caller.refresh()).toBe(0);
    }
    expect(caller.dismissed).toBe(false);
  });

  test('a browser that falls silent is out after half a minute, and its port with it', async () => {
    using door = new RelayDoor({ ...options, relayPorts: [31_500, 31_500], quotas: { ...options.quotas, total: 1 } });
    const gone = new Caller(door, { name: 'session-1' });
    expect(await gone.allocate()).toBe(0);
    const waiting = new Caller(door, { name: 'session-2' });
    expect(await waiting.allocate()).toBe(486);
    vi.advanceTimersByTime(29_000);
    expect(gone.dismissed).toBe(false);
    vi.advanceTimersByTime(4_000);
    expect(gone.dismissed).toBe(true);
    expect(await new Caller(door, { name: 'session-2' }).allocate()).toBe(0);
  });
});

describe('what is asked for beside a plain relay port', () => {
  const byte = (value: number) => new Uint8Array([value, 0, 0, 0]);
  test.each([
    ['a TCP relay', [{ type: attribute.requestedTransport, value: byte(6) }]],
    ['an IPv6 relay', [udp, { type: attribute.requestedAddressFamily, value: byte(2) }]],
    ['an even port', [udp, { type: attribute.evenPort, value: byte(0) }]],
    ['an even port and the one after it', [udp, { type: attribute.evenPort, value: byte(0x80) }]],
    ['a port reserved by another', [udp, { type: attribute.reservationToken, value: new Uint8Array(8) }]],
  ])('%s is refused, and counts for nothing', async (_what, extra) => {
    using door = new RelayDoor({ ...options, quotas: { ...options.quotas, total: 1 } });
    const caller = new Caller(door, { name: 'session-1' });
    expect(await caller.allocate(extra)).toBe(403);
    expect(await caller.allocate()).toBe(0);
  });
});

test('a port that the system does not give is an answer, and counts for nothing', async () => {
  const taken = createSocket('udp4').bind(31_700, '127.0.0.1');
  await once(taken, 'listening');
  using door = new RelayDoor({ ...options, relayPorts: [31_700, 31_700], quotas: { ...options.quotas, total: 1 } });
  const caller = new Caller(door, { name: 'session-1' });
  expect(await caller.allocate()).toBe(508);
  taken.close();
  await once(taken, 'close');
  expect(await caller.allocate()).toBe(0);
  expect(await new Caller(door, { name: 'session-2' }).allocate()).toBe(486);
});

describe('a flood of strangers', () => {
  const first = encodeStun({ method: method.allocate, kind: 'request', transactionId: new Uint8Array(12), attributes: [udp] }, null);

  test('is bounded, makes its own oldest leave, and leaves who has allocated alone', async () => {
    using door = new RelayDoor(options);
    const student = new Caller(door, { name: 'session-1' });
    expect(await student.allocate()).toBe(0);
    for (let at = 0; at < 10_000; at += 1) new Caller(door, { name: `${at}`, address: `10.${at >> 8}.${at & 255}.1` }).say(first);
    expect(door.guests).toBe(2_001);
    expect(await student.refresh()).toBe(0);
    expect(await new Caller(door, { name: 'session-2' }).allocate()).toBe(0);
    vi.advanceTimersByTime(13_000);
    expect(door.guests).toBe(2);
  });

  test('from one address is bounded more closely', () => {
    using door = new RelayDoor(options);
    for (let at = 0; at < 1_000; at += 1) new Caller(door, { name: `${at}` }).say(first);
    expect(door.guests).toBe(200);
  });

  test('of noise is nobody', () => {
    using door = new RelayDoor(options);
    for (let at = 0; at < 5_000; at += 1) {
      const noise = Buffer.alloc(at % 200, at * 7);
      if (noise.length > 0) noise[0] = at % 256;
      new Caller(door, { name: `${at}`, address: `10.${at >> 8}.${at & 255}.1` }).say(noise);
    }
    expect(door.guests).toBe(0);
  });
});

test('a hundred thousand damaged messages of one client disturb no other', async () => {
  using door = new RelayDoor(options);
  const student = new Caller(door, { name: 'session-1' });
  const hostile = new Caller(door, { name: 'session-2' });
  expect([await student.allocate(), await hostile.allocate()]).toEqual([0, 0]);
  const seeds = [method.allocate, method.refresh, method.createPermission, method.channelBind].map((number) =>
    encodeStun(
      {
        method: number,
        kind: 'request',
        transactionId: new Uint8Array(12),
        attributes: [udp, { type: attribute.xorPeerAddress, value: new Uint8Array(8) }],
      },
      new Uint8Array(16),
    ),
  );
  let state = 42;
  const random = (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  for (let at = 0; at < 100_000; at += 1) {
    const bytes = Buffer.from(seeds[at % seeds.length] ?? []);
    for (let damage = random(4); damage >= 0; damage -= 1) bytes[random(bytes.length)] = random(256);
    hostile.say(bytes.subarray(0, random(bytes.length + 1)));
  }
  expect(await student.refresh()).toBe(0);
  expect(door.guests).toBe(2);
});

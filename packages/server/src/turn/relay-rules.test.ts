import { describe, expect, test } from 'vitest';
import { credentialOf } from './credentials.ts';
import { Allowance, bindingAnswer, isAllowedPeer, knockOf, Ledger, maxMessageBytes, passwordFor } from './relay-rules.ts';
import { attribute, decodeStun, encodeStun, method, type StunClass } from './stun.ts';

const transactionId = new Uint8Array(12).fill(9);
const message = (
  number: number,
  kind: StunClass = 'request',
  attributes: readonly { readonly type: number; readonly value: Uint8Array }[] = [],
) => encodeStun({ method: number, kind, transactionId, attributes }, null);
const channelData = (length: number, claimed = length) => Buffer.from([0x40, 0, claimed >> 8, claimed & 255, ...new Uint8Array(length)]);

describe('the door', () => {
  test('lets a stranger ask where he is and for an allocation, and nothing else', () => {
    expect(knockOf(message(method.allocate))).toBe('allocate');
    expect(knockOf(message(method.binding))).toBe('binding');
    for (const number of [method.refresh, method.createPermission, method.channelBind]) expect(knockOf(message(number))).toBe('other');
    expect(knockOf(message(method.send, 'indication'))).toBe('other');
    expect(knockOf(channelData(8))).toBe('other');
  });

  test.each([
    ['a TCP connection to a peer (RFC 6062)', message(0x00a)],
    ['the binding of one', message(0x00b)],
    ['an answer, which only servers give', message(method.allocate, 'success')],
    ['an indication that only servers send', message(method.data, 'indication')],
    ['nothing', Buffer.alloc(0)],
    ['half a header', message(method.allocate).subarray(0, 19)],
    ['another cookie', Buffer.from(message(method.allocate)).fill(0, 4, 8)],
    ['a message with more behind it', Buffer.concat([message(method.allocate), Buffer.alloc(4)])],
    ['a message longer than it says', message(method.allocate, 'request', [{ type: 1, value: new Uint8Array(8) }]).subarray(0, -4)],
    ['channel data cut short', channelData(4, 9)],
    ['a DTLS record', Buffer.from([22, 254, 253, 0, 0])],
    ['an RTP packet', Buffer.from([0x80, 0x60, 0, 1])],
    ['more than a datagram of media', channelData(maxMessageBytes)],
  ])('drops %s', (_what, bytes) => {
    expect(knockOf(bytes)).toBeNull();
  });

  test('drops a message with something after its signature, which anybody on the way may have added', () => {
    const signed = encodeStun({ method: method.refresh, kind: 'request', transactionId, attributes: [] }, new Uint8Array(16));
    expect(knockOf(signed)).toBe('other');
    const added = Buffer.concat([signed, Buffer.from([0, attribute.lifetime, 0, 4, 0, 0, 0, 0])]);
    added.writeUInt16BE(added.length - 20, 2);
    expect(knockOf(added)).toBeNull();
  });
});

test.each([
  ['203.0.113.7', 40_000, '0001bd52ea12d545'],
  ['2001:db8::7', 40_000, '0002bd520113a9fa09090909090909090909090e'],
])('%s is told where it is, in an answer hardly longer than its question', (address, port, value) => {
  const answer = bindingAnswer(message(method.binding), { address, port });
  const decoded = decodeStun(answer);
  expect(decoded).toMatchObject({ method: method.binding, kind: 'success' });
  expect(Buffer.from(decoded?.attributes[0]?.value ?? []).toString('hex')).toBe(value);
  expect(answer.length).toBeLessThanOrEqual(44);
});

describe('a peer', () => {
  const peers = { address: '127.0.0.1', ports: [20_000, 20_999] } as const;

  test.each([
    ['127.0.0.1', 20_000, true],
    ['127.0.0.1', 20_999, true],
    ['127.0.0.1', 19_999, false],
    ['127.0.0.1', 21_000, false],
    ['127.0.0.1', 0, false],
    ['127.0.0.2', 20_000, false],
    ['::ffff:127.0.0.1', 20_000, false],
    ['::ffff:7f00:1', 20_000, false],
  ])('%s port %i: allowed is %s', (address, port, allowed) => {
    expect(isAllowedPeer(peers, { address, port })).toBe(allowed);
  });
});

describe('a password', () => {
  const keeper = { secret: 'shared', user: { username: 'tutor', password: 'fixed' } };
  const { username, credential } = credentialOf('shared', 'session-1', 1_000);

  test('is what coturn computes: base64 of HMAC-SHA1 over the user name', () => {
    // printf '1000:session-1' | openssl dgst -sha1 -hmac shared -binary | base64
    expect(credential).toBe('lP/iGJ2ocF39fGPJ5iJ/s0UDf7A=');
    expect(passwordFor(username, keeper, { seconds: 999, holds: false })).toBe(credential);
  });

  test('is none from its last second on, except for who holds something already', () => {
    expect(passwordFor(username, keeper, { seconds: 1_000, holds: false })).toBeNull();
    expect(passwordFor(username, keeper, { seconds: 5_000, holds: true })).toBe(credential);
  });

  test.each(['', 'session-1', ':session-1', '1000:', 'soon:session-1', '-5:x', '1e9:x', '9999999999999:x'])('is none for %j', (name) => {
    expect(passwordFor(name, keeper, { seconds: 0, holds: false })).toBeNull();
  });

  test('of the fixed user is fixed', () => {
    expect(passwordFor('tutor', keeper, { seconds: 9, holds: false })).toBe('fixed');
    expect(passwordFor('tutor', { ...keeper, user: null }, { seconds: 9, holds: false })).toBeNull();
  });
});

describe('the ledger', () => {
  const quotas = { perUser: 2, total: 5, bytesPerSecond: 1 };

  test('counts a session over all its credentials', () => {
    const ledger = new Ledger(quotas, []);
    expect([1, 2, 3].map((expiry) => ledger.take({}, `${expiry}:session-1`))).toEqual([true, true, false]);
    expect(ledger.take({}, '1:session-2')).toBe(true);
  });

  test('lets nobody past the total, not even the engine', () => {
    const ledger = new Ledger(quotas, []);
    expect(Array.from({ length: 6 }, () => ledger.take({}, '1:engine'))).toEqual([true, true, true, true, true, false]);
    expect(ledger.total).toBe(5);
  });

  test('gives a place back once, however often it is given', () => {
    const ledger = new Ledger(quotas, []);
    const holders = [{}, {}];
    for (const holder of holders) ledger.take(holder, '1:session-1');
    for (let times = 0; times < 3; times += 1) ledger.release(holders[0] ?? {});
    ledger.release({});
    expect(ledger.total).toBe(1);
    expect([ledger.take({}, '1:session-1'), ledger.take({}, '1:session-1')]).toEqual([true, false]);
  });
});

test('an allowance is a second at once, and after that its rate', () => {
  const allowance = new Allowance(1_000, 0);
  expect([allowance.take(600, 0), allowance.take(600, 0), allowance.take(400, 0)]).toEqual([true, false, true]);
  expect([allowance.take(101, 100), allowance.take(100, 100)]).toEqual([false, true]);
  expect([allowance.take(1_001, 60_000), allowance.take(1_000, 60_000)]).toEqual([false, true]);
});

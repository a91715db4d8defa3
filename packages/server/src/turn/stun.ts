import { createHash, createHmac } from 'node:crypto';
import { isIPv6 } from 'node:net';

/* STUN messages (RFC 8489 section 5) as far as a TURN client needs them, and a strict reading for the relay's door. */

export const method = {
  binding: 0x001,
  allocate: 0x003,
  refresh: 0x004,
  send: 0x006,
  data: 0x007,
  createPermission: 0x008,
  channelBind: 0x009,
} as const;

export const attribute = {
  username: 0x0006,
  messageIntegrity: 0x0008,
  errorCode: 0x0009,
  channelNumber: 0x000c,
  lifetime: 0x000d,
  xorPeerAddress: 0x0012,
  data: 0x0013,
  realm: 0x0014,
  nonce: 0x0015,
  xorRelayedAddress: 0x0016,
  requestedAddressFamily: 0x0017,
  evenPort: 0x0018,
  requestedTransport: 0x0019,
  xorMappedAddress: 0x0020,
  reservationToken: 0x0022,
  fingerprint: 0x8028,
} as const;

const classes = ['request', 'indication', 'success', 'error'] as const;
export type StunClass = (typeof classes)[number];

export interface StunAttribute {
  readonly type: number;
  readonly value: Uint8Array;
}

export interface StunMessage {
  readonly method: number;
  readonly kind: StunClass;
  /** 12 bytes. */
  readonly transactionId: Uint8Array;
  readonly attributes: readonly StunAttribute[];
}

export interface TransportAddress {
  readonly address: string;
  readonly port: number;
}

export const headerBytes = 20;
const cookie = 0x2112a442;

/** Method and class share 14 bits, interleaved: RFC 8489, figure 3. */
function typeOf(kind: StunClass, number: number): number {
  const bits = classes.indexOf(kind);
  return ((number & 0xf80) << 2) | ((bits & 2) << 7) | ((number & 0x070) << 1) | ((bits & 1) << 4) | (number & 0x00f);
}

/** `key`: signs with MESSAGE-INTEGRITY; null: unsigned. */
export function encodeStun(message: StunMessage, key: Uint8Array | null): Buffer {
  const body = Buffer.concat(message.attributes.map(encodeAttribute));
  const header = Buffer.alloc(headerBytes);
  header.writeUInt16BE(typeOf(message.kind, message.method), 0);
  header.writeUInt32BE(cookie, 4);
  header.set(message.transactionId, 8);
  header.writeUInt16BE(body.length + (key === null ? 0 : 24), 2);
  const unsigned = Buffer.concat([header, body]);
  if (key === null) return unsigned;
  const mac = createHmac('sha1', key).update(unsigned).digest();
  return Buffer.concat([unsigned, encodeAttribute({ type: attribute.messageIntegrity, value: mac })]);
}

function encodeAttribute({ type, value }: StunAttribute): Buffer {
  const padded = Buffer.alloc(4 + Math.ceil(value.length / 4) * 4);
  padded.writeUInt16BE(type, 0);
  padded.writeUInt16BE(value.length, 2);
  padded.set(value, 4);
  return padded;
}

/**
 * Null unless it is one whole message, and nothing but FINGERPRINT follows what its integrity covers: what
 * follows could have been put there by anybody on the way.
 */
export function decodeStun(bytes: Uint8Array): StunMessage | null {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.length < headerBytes || buffer.readUInt32BE(4) !== cookie) return null;
  const type = buffer.readUInt16BE(0);
  if (type > 0x3fff || buffer.readUInt16BE(2) !== buffer.length - headerBytes || buffer.length % 4 !== 0) return null;
  const attributes: StunAttribute[] = [];
  let signed = false;
  for (let at = headerBytes; at < buffer.length; ) {
    if (at + 4 > buffer.length) return null;
    const one = buffer.readUInt16BE(at);
    const length = buffer.readUInt16BE(at + 2);
    if (at + 4 + length > buffer.length || (signed && one !== attribute.fingerprint)) return null;
    attributes.push({ type: one, value: buffer.subarray(at + 4, at + 4 + length) });
    signed ||= one === attribute.messageIntegrity;
    at += 4 + Math.ceil(length / 4) * 4;
  }
  const kind = classes[((type >> 7) & 2) | ((type >> 4) & 1)];
  if (kind === undefined) return null;
  const number = ((type & 0x3e00) >> 2) | ((type & 0x00e0) >> 1) | (type & 0x000f);
  return { method: number, kind, transactionId: buffer.subarray(8, headerBytes), attributes };
}

export function attributeOf(message: StunMessage, type: number): Uint8Array | null {
  return message.attributes.find((one) => one.type === type)?.value ?? null;
}

export function textOf(message: StunMessage, type: number): string | null {
  const value = attributeOf(message, type);
  return value === null ? null : Buffer.from(value).toString('utf8');
}

/** 300 to 699; null when the message names no error. */
export function errorCodeOf(message: StunMessage): number | null {
  const value = attributeOf(message, attribute.errorCode);
  return value === null || value.length < 4 ? null : ((value[2] ?? 0) & 7) * 100 + (value[3] ?? 0);
}

/** IPv4 alone; null for anything else. */
export function addressOf(message: StunMessage, type: number): TransportAddress | null {
  const value = attributeOf(message, type);
  if (value === null || value.length !== 8 || value[1] !== 1) return null;
  const plain = Buffer.from(value);
  plain.writeUInt16BE(plain.readUInt16BE(2) ^ (cookie >>> 16), 2);
  plain.writeUInt32BE((plain.readUInt32BE(4) ^ cookie) >>> 0, 4);
  return { address: plain.subarray(4).join('.'), port: plain.readUInt16BE(2) };
}

/** The value of an XOR address attribute: RFC 8489, section 14.2. */
export function xorAddress({ address, port }: TransportAddress, transactionId: Uint8Array): Buffer {
  const bytes = isIPv6(address) ? ipv6Bytes(address) : Buffer.from(address.split('.').map(Number));
  const mask = Buffer.alloc(16);
  mask.writeUInt32BE(cookie);
  mask.set(transactionId, 4);
  const value = Buffer.concat([Buffer.from([0, isIPv6(address) ? 2 : 1, 0, 0]), bytes.map((byte, at) => byte ^ (mask[at] ?? 0))]);
  value.writeUInt16BE(port ^ (cookie >>> 16), 2);
  return value;
}

function ipv6Bytes(text: string): Buffer {
  // The URL parser writes every form, dotted quads too, in groups of hexadecimal digits.
  const [left = '', right = ''] = new URL(`http://[${text.replace(/%.*/, '')}]`).hostname.slice(1, -1).split('::');
  const groups = (half: string) => (half === '' ? [] : half.split(':'));
  const gap = Array.from({ length: 8 - groups(left).length - groups(right).length }, () => '0');
  const all = [...groups(left), ...gap, ...groups(right)];
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex');
}

/** Key of the long-term credential mechanism: RFC 8489, section 9.2.2. */
export function longTermKey(username: string, realm: string, password: string): Buffer {
  return createHash('md5').update(`${username}:${realm}:${password}`).digest();
}

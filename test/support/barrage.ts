import type { Random } from './seeded.ts';

export const datagramKinds = ['stun', 'dtls', 'rtp', 'rtcp', 'channel', 'noise'] as const;
export type DatagramKind = (typeof datagramKinds)[number];

const magic = Buffer.from('2112a442', 'hex');
const longest = 1_400;

/** Malformed datagrams of every kind that shares a port in WebRTC (RFC 7983): well begun, then wrong. */
export class Barrage {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  next(kind: DatagramKind): Buffer {
    const datagram = this.#of(kind);
    // Some are cut short, some have bytes turned.
    if (this.#random() < 0.2) return datagram.subarray(0, this.#below(datagram.length + 1));
    for (let turns = this.#below(4); turns > 0; turns -= 1) datagram[this.#below(datagram.length)] = this.#below(256);
    return datagram;
  }

  #of(kind: DatagramKind): Buffer {
    switch (kind) {
      case 'stun':
        return this.#stun();
      case 'dtls':
        return this.#dtls();
      case 'rtp':
        return Buffer.concat([Buffer.from([0x80 | this.#below(32), this.#below(128)]), this.#noise(10 + this.#below(200))]);
      case 'rtcp':
        return this.#rtcp();
      case 'channel':
        return Buffer.concat([Buffer.from([0x40, this.#below(4), 0, this.#below(64)]), this.#dtls()]);
      case 'noise':
        return this.#noise(1 + this.#below(longest));
    }
  }

  #stun(): Buffer {
    const attributes: Buffer[] = [];
    for (let left = this.#below(5); left > 0; left -= 1) {
      const value = this.#noise(this.#below(40));
      const type = this.#pick([
        0x0001, 0x0006, 0x0008, 0x0009, 0x0012, 0x0013, 0x0014, 0x0015, 0x0020, 0x0024, 0x0025, 0x8028, 0x8029, 0x802a,
      ]);
      const declared = this.#random() < 0.8 ? value.length : this.#below(65_536);
      attributes.push(this.#uint16(type), this.#uint16(declared), value, Buffer.alloc((4 - (value.length % 4)) % 4));
    }
    const body = Buffer.concat(attributes);
    const type = this.#pick([0x0001, 0x0101, 0x0111, 0x0011, 0x0003, 0x0103, 0x0113, 0x0016, 0x0017]);
    const length = this.#random() < 0.8 ? body.length : this.#below(65_536);
    return Buffer.concat([this.#uint16(type), this.#uint16(length), magic, this.#noise(12), body]);
  }

  #dtls(): Buffer {
    const body = this.#noise(this.#below(120));
    const type = this.#pick([20, 21, 22, 23, 24, 25, 63]);
    const epoch = this.#below(3);
    const sequence = this.#noise(6);
    const declared = this.#random() < 0.8 ? body.length : this.#below(65_536);
    return Buffer.concat([
      Buffer.from([type, 0xfe, this.#pick([0xfd, 0xff])]),
      this.#uint16(epoch),
      sequence,
      this.#uint16(declared),
      body,
    ]);
  }

  #rtcp(): Buffer {
    const body = this.#noise(4 + 4 * this.#below(30));
    const type = this.#pick([200, 201, 202, 203, 204, 205, 206, 207]);
    const declared = this.#random() < 0.8 ? body.length / 4 : this.#below(65_536);
    return Buffer.concat([Buffer.from([0x80 | this.#below(32), type]), this.#uint16(declared), body]);
  }

  #noise(bytes: number): Buffer {
    return Buffer.from(Array.from({ length: bytes }, () => this.#below(256)));
  }

  #uint16(value: number): Buffer {
    const bytes = Buffer.alloc(2);
    bytes.writeUInt16BE(value);
    return bytes;
  }

  #below(bound: number): number {
    return Math.floor(this.#random() * bound);
  }

  #pick(values: readonly number[]): number {
    return values[this.#below(values.length)] ?? 0;
  }
}

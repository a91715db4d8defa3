/** What comes out: a packet, one that never came, or silence that the sender did not send. */
export type OrderedPacket =
  | { readonly type: 'packet'; readonly payload: Uint8Array }
  | { readonly type: 'lost' }
  | { readonly type: 'silence'; readonly samples: number };

export interface ArrivedPacket {
  readonly payload: Uint8Array;
  /** 16 bits. */
  readonly sequence: number;
  /** 48 kHz, 32 bits. */
  readonly timestamp: number;
}

/** Packets that wait for one before them: 60 ms. */
const patience = 3;
/** Losses in a row that are concealed; beyond that there is silence. */
const mostConcealed = 5;
/** A jump further than this is another stream, packets. */
const farthest = 100;
/** Longest pause of a sender that is kept, samples at 48 kHz: silence ends an utterance long before. */
const longestPause = 96_000;
/** Longest Opus packet, samples at 48 kHz: 120 ms. */
const longestPacket = 5_760;

/** From `b` to `a`, with 16 bits. */
function distance(a: number, b: number): number {
  return ((a - b + 0x8000) & 0xffff) - 0x8000;
}

/**
 * Puts one microphone's packets in order: waits a little for a late one, then calls it lost. Bounded:
 * never more than `patience` packets wait.
 */
export class PacketOrder {
  #waiting: ArrivedPacket[] = [];
  #expected: number | null = null;
  #lastTimestamp = 0;

  push(packet: ArrivedPacket): readonly OrderedPacket[] {
    const ahead = this.#expected === null ? 0 : distance(packet.sequence, this.#expected);
    if (this.#expected === null || Math.abs(ahead) > farthest) return this.#begin(packet);
    if (ahead < 0 || this.#waiting.some(({ sequence }) => sequence === packet.sequence)) return [];
    this.#waiting.push(packet);
    this.#waiting.sort((a, b) => distance(a.sequence, b.sequence));
    return this.#drain();
  }

  #begin(packet: ArrivedPacket): readonly OrderedPacket[] {
    this.#waiting = [];
    return [this.#pass(packet)];
  }

  #pass({ payload, sequence, timestamp }: ArrivedPacket): OrderedPacket {
    this.#expected = (sequence + 1) & 0xffff;
    this.#lastTimestamp = timestamp;
    return { type: 'packet', payload };
  }

  #drain(): readonly OrderedPacket[] {
    const out: OrderedPacket[] = [];
    for (let [first] = this.#waiting; first !== undefined; [first] = this.#waiting) {
      const missing = this.#expected === null ? 0 : distance(first.sequence, this.#expected);
      if (missing > 0 && this.#waiting.length < patience) break;
      out.push(...this.#before(first, missing));
      out.push(this.#pass(first));
      this.#waiting.shift();
    }
    return out;
  }

  /** What belongs between the last packet and this one. */
  #before(packet: ArrivedPacket, missing: number): readonly OrderedPacket[] {
    if (missing > 0) return Array.from({ length: Math.min(missing, mostConcealed) }, () => ({ type: 'lost' }) as const);
    const pause = (packet.timestamp - this.#lastTimestamp) >>> 0;
    // Discontinuous transmission: consecutive numbers, but time has passed.
    return pause > longestPacket && pause < 0x8000_0000 ? [{ type: 'silence', samples: Math.min(pause, longestPause) }] : [];
  }
}

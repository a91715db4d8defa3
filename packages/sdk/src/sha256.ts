const blockBytes = 64;
const rounds = 64;

function firstPrimes(count: number): number[] {
  const primes: number[] = [];
  for (let n = 2; primes.length < count; n += 1) if (primes.every((prime) => n % prime !== 0)) primes.push(n);
  return primes;
}

/** First 32 bits of its fractional part. */
const fractionOf = (root: number): number => Math.floor((root % 1) * 2 ** 32);
const primes = firstPrimes(rounds);
/** FIPS 180-4 sections 4.2.2 and 5.3.3. */
const constants = Int32Array.from(primes, (prime) => fractionOf(Math.cbrt(prime)));
const beginning = Int32Array.from(primes.slice(0, 8), (prime) => fractionOf(Math.sqrt(prime)));

const wordAt = (words: Int32Array, at: number): number => words[at] ?? 0;
const turned = (word: number, bits: number): number => (word >>> bits) | (word << (32 - bits));

/**
 * SHA-256 (FIPS 180-4) of bytes that come piece by piece. WebCrypto wants all of them at once, too much memory for a clip,
 * and is not there on plain `http` pages.
 */
export class Sha256 {
  readonly #state = Int32Array.from(beginning);
  readonly #schedule = new Int32Array(rounds);
  /** What does not fill a block yet. */
  readonly #rest = new Uint8Array(blockBytes);
  #bytes = 0;

  update(bytes: Uint8Array): void {
    const held = this.#bytes % blockBytes;
    this.#bytes += bytes.length;
    let at = 0;
    if (held > 0) {
      at = blockBytes - held;
      this.#rest.set(bytes.subarray(0, at), held);
      if (bytes.length < at) return;
      this.#compress(this.#rest, 0);
    }
    for (; at + blockBytes <= bytes.length; at += blockBytes) this.#compress(bytes, at);
    this.#rest.set(bytes.subarray(at));
  }

  /** 64 hex digits; nothing may come after it. */
  digest(): string {
    const bytes = this.#bytes;
    const held = bytes % blockBytes;
    // A one, zeros, and the length in bits as 64 bits: section 5.1.1.
    const end = new Uint8Array((held < blockBytes - 8 ? 1 : 2) * blockBytes - held);
    end[0] = 0x80;
    const view = new DataView(end.buffer);
    view.setUint32(end.length - 8, Math.floor(bytes / 2 ** 29));
    view.setUint32(end.length - 4, bytes * 8);
    this.update(end);
    return Array.from(this.#state, (word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
  }

  /** Section 6.2.2. */
  #compress(bytes: Uint8Array, from: number): void {
    const w = this.#schedule;
    for (let t = 0; t < 16; t += 1) {
      const at = from + t * 4;
      w[t] = ((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
    }
    for (let t = 16; t < rounds; t += 1) {
      const near = wordAt(w, t - 2);
      const far = wordAt(w, t - 15);
      const fromNear = turned(near, 17) ^ turned(near, 19) ^ (near >>> 10);
      const fromFar = turned(far, 7) ^ turned(far, 18) ^ (far >>> 3);
      w[t] = fromNear + wordAt(w, t - 7) + fromFar + wordAt(w, t - 16);
    }
    const state = this.#state;
    let a = wordAt(state, 0);
    let b = wordAt(state, 1);
    let c = wordAt(state, 2);
    let d = wordAt(state, 3);
    let e = wordAt(state, 4);
    let f = wordAt(state, 5);
    let g = wordAt(state, 6);
    let h = wordAt(state, 7);
    for (let t = 0; t < rounds; t += 1) {
      const chosen = (e & f) ^ (~e & g);
      const first = (h + (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) + chosen + wordAt(constants, t) + wordAt(w, t)) | 0;
      const majority = (a & b) ^ (a & c) ^ (b & c);
      const second = (turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + majority;
      h = g;
      g = f;
      f = e;
      e = (d + first) | 0;
      d = c;
      c = b;
      b = a;
      a = (first + second) | 0;
    }
    state[0] = wordAt(state, 0) + a;
    state[1] = wordAt(state, 1) + b;
    state[2] = wordAt(state, 2) + c;
    state[3] = wordAt(state, 3) + d;
    state[4] = wordAt(state, 4) + e;
    state[5] = wordAt(state, 5) + f;
    state[6] = wordAt(state, 6) + g;
    state[7] = wordAt(state, 7) + h;
  }
}

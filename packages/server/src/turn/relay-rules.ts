import { engineUser, passwordOf, probeUser, readUsername } from './credentials.ts';
import { channelBytes } from './frames.ts';
import type { AllowedPeers, Quotas } from './plan.ts';
import { attribute, decodeStun, encodeStun, headerBytes, method, type TransportAddress, xorAddress } from './stun.ts';

/** What may come in at the relay's door. */
export type Knock = 'binding' | 'allocate' | 'other' | null;

const requests: ReadonlySet<number> = new Set([method.refresh, method.createPermission, method.channelBind]);
/** Largest message that a browser sends: a datagram of media in its envelope. */
export const maxMessageBytes = 2_048;

/**
 * `binding` and `allocate`: a client that nobody knows may say this; `other`: only one that has allocated; null: nothing
 * that TURN over UDP needs. TCP relaying (RFC 6062) and malformed messages end here, before the library sees them.
 */
export function knockOf(bytes: Uint8Array): Knock {
  const first = bytes[0] ?? 0xff;
  if (bytes.length > maxMessageBytes) return null;
  if (first >= 0x40 && first <= 0x4f) return bytes.length >= 4 && channelBytes(bytes) <= bytes.length ? 'other' : null;
  const message = decodeStun(bytes);
  if (message === null) return null;
  if (message.kind === 'indication') return message.method === method.send ? 'other' : null;
  if (message.kind !== 'request') return null;
  if (message.method === method.binding) return 'binding';
  if (message.method === method.allocate) return 'allocate';
  return requests.has(message.method) ? 'other' : null;
}

/**
 * Where a request came from, which Chromium asks even when it may use the relay alone, and waits ten seconds for.
 * Made without keeping anything, and hardly longer than the question.
 */
export function bindingAnswer(request: Uint8Array, source: TransportAddress): Uint8Array {
  const transactionId = request.subarray(8, headerBytes);
  const mapped = { type: attribute.xorMappedAddress, value: xorAddress(source, transactionId) };
  return encodeStun({ method: method.binding, kind: 'success', transactionId, attributes: [mapped] }, null);
}

export function isAllowedPeer(peers: AllowedPeers, { address, port }: TransportAddress): boolean {
  return address === peers.address && port >= peers.ports[0] && port <= peers.ports[1];
}

export interface Doorkeeper {
  readonly secret: string;
  readonly user: { readonly username: string; readonly password: string } | null;
}

/**
 * The password that this user must have signed with; null: no such user, or too late. `holds`: something is
 * allocated already, which a credential may keep after it has expired: it opens new allocations only.
 */
export function passwordFor(
  username: string,
  { secret, user }: Doorkeeper,
  now: { readonly seconds: number; readonly holds: boolean },
): string | null {
  if (user !== null && username === user.username) return user.password;
  const read = readUsername(username);
  if (read === null || (!now.holds && read.expiresAtSeconds <= now.seconds)) return null;
  return passwordOf(secret, username);
}

/** Who holds how many allocations. */
export class Ledger {
  readonly #quotas: Quotas;
  readonly #shared: ReadonlySet<string>;
  readonly #holders = new Map<object, string>();
  readonly #perUser = new Map<string, number>();

  /** `shared`: users that stand for many, whom only the total limits. */
  constructor(quotas: Quotas, shared: readonly string[]) {
    this.#quotas = quotas;
    this.#shared = new Set([engineUser, probeUser, ...shared]);
  }

  get total(): number {
    return this.#holders.size;
  }

  /** Counts from this moment, so that many at once cannot slip through together. */
  take(holder: object, username: string): boolean {
    const user = readUsername(username)?.user ?? username;
    const held = this.#perUser.get(user) ?? 0;
    if (this.#holders.has(holder) || this.#holders.size >= this.#quotas.total) return false;
    if (!this.#shared.has(user) && held >= this.#quotas.perUser) return false;
    this.#holders.set(holder, user);
    this.#perUser.set(user, held + 1);
    return true;
  }

  release(holder: object): void {
    const user = this.#holders.get(holder);
    if (user === undefined) return;
    this.#holders.delete(holder);
    const held = (this.#perUser.get(user) ?? 1) - 1;
    if (held === 0) this.#perUser.delete(user);
    else this.#perUser.set(user, held);
  }
}

/** Lets a rate through, and a second's worth at once. */
export class Allowance {
  readonly #perSecond: number;
  #left: number;
  #atMs: number;

  constructor(perSecond: number, nowMs: number) {
    this.#perSecond = perSecond;
    this.#left = perSecond;
    this.#atMs = nowMs;
  }

  take(amount: number, nowMs: number): boolean {
    this.#left = Math.min(this.#perSecond, this.#left + ((nowMs - this.#atMs) / 1000) * this.#perSecond);
    this.#atMs = nowMs;
    if (amount > this.#left) return false;
    this.#left -= amount;
    return true;
  }
}

import { randomBytes } from 'node:crypto';
import type { TurnCredential } from './credentials.ts';
import {
  addressOf,
  attribute,
  decodeStun,
  encodeStun,
  errorCodeOf,
  longTermKey,
  method,
  type StunAttribute,
  type StunMessage,
  type TransportAddress,
  textOf,
} from './stun.ts';
import { openWire, type TurnWire, targetOf } from './turn-wire.ts';

/** What a TURN server said to one Allocate. */
export type AllocateOutcome =
  | { readonly status: 'allocated'; readonly relay: TransportAddress | null }
  /** 401: the credential is not right; 486, 508: it has no more to give. */
  | { readonly status: 'refused'; readonly code: number }
  | { readonly status: 'silent'; readonly reason: string };

const udp = 17;
/** Between sendings over UDP, ms. */
const retransmitMs = 400;

const wanted = { type: attribute.requestedTransport, value: Buffer.from([udp, 0, 0, 0]) };

/** Allocates on a TURN server as a browser does, and gives the relay port back. `url`: `turn:host:port`, `turns:host:port`, with `?transport=` or not. */
export function allocateOnce(url: string, credential: TurnCredential, withinMs: number): Promise<AllocateOutcome> {
  return tryOn(url, withinMs, (ask) => allocate(ask, credential));
}

/** Asks without a credential, so that no relay port is taken: 401 is the right answer. */
export function knockAt(url: string, withinMs: number): Promise<AllocateOutcome> {
  return tryOn(url, withinMs, async (ask) => ({ status: 'refused', code: errorCodeOf(await ask(method.allocate, [wanted], null)) ?? 0 }));
}

async function tryOn(url: string, withinMs: number, act: (ask: Ask) => Promise<AllocateOutcome>): Promise<AllocateOutcome> {
  const target = targetOf(url);
  if (target === null) return { status: 'silent', reason: 'its address is not one of a TURN server' };
  using wire = openWire(target);
  try {
    return await act(asker(wire, AbortSignal.timeout(withinMs)));
  } catch (error) {
    return { status: 'silent', reason: error instanceof Error ? error.message : String(error) };
  }
}

async function allocate(ask: Ask, { username, credential }: TurnCredential): Promise<AllocateOutcome> {
  const challenge = await ask(method.allocate, [wanted], null);
  const realm = textOf(challenge, attribute.realm);
  const nonce = textOf(challenge, attribute.nonce);
  if (realm === null || nonce === null) return { status: 'refused', code: errorCodeOf(challenge) ?? 0 };
  const key = longTermKey(username, realm, credential);
  const signature = [
    { type: attribute.username, value: Buffer.from(username) },
    { type: attribute.realm, value: Buffer.from(realm) },
    { type: attribute.nonce, value: Buffer.from(nonce) },
  ];
  const answer = await ask(method.allocate, [wanted, ...signature], key);
  const code = errorCodeOf(answer);
  if (code !== null) return { status: 'refused', code };
  const release = { type: attribute.lifetime, value: Buffer.alloc(4) };
  await ask(method.refresh, [release, ...signature], key);
  return { status: 'allocated', relay: addressOf(answer, attribute.xorRelayedAddress) };
}

type Ask = (number: number, attributes: readonly StunAttribute[], key: Uint8Array | null) => Promise<StunMessage>;

/** One request at a time, sent again over UDP until it is answered. */
function asker(wire: TurnWire, deadline: AbortSignal): Ask {
  return async (number, attributes, key) => {
    const transactionId = randomBytes(12);
    const bytes = encodeStun({ method: number, kind: 'request', transactionId, attributes }, key);
    const { promise, resolve, reject } = Promise.withResolvers<StunMessage>();
    wire.onMessage = (received) => {
      const message = decodeStun(received);
      if (message !== null && transactionId.equals(message.transactionId)) resolve(message);
    };
    wire.onFault = (reason) => reject(new Error(reason));
    const late = () => reject(new Error('it does not answer'));
    deadline.addEventListener('abort', late);
    const again = wire.reliable ? undefined : setInterval(() => wire.send(bytes), retransmitMs);
    try {
      wire.send(bytes);
      if (deadline.aborted) late();
      return await promise;
    } finally {
      clearInterval(again);
      deadline.removeEventListener('abort', late);
    }
  };
}

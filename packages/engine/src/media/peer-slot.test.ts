import { beforeEach, describe, expect, test } from 'vitest';
import { PeerSlot } from './peer-slot.ts';
import { OfferRefused, type Peer, type PeerEvents, type PeerState } from './ports.ts';

const pair = { local: { type: 'host', port: 20_000, protocol: 'udp' }, remote: { type: 'relay', port: 10_111, protocol: 'udp' } } as const;
const ghostMs = 30_000;

/** A peer that does as it is told. */
class ScriptedPeer implements Peer {
  readonly peerId: string;
  readonly events: PeerEvents;
  readonly codecs = { video: 'VP8' } as const;
  readonly candidates: string[] = [];
  state: PeerState = 'connecting';
  pair: Peer['pair'] = null;
  received = null;
  reportsWithinMs = 1_000;
  bytesSent = 0;
  closes = 0;

  constructor(peerId: string, events: PeerEvents) {
    this.peerId = peerId;
    this.events = events;
  }

  become(state: PeerState): void {
    this.state = state;
    if (state === 'connected') this.pair = pair;
    this.events.onState(state);
  }

  renegotiate(offerSdp: string): Promise<string> {
    return Promise.resolve(`again ${this.peerId} ${offerSdp}`);
  }

  addCandidate(candidate: string): void {
    this.candidates.push(candidate);
  }

  sendAudio(): void {}
  sendVideo(): void {}

  close(): Promise<void> {
    this.closes += 1;
    if (this.state !== 'closed') this.become('closed');
    return Promise.resolve();
  }
}

let nowMs = 1_000;
/** Everything that the slot said, oldest first. */
let said: unknown[] = [];
let made: ScriptedPeer[] = [];
/** Until then no peer is made. */
let gate = Promise.resolve();
/** What each peer does before the slot gets it. */
let early: (peer: ScriptedPeer) => void = () => undefined;
let slot: PeerSlot;

beforeEach(() => {
  [nowMs, said, made, gate, early] = [1_000, [], [], Promise.resolve(), () => undefined];
  slot = new PeerSlot({
    now: () => nowMs,
    peers: {
      async accept({ peerId, offerSdp, events }) {
        await gate;
        if (offerSdp === 'bad') throw new OfferRefused('malformed', 'no');
        const peer = new ScriptedPeer(peerId, events);
        made.push(peer);
        early(peer);
        return { peer, answerSdp: `answer ${peerId}` };
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    },
    onConnected: (peerId) => said.push(['connected', peerId]),
    onInterrupted: () => said.push('interrupted'),
    onResumed: () => said.push('resumed'),
    onGone: (gone) => said.push(['gone', gone]),
    onMicrophone: ([first]) => said.push(['microphone', first]),
    onKeyFrameWanted: () => said.push('key frame'),
    onBandwidth: (bps) => said.push(['bandwidth', bps]),
  });
});

async function connect(peerId: string): Promise<ScriptedPeer> {
  await slot.negotiate(peerId, 'offer');
  const peer = made.at(-1);
  if (peer === undefined) throw new Error('no peer was made');
  peer.become('connected');
  return peer;
}

describe('one peer', () => {
  test('connects, is away, comes back and goes: each is told once, with what it sent', async () => {
    const peer = await connect('a');
    expect(slot.peer).toBe(peer);
    peer.become('disconnected');
    peer.become('connected');
    nowMs += 5_000;
    peer.bytesSent = 77;
    await slot.close();
    const gone = { peerId: 'a', reason: 'closed', connectedMs: 5_000, bytesSent: 77 };
    expect(said).toEqual([['connected', 'a'], 'interrupted', 'resumed', ['gone', gone]]);
    expect(slot.peer).toBeNull();
  });

  test('that offers again is renegotiated, not replaced', async () => {
    const peer = await connect('a');
    expect(await slot.negotiate('a', 'restart')).toBe('again a restart');
    expect(made).toEqual([peer]);
    expect(peer.closes).toBe(0);
  });

  test('that connects before its answer is out is connected', async () => {
    early = (peer) => peer.become('connected');
    await slot.negotiate('a', 'offer');
    expect(said).toEqual([['connected', 'a']]);
  });

  test('that breaks before its answer is out leaves nothing behind', async () => {
    early = (peer) => peer.become('closed');
    await slot.negotiate('a', 'offer');
    expect(said).toEqual([['gone', null]]);
    expect(slot.peer).toBeNull();
  });

  test('passes on its microphone, requests and bandwidth', async () => {
    const { events } = await connect('a');
    events.onMicrophone(Uint8Array.of(9), { timestamp: 0, sequence: 0 });
    events.onKeyFrameWanted();
    events.onBandwidth(5);
    expect(said.slice(1)).toEqual([['microphone', 9], 'key frame', ['bandwidth', 5]]);
  });

  test('takes candidates of its own only', async () => {
    const peer = await connect('a');
    slot.addCandidate('a', 'one');
    expect(peer.candidates).toEqual(['one']);
    expect(() => slot.addCandidate('b', 'two')).toThrow(OfferRefused);
  });
});

describe('a newer peer', () => {
  test('takes the place of the one before, which is closed and told why', async () => {
    const first = await connect('a');
    nowMs += 2_000;
    const second = await connect('b');
    expect(first.closes).toBe(1);
    expect(slot.peer).toBe(second);
    const gone = { peerId: 'a', reason: 'replaced', connectedMs: 2_000, bytesSent: 0 };
    expect(said).toEqual([
      ['connected', 'a'],
      ['gone', gone],
      ['connected', 'b'],
    ]);
  });

  test('is not disturbed by anything that the older one still says', async () => {
    const first = await connect('a');
    const second = await connect('b');
    said = [];
    for (const state of ['connected', 'disconnected', 'closed'] as const) first.become(state);
    first.events.onMicrophone(Uint8Array.of(1), { timestamp: 0, sequence: 0 });
    first.events.onKeyFrameWanted();
    first.events.onBandwidth(1);
    expect(said).toEqual([]);
    expect(slot.peer).toBe(second);
  });

  test('whose offer is refused leaves the older one where it is', async () => {
    const first = await connect('a');
    await expect(slot.negotiate('b', 'bad')).rejects.toThrow(OfferRefused);
    expect(slot.peer).toBe(first);
    expect(first.closes).toBe(0);
  });

  test('asked for while another is being made: only the newest stays', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    gate = promise;
    const [older, newer] = [slot.negotiate('a', 'offer'), slot.negotiate('b', 'offer')];
    const refused = expect(older).rejects.toMatchObject({ code: 'superseded' });
    resolve();
    expect(await newer).toBe('answer b');
    await refused;
    expect(made.map(({ peerId, closes }) => [peerId, closes])).toEqual([
      ['a', 1],
      ['b', 0],
    ]);
    expect(slot.peer?.peerId).toBe('b');
  });
});

describe('a slot that closes', () => {
  test('while a peer is being made closes that one as well', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    gate = promise;
    const negotiated = slot.negotiate('a', 'offer');
    const refused = expect(negotiated).rejects.toMatchObject({ code: 'superseded' });
    await slot.close();
    resolve();
    await refused;
    expect(made[0]?.closes).toBe(1);
    expect(slot.peer).toBeNull();
    expect(said).toEqual([]);
  });

  test('says once that its peer is gone, and closes it', async () => {
    const peer = await connect('a');
    await slot.close();
    expect(peer.state).toBe('closed');
    expect(said.slice(1)).toEqual([['gone', expect.objectContaining({ reason: 'closed' })]]);
  });
});

describe('a tab that is gone', () => {
  test('is given up half a minute after it was last there', async () => {
    const peer = await connect('a');
    nowMs += 60_000;
    peer.become('disconnected');
    nowMs += ghostMs - 1;
    slot.check();
    expect(slot.peer).toBe(peer);
    nowMs += 1;
    slot.check();
    expect(slot.peer).toBeNull();
    expect(peer.closes).toBe(1);
    expect(said.at(-1)).toEqual(['gone', expect.objectContaining({ reason: 'lost' })]);
  });

  test('and never connected is given up too, without a word of a connection', async () => {
    await slot.negotiate('a', 'offer');
    nowMs += ghostMs;
    slot.check();
    expect(made[0]?.closes).toBe(1);
    expect(said).toEqual([['gone', null]]);
  });

  test('that comes back in time has all the time again', async () => {
    const peer = await connect('a');
    peer.become('disconnected');
    nowMs += ghostMs - 1;
    peer.become('connected');
    nowMs += ghostMs;
    slot.check();
    expect(slot.peer).toBe(peer);
  });
});

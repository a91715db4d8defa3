import { AvatarId, SessionId, type Signal, TurnId } from '@virtual-tutor/schemas';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type FaceStream, FaceUnavailable } from '../avatar/face-stream.ts';
import type { EarEvent } from '../listening/ear.ts';
import { LiveSession } from './live-session.ts';
import { frameMs, frameSamples } from './playout.ts';
import type { EncodedFrame, Peer, PeerEvents, PeerState, Speech } from './ports.ts';
import { SpeechUnavailable } from './ports.ts';
import type { Face, WorkerFact } from './protocol.ts';

const sessionId = SessionId.parse('0193c5a0-0000-7000-8000-000000000001');
const turnId = TurnId.parse('00000000-0000-4000-8000-000000000001');
const nextTurn = TurnId.parse('00000000-0000-4000-8000-000000000002');
const second = 1_000 / frameMs;
const settle = () => new Promise((resolve) => setImmediate(resolve));

/** One word a second, loud. */
function spoken(seconds: number): Speech {
  return {
    samples: new Int16Array(seconds * second * frameSamples).fill(1_000),
    visemes: [{ viseme: 'aa', startMs: 0, endMs: seconds * 1_000 }],
    words: Array.from({ length: seconds }, (_, nth) => ({
      from: nth * 5,
      to: nth * 5 + 4,
      startMs: nth * 1_000,
      endMs: (nth + 1) * 1_000,
    })),
    engine: 'test',
  };
}

class ScriptedPeer implements Peer {
  readonly codecs = { video: 'VP8' } as const;
  readonly pair = {
    local: { type: 'host', port: 40_000, protocol: 'udp' },
    remote: { type: 'relay', port: 50_000, protocol: 'udp' },
  } as const;
  readonly peerId: string;
  readonly events: PeerEvents;
  /** Loud packets that left, by timestamp. */
  readonly sounds: number[] = [];
  readonly frames: EncodedFrame[] = [];
  state: PeerState = 'connecting';
  bytesSent = 0;
  /** False: its browser is asleep. */
  awake = true;
  received: number | null = null;
  reportsWithinMs = 1_000;

  constructor(peerId: string, events: PeerEvents) {
    this.peerId = peerId;
    this.events = events;
  }

  become(state: PeerState): void {
    this.state = state;
    this.events.onState(state);
  }

  async renegotiate(): Promise<string> {
    return 'answer';
  }

  addCandidate(): void {}

  sendAudio(packet: Uint8Array, timestamp: number): void {
    if (packet[0] === 1) this.sounds.push(timestamp);
    if (this.awake) this.received = timestamp;
  }

  sendVideo(frame: EncodedFrame): void {
    this.frames.push(frame);
  }

  async close(): Promise<void> {
    this.state = 'closed';
  }
}

interface ScriptedStream {
  readonly of: string;
  disposed: boolean;
  bps: number | null;
}

/** Frames name the face that they are of, count the stream, and tell a speaking mouth from a resting one. */
class ScriptedWardrobe {
  readonly worn = new Map<string, number>();
  /** Films that are there. */
  readonly loaded = new Set<string>();
  /** Streams that were opened, and the bitrate that each was given last. */
  readonly streams: ScriptedStream[] = [];
  /** While set, frames are on their way until it resolves. */
  late: Promise<void> | null = null;
  readonly #tell = new Map<string, Set<() => void>>();
  readonly #script: { fails: boolean; moved: number };

  constructor(script: { fails: boolean; moved: number }) {
    this.#script = script;
  }

  load(avatarId: string): void {
    this.loaded.add(avatarId);
    for (const tell of this.#tell.get(avatarId) ?? []) tell();
  }

  readonly wear = (face: Face, onLoaded: () => void) => {
    const name = face.kind === 'filmed' ? face.avatarId : face.character;
    this.worn.set(name, (this.worn.get(name) ?? 0) + 1);
    const tell = () => onLoaded();
    this.#tell.set(name, (this.#tell.get(name) ?? new Set()).add(tell));
    return {
      open: () => this.#open(face.kind === 'filmed' && this.loaded.has(face.avatarId) ? face.avatarId : face.character),
      [Symbol.dispose]: () => {
        this.worn.set(name, (this.worn.get(name) ?? 0) - 1);
        this.#tell.get(name)?.delete(tell);
      },
    };
  };

  #open(of: string): FaceStream {
    const stream: ScriptedStream = { of, disposed: false, bps: null };
    this.streams.push(stream);
    let first = true;
    return {
      next: async (mouth) => {
        if (this.#script.fails && mouth !== null) throw new FaceUnavailable('failed', 'the pencil broke');
        if (mouth !== null) this.#script.moved += 1;
        const frame = { data: new TextEncoder().encode(`${of} ${mouth === null ? 'rests' : 'speaks'}`), key: first };
        first = false;
        await this.late;
        return frame;
      },
      wantKeyFrame() {},
      setBitrate(bps) {
        stream.bps = bps;
      },
      [Symbol.dispose]() {
        stream.disposed = true;
      },
    };
  }
}

/** `ada speaks`, with a `*` where the frame is a key frame. */
function named({ data, key }: EncodedFrame): string {
  return `${new TextDecoder().decode(data)}${key ? '*' : ''}`;
}

function openSession(startsWith: Face = { kind: 'drawn', character: 'ada' }) {
  const facts: WorkerFact[] = [];
  const peers: ScriptedPeer[] = [];
  const clock = { nowMs: 1_000_000 };
  const face = { fails: false, moved: 0 };
  const ear = { onEvent: (_: EarEvent) => {} };
  const say = { fails: false };
  const wardrobe = new ScriptedWardrobe(face);
  const session = new LiveSession(
    { sessionId, locale: 'en', voice: null, face: startsWith },
    {
      peers: {
        async accept({ peerId, events }) {
          const peer = new ScriptedPeer(peerId, events);
          peers.push(peer);
          return { peer, answerSdp: 'answer' };
        },
        async [Symbol.asyncDispose]() {},
      },
      async say({ text }) {
        if (say.fails) throw new SpeechUnavailable('crashed', 'no voice');
        return spoken(text.split(' ').length);
      },
      maySpeak: () => !say.fails,
      createAudioEncoder: () => ({
        encode: (samples) => Uint8Array.of(samples.some((sample) => sample !== 0) ? 1 : 0),
        [Symbol.dispose]() {},
      }),
      async createEar(onEvent) {
        ear.onEvent = onEvent;
        return {
          packet() {},
          pcm() {},
          commit() {},
          playing() {},
          close() {},
        };
      },
      wear: wardrobe.wear,
      mayDraw: () => true,
      emit: (fact) => facts.push(fact),
      now: () => clock.nowMs,
      onDefect() {},
    },
  );
  async function run(frames: number): Promise<void> {
    for (let nth = 0; nth < frames; nth += 1) {
      clock.nowMs += frameMs;
      session.frame();
      await Promise.resolve();
      await Promise.resolve();
    }
    await settle();
  }
  async function connect(peerId = '00000000-0000-4000-8000-0000000000aa'): Promise<ScriptedPeer> {
    await session.negotiate(peerId, 'offer');
    const peer = peers.at(-1);
    if (peer === undefined) throw new Error('no peer was made');
    peer.become('connected');
    await settle();
    return peer;
  }
  const of = <T extends WorkerFact['type']>(type: T) =>
    facts.filter((fact): fact is Extract<WorkerFact, { type: T }> => fact.type === type);
  const signals = (): Signal[] => of('signal').map(({ signal }) => signal);
  const tell = async (index: number, text: string, turn = turnId) => {
    session.say({ turnId: turn, index, text, language: 'en' });
    await settle();
  };
  return { session, facts, of, signals, run, connect, tell, face, wardrobe, ear, say, clock };
}

describe('a live session', () => {
  let live: ReturnType<typeof openSession>;

  beforeEach(() => {
    live = openSession();
  });
  afterEach(() => live.session.close());

  test('speaks its sentences in order and says what was heard of them', async () => {
    await live.connect();
    await live.tell(0, 'word word');
    await live.tell(1, 'word');
    await live.run(4 * second);
    expect(live.of('heard').map(({ index, durationMs }) => ({ index, durationMs }))).toEqual([
      { index: 0, durationMs: 2_000 },
      { index: 1, durationMs: 1_000 },
    ]);
    expect(live.of('firstAudio')).toHaveLength(1);
    expect(live.of('firstFrame')).toHaveLength(1);
    expect(live.signals().filter(({ type }) => type === 'speech' || type === 'silent')).toMatchObject([
      { type: 'speech', index: 0, fromMs: 0 },
      { type: 'speech', index: 1, fromMs: 0 },
      { type: 'silent', reason: 'finished' },
    ]);
  });

  test('moves the mouth while it speaks and only then', async () => {
    const peer = await live.connect();
    await live.run(second);
    expect(live.face.moved).toBe(0);
    await live.tell(0, 'word');
    await live.run(3 * second);
    expect(live.face.moved).toBe(25);
    expect(peer.frames).toHaveLength(100);
  });

  test('stops at once and for good, and knows the words that were heard', async () => {
    const peer = await live.connect();
    await live.tell(0, 'word word word word');
    await live.run(2.5 * second);
    expect(live.session.stop(turnId)).toMatchObject({ index: 0, chars: 9 });
    const before = peer.sounds.length;
    await live.run(3 * second);
    // The cut fades out in one packet.
    expect(peer.sounds.length - before).toBeLessThanOrEqual(1);
  });

  test('does not speak the sentence that was being synthesised when its turn was stopped', async () => {
    const peer = await live.connect();
    live.session.say({ turnId, index: 0, text: 'word', language: 'en' });
    live.session.stop(turnId);
    await settle();
    await live.run(second);
    expect(peer.sounds).toEqual([]);
  });

  test('does not speak sentences of a stopped turn that were on their way', async () => {
    const peer = await live.connect();
    await live.tell(0, 'word');
    await live.run(10);
    live.session.stop(turnId);
    await live.tell(1, 'word word');
    await live.run(1);
    const before = peer.sounds.length;
    await live.run(2 * second);
    expect(peer.sounds.length).toBe(before);
    await live.tell(0, 'word', nextTurn);
    await live.run(2 * second);
    expect(peer.sounds.length).toBeGreaterThan(before + 40);
  });

  test('is held by a voice, goes on after a false alarm, and yields to a real one', async () => {
    const peer = await live.connect();
    await live.tell(0, 'word word word word');
    await live.run(1.5 * second);
    live.ear.onEvent({ type: 'hold' });
    await live.run(1);
    const held = peer.sounds.length;
    await live.run(second);
    expect(peer.sounds.length).toBe(held);
    live.ear.onEvent({ type: 'release' });
    await live.run(second);
    expect(peer.sounds.length).toBeGreaterThan(held + 40);
    live.ear.onEvent({ type: 'hold' });
    live.ear.onEvent({ type: 'takeFloor' });
    await live.run(1);
    const yielded = peer.sounds.length;
    await live.run(2 * second);
    expect(peer.sounds.length).toBe(yielded);
    expect(live.of('bargeIn')).toMatchObject([{ turnId, index: 0 }]);
    expect(live.signals().map(({ type }) => type)).toEqual(['speech', 'paused', 'speech', 'paused', 'silent']);
    await live.tell(0, 'word', nextTurn);
    await live.run(second);
    expect(live.of('firstAudio').map((fact) => fact.turnId)).toEqual([turnId, nextTurn]);
  });

  test('waits for a browser that is asleep, and counts nothing as heard meanwhile', async () => {
    const peer = await live.connect();
    await live.run(second);
    peer.awake = false;
    await live.tell(0, 'word word word word word word word word word word');
    await live.run(20 * second);
    expect(live.of('heard')).toEqual([]);
    peer.awake = true;
    await live.run(20 * second);
    expect(live.of('heard')).toMatchObject([{ index: 0 }]);
  });

  test('does not wait for a browser whose reports are rare', async () => {
    const peer = await live.connect();
    await live.run(second);
    peer.awake = false;
    peer.reportsWithinMs = 7_500;
    await live.tell(0, 'word word word word word word word word word word word word');
    const soundsWithin = async (ms: number) => {
      const before = peer.sounds.length;
      await live.run(ms);
      return peer.sounds.length - before;
    };
    await live.run(6 * second);
    expect(await soundsWithin(2 * second)).toBe(100);
    await live.run(3 * second);
    expect(await soundsWithin(2 * second)).toBeLessThan(20);
  });

  test('leaves a sentence that cannot be spoken to the eyes', async () => {
    await live.connect();
    live.say.fails = true;
    await live.tell(0, 'word');
    expect(live.of('unspoken')).toMatchObject([{ index: 0, code: 'crashed' }]);
  });

  test('goes on in writing while no voice works, and speaks again when one does', async () => {
    await live.connect();
    live.say.fails = true;
    await live.tell(0, 'word');
    await live.tell(1, 'word');
    await live.run(6 * second);
    expect(live.of('quality').at(-1)).toMatchObject({ to: 'text', reason: 'speech_failed' });
    live.say.fails = false;
    await live.run(6 * second);
    expect(live.of('quality').at(-1)).toMatchObject({ to: 'video', reason: 'recovered' });
    await live.tell(0, 'word', nextTurn);
    await live.run(2 * second);
    expect(live.of('heard')).toHaveLength(1);
  });

  test('goes on as a voice when the face fails, and shows it again later', async () => {
    const peer = await live.connect();
    live.face.fails = true;
    await live.tell(0, 'word');
    await live.run(2 * second);
    expect(live.of('heard')).toHaveLength(1);
    expect(peer.sounds.length).toBeGreaterThanOrEqual(second);
    live.face.fails = false;
    await live.run(30 * second);
    await live.tell(0, 'word', nextTurn);
    await live.run(2 * second);
    expect(live.of('quality').map(({ to, reason }) => ({ to, reason }))).toEqual([
      { to: 'video', reason: 'connected' },
      { to: 'voice', reason: 'renderer_failed' },
      { to: 'video', reason: 'recovered' },
    ]);
    expect(live.face.moved).toBeGreaterThan(20);
  });

  test('waits through a gap in the connection and goes on', async () => {
    const peer = await live.connect();
    await live.tell(0, 'word word');
    await live.run(0.5 * second);
    peer.become('disconnected');
    await live.run(5 * second);
    expect(live.of('heard')).toEqual([]);
    peer.become('connected');
    await live.run(3 * second);
    expect(live.of('heard')).toHaveLength(1);
    expect(live.of('disconnected')).toEqual([]);
  });

  test('gives a tab up that stays away, and falls back to text', async () => {
    const peer = await live.connect();
    await live.tell(0, 'word word');
    peer.become('disconnected');
    await live.run(31 * second);
    expect(live.of('disconnected')).toMatchObject([{ reason: 'lost' }]);
    expect(live.of('quality').at(-1)).toMatchObject({ to: 'text', reason: 'connection_lost' });
    expect(peer.state).toBe('closed');
  });

  test('lets a newer connection take the place of the one before', async () => {
    const first = await live.connect();
    await live.tell(0, 'word word');
    await live.run(0.5 * second);
    const newer = await live.connect('00000000-0000-4000-8000-0000000000bb');
    await live.run(3 * second);
    expect(first.state).toBe('closed');
    expect(newer.sounds.length).toBeGreaterThan(second);
    expect(live.of('disconnected')).toMatchObject([{ reason: 'replaced' }]);
    expect(live.of('heard')).toHaveLength(1);
    expect(live.of('quality')).toHaveLength(1);
  });

  test('streams speech as chunks to a client without WebRTC', async () => {
    live.session.stream(true);
    await live.tell(0, 'word');
    await live.run(2 * second);
    expect(live.of('quality')).toMatchObject([{ to: 'voice', reason: 'connected' }]);
    const chunks = live.of('chunk').map(({ chunk }) => chunk);
    expect(chunks.flatMap(({ packets }) => packets)).toHaveLength(second);
    expect(chunks.map(({ atMs }) => atMs)).toEqual([0, 100, 200, 300, 400, 500, 600, 700, 800, 900]);
    expect(chunks[0]?.visemes).toHaveLength(1);
    expect(live.of('heard')).toHaveLength(1);
  });
});

describe('a filmed face', () => {
  const [lin, wang] = ['0193c5a0-0000-7000-8000-00000000000a', '0193c5a0-0000-7000-8000-00000000000b'].map((id) => AvatarId.parse(id));
  if (lin === undefined || wang === undefined) throw new Error('there are two avatars');
  const filmed = (avatarId: AvatarId): Face => ({ kind: 'filmed', avatarId, character: 'ada' });
  const drawn: Face = { kind: 'drawn', character: 'ada' };

  test('is worn from the opening on, shown once it is loaded, and let go at the end', async () => {
    const live = openSession(filmed(lin));
    expect(live.wardrobe.worn.get(lin)).toBe(1);
    const peer = await live.connect();
    await live.run(4);
    live.wardrobe.load(lin);
    await live.run(4);
    expect(peer.frames.map(named)).toEqual(['ada rests*', 'ada rests', `${lin} rests*`, `${lin} rests`]);
    await live.session.close();
    expect(live.wardrobe.worn.get(lin)).toBe(0);
    expect(live.wardrobe.streams.every(({ disposed }) => disposed)).toBe(true);
  });

  test('is exchanged in the middle of a sentence, with a key frame; voice, mouth and network go on', async () => {
    const live = openSession(filmed(lin));
    live.wardrobe.load(lin);
    const peer = await live.connect();
    peer.events.onBandwidth(250_000);
    await live.tell(0, 'word word');
    await live.run(second);
    live.session.wear(drawn);
    const before = { frames: peer.frames.length, sounds: peer.sounds.length };
    await live.run(second);
    expect(peer.frames.slice(before.frames, before.frames + 2).map(named)).toEqual(['ada speaks*', 'ada speaks']);
    expect(peer.frames.slice(before.frames).some((frame) => named(frame).startsWith(lin))).toBe(false);
    expect(peer.sounds.length - before.sounds).toBe(second);
    expect(live.wardrobe.streams.at(-1)?.bps).toBe(200_000);
    expect(live.of('quality').map(({ to }) => to)).toEqual(['video']);
    expect(live.of('firstFrame')).toHaveLength(1);
    expect(live.wardrobe.worn.get(lin)).toBe(0);
    await live.session.close();
  });

  test('that is exchanged while a frame of it is on its way sends no more frame, and the next one waits for nothing', async () => {
    const live = openSession(filmed(lin));
    live.wardrobe.load(lin);
    const peer = await live.connect();
    await live.run(4);
    const arrives = Promise.withResolvers<void>();
    live.wardrobe.late = arrives.promise;
    await live.run(2);
    live.session.wear(drawn);
    live.wardrobe.late = null;
    const before = peer.frames.length;
    await live.run(2);
    arrives.resolve();
    await settle();
    expect(peer.frames.slice(before).map(named)).toEqual(['ada rests*']);
    await live.session.close();
  });

  test('that is exchanged before it was loaded is not shown when it is', async () => {
    const live = openSession(filmed(lin));
    const peer = await live.connect();
    await live.run(2);
    live.session.wear(filmed(wang));
    live.wardrobe.load(lin);
    live.wardrobe.load(wang);
    await live.run(4);
    expect(peer.frames.map(named)).toEqual(['ada rests*', `${wang} rests*`, `${wang} rests`]);
    await live.session.close();
  });

  test('that is exchanged while it rests goes on resting', async () => {
    const live = openSession(filmed(lin));
    live.wardrobe.load(lin);
    const peer = await live.connect();
    live.face.fails = true;
    await live.tell(0, 'word');
    await live.run(2 * second);
    live.face.fails = false;
    live.session.wear(drawn);
    await live.tell(0, 'word', nextTurn);
    const before = peer.frames.length;
    await live.run(second);
    expect(new Set(peer.frames.slice(before).map(named))).toEqual(new Set(['ada rests*', 'ada rests']));
    expect(live.of('quality').map(({ to }) => to)).toEqual(['video', 'voice']);
    await live.session.close();
  });

  test('that is exchanged while nobody is connected is what the next connection shows', async () => {
    const live = openSession(filmed(lin));
    live.wardrobe.load(lin);
    live.session.wear(drawn);
    const peer = await live.connect();
    await live.run(2);
    expect(peer.frames.map(named)).toEqual(['ada rests*']);
    await live.session.close();
  });
});

import { SessionId, type Signal, TurnId } from '@virtual-tutor/schemas';
import { type FaceStream, FaceUnavailable } from '../avatar/face-stream.ts';
import type { EarEvent } from '../listening/ear.ts';
import { LiveSession } from './live-session.ts';
import { frameMs, frameSamples } from './playout.ts';
import type { EncodedFrame, Peer, PeerEvents, PeerState, Speech } from './ports.ts';
import { SpeechUnavailable } from './ports.ts';
import type { Face, WorkerFact } from './protocol.ts';

/* For tests: a live session whose voice, face, ear and students do as they are told, on a clock that is turned by hand. */

const sessionId = SessionId.parse('0193c5a0-0000-7000-8000-000000000001');
export const turnId = TurnId.parse('00000000-0000-4000-8000-000000000001');
export const nextTurn = TurnId.parse('00000000-0000-4000-8000-000000000002');
/** Frames in it. */
export const second = 1_000 / frameMs;
export const settle = () => new Promise((resolve) => setImmediate(resolve));

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
      prepare() {},
      next: async (spoken) => {
        if (this.#script.fails && spoken !== null) throw new FaceUnavailable('failed', 'the pencil broke');
        if (spoken !== null) this.#script.moved += 1;
        const frame = { data: new TextEncoder().encode(`${of} ${spoken === null ? 'rests' : 'speaks'}`), key: first };
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
export function named({ data, key }: EncodedFrame): string {
  return `${new TextDecoder().decode(data)}${key ? '*' : ''}`;
}

export function openScriptedSession(startsWith: Face = { kind: 'drawn', character: 'ada' }) {
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

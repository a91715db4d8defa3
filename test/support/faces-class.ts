import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { type AvatarId, SessionId, TurnId } from '@virtual-tutor/schemas';
import { v7 as uuidv7 } from 'uuid';
import { idleFrames } from '../../packages/engine/src/avatar/idle-motion.ts';
import type { Peer, PeerEvents, PeerState, Speech, TimedViseme, VideoCodec } from '../../packages/engine/src/media/ports.ts';
import { type EncodedFrame, playoutRate, visemes } from '../../packages/engine/src/media/ports.ts';
import type { Face } from '../../packages/engine/src/media/protocol.ts';
import { EngineWorker } from '../../packages/engine/src/worker/engine-worker.ts';
import type { Film } from '../../packages/engine/src/worker/films.ts';
import { openWardrobe, type Wardrobe } from '../../packages/engine/src/worker/wardrobe.ts';
import { type Random, seeded } from './seeded.ts';
import { createVideoDecoder, type VideoDecoder } from './seen-video.ts';
import { isTinted, type Tint } from './tinted-film.ts';

/* Many students before one engine worker, each with an eye of their own: every frame that leaves is decoded and known by its tint. */

export interface FacesClassOptions {
  readonly students: number;
  readonly turnsEach: number;
  readonly films: ReadonlyMap<AvatarId, { readonly film: Film; readonly tint: Tint }>;
  /** How much faster than real time the worker's clock runs. */
  readonly speed: number;
}

export interface FacesClassReport {
  readonly frames: number;
  /** Of a film that was worn. */
  readonly filmed: number;
  /** Of the drawn face because the film was not there yet. */
  readonly early: number;
  /** Frames that showed something else than what was worn when they left. */
  readonly wrong: readonly string[];
  readonly turns: number;
  readonly switches: number;
  readonly loads: number;
  /** From the command to the first frame of the other face, ms of real time, each. */
  readonly switchMs: readonly number[];
  readonly defects: readonly unknown[];
}

type Seen = AvatarId | 'drawn' | 'neither';

/** Decodes what it is sent, at once. */
class Eye implements Peer {
  readonly peerId: string;
  readonly codecs: { readonly video: VideoCodec };
  readonly pair = {
    local: { type: 'host', port: 1, protocol: 'udp' },
    remote: { type: 'relay', port: 2, protocol: 'udp' },
  } as const;
  readonly reportsWithinMs = 1_000;
  readonly bytesSent = 0;
  received: number | null = null;
  state: PeerState = 'connecting';
  readonly events: PeerEvents;
  readonly #decoder: VideoDecoder;
  readonly #onPicture: (picture: Uint8Array) => void;

  constructor(
    connection: { readonly peerId: string; readonly codec: VideoCodec; readonly events: PeerEvents },
    onPicture: (picture: Uint8Array) => void,
  ) {
    this.peerId = connection.peerId;
    this.codecs = { video: connection.codec };
    this.events = connection.events;
    this.#decoder = createVideoDecoder(connection.codec);
    this.#onPicture = onPicture;
  }

  become(state: PeerState): void {
    this.state = state;
    this.events.onState(state);
  }

  async renegotiate(): Promise<string> {
    return 'answer';
  }

  addCandidate(): void {}

  sendAudio(_packet: Uint8Array, timestamp: number): void {
    this.received = timestamp;
  }

  sendVideo(frame: EncodedFrame): void {
    if (this.state === 'connected') this.#onPicture(this.#decoder.decode(frame));
  }

  async close(): Promise<void> {
    if (this.state === 'closed') return;
    this.state = 'closed';
    this.#decoder[Symbol.dispose]();
  }
}

interface Student {
  readonly sessionId: SessionId;
  face: Face;
  /** No frame of this face was seen yet. */
  isNew: boolean;
  /** When it took the place of another; null: it did not, or was seen since. */
  switchedAtMs: number | null;
  eye: Eye | null;
}

export async function holdFacesClass(options: FacesClassOptions): Promise<FacesClassReport> {
  const { students, films, turnsEach } = options;
  const report = { frames: 0, filmed: 0, early: 0, turns: 0, switches: 0, loads: 0 };
  const wrong: string[] = [];
  const switchMs: number[] = [];
  const defects: unknown[] = [];
  const all = new Map<SessionId, Student>();

  function identify(picture: Uint8Array): Seen {
    if (picture.length === (512 * 512 * 3) / 2) return 'drawn';
    for (const [avatarId, { tint }] of films) if (isTinted(picture, tint)) return avatarId;
    return 'neither';
  }

  function look(student: Student, picture: Uint8Array): void {
    const { face, switchedAtMs } = student;
    const seen = identify(picture);
    const worn = face.kind === 'filmed' ? face.avatarId : 'drawn';
    report.frames += 1;
    if (seen === worn) {
      if (switchedAtMs !== null) switchMs.push(performance.now() - switchedAtMs);
      student.switchedAtMs = null;
      student.isNew = false;
      if (seen !== 'drawn') report.filmed += 1;
    } else if (seen === 'drawn' && student.isNew) report.early += 1;
    else wrong.push(`${seen} in place of ${worn}`);
  }

  const random = seeded(students * 1_000 + turnsEach);
  const wardrobe = openWardrobe({
    async load(avatarId) {
      report.loads += 1;
      await wait(20);
      const known = films.get(avatarId);
      if (known === undefined) throw new Error('there is no such avatar');
      return known.film;
    },
    painter: null,
    most: films.size,
    keptMs: 60_000,
    now: () => Date.now(),
    onDefect: (error) => defects.push(error),
  });
  await drawAtRest(wardrobe);
  const worker = new EngineWorker({
    parts: {
      partsOf: ({ sessionId }) => ({
        peers: {
          async accept({ peerId, events }) {
            const student = all.get(sessionId);
            if (student === undefined) throw new Error('there is no such student');
            // A browser that comes again may be another one.
            const eye = new Eye({ peerId, codec: random() < 0.5 ? 'VP8' : 'H264', events }, (picture) => look(student, picture));
            student.eye = eye;
            return { peer: eye, answerSdp: 'answer' };
          },
          async [Symbol.asyncDispose]() {},
        },
        say: async () => babble(random),
        maySpeak: () => true,
        createAudioEncoder: () => ({ encode: () => new Uint8Array(1), [Symbol.dispose]() {} }),
        createEar: null,
        wear: wardrobe.wear,
      }),
      health: () => wardrobe.health(),
      async [Symbol.asyncDispose]() {
        wardrobe[Symbol.dispose]();
      },
    },
    maxSpeaking: students,
    emit: () => undefined,
    now: () => Date.now(),
    nowMs: () => performance.now() * options.speed,
    onDefect: (error) => defects.push(error),
  });

  async function connect(student: Student): Promise<void> {
    const { sessionId } = student;
    worker.obey({ type: 'negotiate', requestId: randomUUID(), sessionId, peerId: randomUUID(), offerSdp: 'offer' });
    await wait(0);
    student.eye?.become('connected');
  }

  function faceFor(nth: number): Face {
    const ids = [...films.keys()];
    // Two schools with a face each, and a third that has both.
    const own = ids[nth % 3] ?? ids[Math.floor(random() * ids.length)];
    return own === undefined || random() < 0.15 ? { kind: 'drawn', character: 'ada' } : { kind: 'filmed', avatarId: own, character: 'ada' };
  }

  async function attend(nth: number): Promise<void> {
    const sessionId = SessionId.parse(uuidv7());
    const student: Student = { sessionId, face: faceFor(nth), isNew: true, switchedAtMs: null, eye: null };
    all.set(sessionId, student);
    worker.obey({ type: 'open', sessionId, locale: 'en', voice: null, face: student.face });
    await connect(student);
    for (let turn = 0; turn < turnsEach; turn += 1) {
      const turnId = TurnId.parse(randomUUID());
      worker.obey({ type: 'say', sessionId, turnId, index: 0, text: 'word', language: 'en' });
      await wait(random() * 600);
      if (random() < 0.5) {
        student.face = faceFor(nth);
        student.isNew = true;
        student.switchedAtMs = performance.now();
        report.switches += 1;
        worker.obey({ type: 'wear', sessionId, face: student.face });
      }
      if (random() < 0.4) worker.obey({ type: 'stop', requestId: randomUUID(), sessionId, turnId });
      if (random() < 0.1) await connect(student);
      if (random() < 0.3) student.eye?.events.onKeyFrameWanted();
      await wait(random() * 600);
      report.turns += 1;
    }
    worker.obey({ type: 'close', sessionId });
  }

  await Promise.all(Array.from({ length: students }, (_, nth) => attend(nth)));
  await worker[Symbol.asyncDispose]();
  return { ...report, wrong, switchMs, defects };
}

/** A worker's first students come when its drawn tutors' loops are encoded. */
async function drawAtRest({ wear }: Wardrobe): Promise<void> {
  using worn = wear({ kind: 'drawn', character: 'ada' }, () => undefined);
  using stream = worn.open('VP8');
  for (let position = 0; position < idleFrames; position += 1) await stream.next(null);
}

/** A mouth that moves without a sense, for up to 1.5 s. */
function babble(random: Random): Speech {
  const timeline: TimedViseme[] = [];
  const lengthMs = 400 + random() * 1_100;
  for (let startMs = 0; startMs < lengthMs; startMs += 100) {
    timeline.push({ viseme: visemes[Math.floor(random() * visemes.length)] ?? 'aa', startMs, endMs: startMs + 100 });
  }
  const samples = new Int16Array(Math.round((lengthMs / 1_000) * playoutRate)).fill(1_000);
  return { samples, visemes: timeline, words: [{ from: 0, to: 4, startMs: 0, endMs: lengthMs }], engine: 'babble' };
}

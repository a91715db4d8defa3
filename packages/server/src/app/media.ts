import {
  type MediaChunk,
  maxMessageLength,
  type Quality,
  type SessionId,
  type Signal,
  type StudentId,
  streams,
  type TenantId,
  type WebrtcConfig,
} from '@virtual-tutor/schemas';
import type { Refusal } from '../domain/decision.ts';
import type { MediaFact } from '../domain/session.ts';
import { sessions, tutors } from './aggregates.ts';
import type { Handle } from './handle.ts';
import type { Lessons, Outcome } from './lessons.ts';
import { LiveQueues } from './live-queue.ts';
import type { MediaAnswer, MediaPlane, SessionFact } from './media-plane.ts';
import type { TurnAccess } from './turn-access.ts';
import type { Voice } from './voice.ts';

export interface MediaOptions {
  readonly handle: Handle;
  readonly lessons: Lessons;
  readonly voice: Voice;
  readonly plane: MediaPlane;
  /** Null: no relay, so no WebRTC. */
  readonly turn: TurnAccess | null;
  readonly node: string;
  readonly enabled: { readonly speech: boolean; readonly listening: boolean; readonly face: boolean };
  readonly onDefect: (error: unknown) => void;
}

/** An answer that says no more than that it was done. */
type Nothing = Record<string, never>;

interface Open {
  readonly tenantId: TenantId;
  readonly studentId: StudentId;
}

/** How long facts of a session wait for an unreachable log, ms. */
const patienceMs = 30_000;

/** Voice and picture of the sessions on this node, from the student's side: connections, signals, microphone. */
export class Media {
  readonly #options: MediaOptions;
  readonly #open = new Map<SessionId, Open>();
  readonly #signals = new LiveQueues<SessionId, Signal>();
  readonly #chunks = new LiveQueues<SessionId, MediaChunk>();
  /** What happens to one session is handled in order. */
  readonly #handling = new Map<SessionId, Promise<void>>();

  constructor(options: MediaOptions) {
    this.#options = options;
    options.plane.onFact((fact) => this.#onFact(fact));
  }

  async config(tenantId: TenantId, sessionId: SessionId): Promise<Outcome<WebrtcConfig>> {
    const { turn, handle, plane, enabled } = this.#options;
    if (turn === null) return { refused: { code: 'media_unavailable', message: 'voice and video are switched off on this engine' } };
    const load = plane.load();
    if (!plane.isOpen(sessionId) && load.sessions >= load.maxSessions) return { refused: full(load.maxSessions) };
    const { state } = await handle.load(sessions, streams.session(sessionId), { tenantId });
    const locale = state.status === 'absent' ? 'en' : state.locale;
    const components = plane.health();
    const works = (name: string) => components.some((component) => component.name === `${name} (${locale})` && component.status !== 'down');
    const voice = {
      speaks: enabled.speech && works('speech synthesis'),
      listens: enabled.listening && works('speech recognition'),
      face: enabled.face,
    };
    return {
      ...turn.grant(sessionId),
      iceTransportPolicy: 'relay',
      publicIp: turn.publicIp,
      portRange: turn.portRange,
      voice: {
        ...voice,
        missing: [
          ...(voice.speaks ? [] : ['speech_synthesis' as const]),
          ...(voice.listens ? [] : ['speech_recognition' as const]),
          ...(voice.face ? [] : ['avatar' as const]),
        ],
      },
    };
  }

  async negotiate(
    tenantId: TenantId,
    { sessionId, peerId, offer }: { readonly sessionId: SessionId; readonly peerId: string; readonly offer: string },
  ): Promise<Outcome<{ readonly answer: string }>> {
    const { turn, plane } = this.#options;
    const relay = turn?.health();
    if (relay?.status === 'down') {
      return { refused: { code: 'relay_unavailable', message: 'the media relay does not answer: go on in writing', retryAfterMs: 5_000 } };
    }
    const refused = await this.#ensureOpen(tenantId, sessionId);
    if (refused !== null) return refused;
    const answer = await plane.request({ type: 'negotiate', sessionId, peerId, offerSdp: offer });
    return answer.type === 'answered' ? { answer: answer.answerSdp } : refusalOf(answer);
  }

  async addCandidate(request: {
    readonly sessionId: SessionId;
    readonly peerId: string;
    readonly candidate: string;
  }): Promise<Outcome<Nothing>> {
    const answer = await this.#options.plane.request({ type: 'addCandidate', ...request });
    return answer.type === 'done' ? {} : refusalOf(answer);
  }

  /** Live; the first says how the tutor reaches the student now. */
  async *signals(sessionId: SessionId, signal: AbortSignal): AsyncGenerator<Signal, void, undefined> {
    using joined = this.#signals.join(sessionId);
    yield { type: 'hello', quality: this.#options.voice.quality(sessionId) };
    yield* joined.queue.read(signal);
  }

  /** Speech for a client without WebRTC, while somebody reads it. */
  async *chunks(tenantId: TenantId, sessionId: SessionId, signal: AbortSignal): AsyncGenerator<MediaChunk, void, undefined> {
    const refused = await this.#ensureOpen(tenantId, sessionId);
    if (refused !== null) throw new MediaRefused(refused.refused);
    using joined = this.#chunks.join(sessionId);
    this.#options.plane.order({ type: 'stream', sessionId, on: true });
    try {
      yield* joined.queue.read(signal);
    } finally {
      joined[Symbol.dispose]();
      if (!this.#chunks.has(sessionId)) this.#options.plane.order({ type: 'stream', sessionId, on: false });
    }
  }

  /** 16-bit little-endian PCM at 16 kHz. */
  async append(tenantId: TenantId, sessionId: SessionId, pcm: Uint8Array): Promise<Outcome<Nothing>> {
    const refused = await this.#ensureOpen(tenantId, sessionId);
    if (refused !== null) return refused;
    this.#options.plane.order({ type: 'appendAudio', sessionId, pcm });
    return {};
  }

  commit(sessionId: SessionId): void {
    this.#options.plane.order({ type: 'commitAudio', sessionId });
  }

  /** After a start the log may still say that a student hears the tutor: nobody does. */
  async recover(known: readonly { readonly sessionId: SessionId; readonly tenantId: TenantId }[]): Promise<void> {
    for (const { sessionId, tenantId } of known) {
      const { state } = await this.#options.handle.load(sessions, streams.session(sessionId), { tenantId });
      if (state.status !== 'active' || state.quality === 'text') continue;
      await this.#record(tenantId, sessionId, { type: 'ChangeQuality', to: 'text', reason: 'worker_crashed' });
    }
  }

  async #ensureOpen(tenantId: TenantId, sessionId: SessionId): Promise<{ readonly refused: Refusal } | null> {
    const { plane, handle, voice } = this.#options;
    if (plane.isOpen(sessionId)) return null;
    const { state } = await handle.load(sessions, streams.session(sessionId), { tenantId });
    if (state.status !== 'active') return { refused: { code: 'session_ended', message: 'this session has ended: start a new one' } };
    const tutor = await handle.load(tutors, streams.tutor(tenantId, state.tutorId), { tenantId });
    const settings = tutor.state.status === 'absent' ? null : tutor.state.settings;
    const character = settings?.face ?? (state.locale === 'zh' ? 'xiaolan' : 'ada');
    const refused = voice.open({ sessionId, locale: state.locale, voice: settings?.voice ?? null, character });
    if (refused !== null) return { refused };
    this.#open.set(sessionId, { tenantId, studentId: state.studentId });
    if (this.#chunks.has(sessionId)) plane.order({ type: 'stream', sessionId, on: true });
    return null;
  }

  #onFact(fact: SessionFact): void {
    switch (fact.type) {
      case 'signal':
        this.#signals.push(fact.sessionId, fact.signal);
        break;
      case 'chunk': {
        const { packets, visemes, ...chunk } = fact.chunk;
        const encoded = packets.map((packet) => Buffer.from(packet).toString('base64'));
        this.#chunks.push(fact.sessionId, { ...chunk, packets: encoded, visemes: [...visemes] });
        break;
      }
      default:
        // A place whose student is gone is for somebody else; a new connection opens it again.
        if (fact.type === 'disconnected' && fact.reason === 'replaced') {
          this.#signals.push(fact.sessionId, { type: 'replaced', peerId: fact.peerId });
        }
        if (fact.type === 'quality' && fact.to === 'text' && !this.#chunks.has(fact.sessionId)) this.#options.voice.close(fact.sessionId);
        this.#handle(fact);
    }
  }

  /** One after the other, and never in the way of what is live. */
  #handle(fact: SessionFact): void {
    const { sessionId } = fact;
    const before = this.#handling.get(sessionId) ?? Promise.resolve();
    const after = before.then(() => this.#act(fact)).catch(this.#options.onDefect);
    this.#handling.set(sessionId, after);
    void after.then(() => {
      if (this.#handling.get(sessionId) === after) this.#handling.delete(sessionId);
    });
  }

  async #act(fact: SessionFact): Promise<void> {
    const { sessionId } = fact;
    const open = this.#open.get(sessionId);
    if (open === undefined) return;
    const { tenantId, studentId } = open;
    const student = { tenantId, actor: { kind: 'student', id: studentId } } as const;
    switch (fact.type) {
      case 'connected': {
        const { peerId, local, remote } = fact;
        await this.#record(tenantId, sessionId, { type: 'RecordConnected', peerId, local, remote });
        break;
      }
      case 'disconnected': {
        const { peerId, reason, connectedMs, bytesSent } = fact;
        await this.#record(tenantId, sessionId, { type: 'RecordDisconnected', peerId, reason, connectedMs, bytesSent });
        break;
      }
      case 'quality':
        await this.#changeQuality(open, fact);
        break;
      case 'bargeIn':
        await this.#options.lessons.interrupt(sessionId, { turnId: fact.turnId, by: 'student' }, student);
        break;
      case 'utterance': {
        const { utteranceId, text, language, engine, model, asrMs, durationMs } = fact;
        const spoken = { language, asr: { engine, model, asrMs, durationMs } };
        const message = { clientMessageId: utteranceId, text: text.toWellFormed().slice(0, maxMessageLength), spoken };
        await this.#options.lessons.receive(sessionId, message, student);
        break;
      }
      default:
    }
  }

  async #changeQuality({ tenantId }: Open, { sessionId, to, reason }: Extract<SessionFact, { type: 'quality' }>): Promise<void> {
    const from = await this.#record(tenantId, sessionId, { type: 'ChangeQuality', to, reason });
    if (from !== null && from !== to) this.#signals.push(sessionId, { type: 'quality', from, to, reason });
  }

  /** The quality before it; null: the session is over. */
  async #record(tenantId: TenantId, sessionId: SessionId, fact: MediaFact): Promise<Quality | null> {
    let before: Quality | null = null;
    const handled = await this.#options.handle.handle({
      aggregate: sessions,
      stream: streams.session(sessionId),
      commands: (state) => {
        before = state.status === 'active' ? state.quality : null;
        return [fact];
      },
      context: { tenantId, actor: { kind: 'system', id: this.#options.node }, patienceMs },
    });
    return handled.status === 'done' ? before : null;
  }

  /** The session is over here. */
  forget(sessionId: SessionId): void {
    this.#open.delete(sessionId);
  }
}

function full(places: number): Refusal {
  return {
    code: 'capacity_exceeded',
    message: `all ${places} places for voice and video are taken (MAX_MEDIA_SESSIONS, or the ports of the relay): text goes on, try again later`,
    retryAfterMs: 15_000,
  };
}

/** A subscription that cannot begin. */
export class MediaRefused extends Error {
  override readonly name = 'MediaRefused';
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

function refusalOf(answer: MediaAnswer): { readonly refused: Refusal } {
  if (answer.type !== 'refused') return { refused: { code: 'unavailable', message: 'the engine worker gave no answer: connect again' } };
  switch (answer.code) {
    case 'internal':
      return { refused: { code: 'unavailable', message: answer.reason, retryAfterMs: 1_000 } };
    case 'no_free_port':
      return { refused: { code: 'capacity_exceeded', message: answer.reason, retryAfterMs: 10_000 } };
    default:
      return { refused: { code: 'media_blocked', message: answer.reason } };
  }
}

import type { Face } from '@virtual-tutor/engine/media';
import {
  type MediaChunk,
  type SessionId,
  type Signal,
  type StreamName,
  streams,
  type TenantId,
  type WebrtcConfig,
} from '@virtual-tutor/schemas';
import type { Refusal } from '../domain/decision.ts';
import { sessions, tutors } from './aggregates.ts';
import type { ClearEvent } from './event-codec.ts';
import { FaceChoice } from './face-choice.ts';
import type { Handle } from './handle.ts';
import type { Lessons, Outcome } from './lessons.ts';
import { LiveQueues } from './live-queue.ts';
import { MediaFacts, type MediaOwner } from './media-facts.ts';
import type { MediaPlane, SessionFact } from './media-plane.ts';
import { MediaRefused, mediaFull, mediaOff, noRelay, refusalOf, sessionNotThere, sessionOver } from './media-refusals.ts';
import type { Clock } from './ports.ts';
import type { TurnAccess } from './turn-access.ts';
import type { Voice } from './voice.ts';

export interface MediaOptions {
  readonly handle: Handle;
  readonly lessons: Lessons;
  readonly voice: Voice;
  readonly plane: MediaPlane;
  /** Null: no relay, so no WebRTC. */
  readonly turn: TurnAccess | null;
  readonly clock: Clock;
  readonly node: string;
  readonly enabled: { readonly speech: boolean; readonly listening: boolean; readonly face: boolean };
  readonly onDefect: (error: unknown) => void;
}

/** An answer that says no more than that it was done. */
type Nothing = Record<string, never>;

/** Media of one session that has its place on a worker, or had it until that crashed. */
interface Place extends MediaOwner {
  /** Who is seen. */
  face: Face;
  /** The peer that is connected. */
  peerId: string | null;
  usedAtMs: number;
}

/** A place that nobody connected to, speaks into or listens at for so long is for somebody else, ms. */
const idleMs = 30_000;
const sweepMs = 1_000;

/** Voice and picture of the sessions on this node, from the student's side: connections, signals, microphone. */
export class Media {
  readonly #options: MediaOptions;
  readonly #places = new Map<SessionId, Place>();
  /** A reader that is behind misses what is replaced by the next first. */
  readonly #signals = new LiveQueues<SessionId, Signal>(({ type }) => type === 'partial' || type === 'listening');
  readonly #chunks = new LiveQueues<SessionId, MediaChunk>(() => true);
  readonly #facts: MediaFacts;
  readonly #faces: FaceChoice;
  readonly #sweeper: NodeJS.Timeout;
  readonly #detach: () => void;

  constructor(options: MediaOptions) {
    this.#options = options;
    this.#faces = new FaceChoice(options.handle);
    this.#facts = new MediaFacts({
      ...options,
      onQuality: (sessionId, change) => this.#signals.push(sessionId, { type: 'quality', ...change }),
    });
    this.#detach = options.plane.onFact((fact) => this.#onFact(fact));
    this.#sweeper = setInterval(() => this.sweep(), sweepMs);
    this.#sweeper.unref();
  }

  /** How to connect, and what works in the session's language. */
  async config(tenantId: TenantId, sessionId: SessionId): Promise<Outcome<WebrtcConfig>> {
    const { turn, handle, plane } = this.#options;
    const refused = this.#noRelay() ?? this.#noRoom(sessionId);
    if (refused !== null) return { refused };
    if (turn === null) return { refused: mediaOff };
    const { state } = await handle.load(sessions, streams.session(sessionId), { tenantId });
    if (state.status === 'absent') return { refused: sessionNotThere };
    if (state.status === 'ended') return { refused: sessionOver };
    const { publicIp, portRange } = turn;
    const voice = worksIn(state.locale, { enabled: this.#options.enabled, components: plane.health() });
    return { ...turn.grant(sessionId), iceTransportPolicy: 'relay', publicIp, portRange, voice };
  }

  /** A new peer takes the place of the one before it; the same one restarts ICE. */
  async negotiate(
    tenantId: TenantId,
    { sessionId, peerId, offer }: { readonly sessionId: SessionId; readonly peerId: string; readonly offer: string },
  ): Promise<Outcome<{ readonly answer: string }>> {
    const refused = this.#noRelay() ?? (await this.#takePlace(tenantId, sessionId));
    if (refused !== null) return { refused };
    const answer = await this.#options.plane.request({ type: 'negotiate', sessionId, peerId, offerSdp: offer });
    return answer.type === 'answered' ? { answer: answer.answerSdp } : { refused: refusalOf(answer) };
  }

  async addCandidate(request: {
    readonly sessionId: SessionId;
    readonly peerId: string;
    readonly candidate: string;
  }): Promise<Outcome<Nothing>> {
    const answer = await this.#options.plane.request({ type: 'addCandidate', ...request });
    return answer.type === 'done' ? {} : { refused: refusalOf(answer) };
  }

  /** Live; the first says how the tutor reaches the student now. */
  async *signals(sessionId: SessionId, signal: AbortSignal): AsyncGenerator<Signal, void, undefined> {
    using joined = this.#signals.join(sessionId);
    yield { type: 'hello', quality: this.#options.voice.quality(sessionId) };
    yield* joined.read(signal);
  }

  /** Speech for a client without WebRTC, while somebody reads it. Throws `MediaRefused`. */
  async *media(tenantId: TenantId, sessionId: SessionId, signal: AbortSignal): AsyncGenerator<MediaChunk, void, undefined> {
    const refused = await this.#takePlace(tenantId, sessionId);
    if (refused !== null) throw new MediaRefused(refused);
    using joined = this.#chunks.join(sessionId);
    try {
      this.#options.plane.order({ type: 'stream', sessionId, on: true });
      yield* joined.read(signal);
    } finally {
      joined[Symbol.dispose]();
      if (!this.#chunks.has(sessionId)) this.#options.plane.order({ type: 'stream', sessionId, on: false });
    }
  }

  /** 16-bit little-endian PCM at 16 kHz. */
  async appendAudio(tenantId: TenantId, sessionId: SessionId, pcm: Uint8Array): Promise<Outcome<Nothing>> {
    if (!this.#options.enabled.listening) return { refused: mediaOff };
    const refused = await this.#takePlace(tenantId, sessionId);
    if (refused !== null) return { refused };
    this.#options.plane.order({ type: 'appendAudio', sessionId, pcm });
    return {};
  }

  commitAudio(sessionId: SessionId): void {
    this.#options.plane.order({ type: 'commitAudio', sessionId });
  }

  /** After a start the log may still say that students hear their tutors. */
  async recover(known: readonly { readonly sessionId: SessionId; readonly tenantId: TenantId }[]): Promise<void> {
    for (const { sessionId, tenantId } of known) await this.#facts.recover(tenantId, sessionId);
  }

  /**
   * A session that is over, by whatever hand, has no voice any more, and a face that was withdrawn is not seen any more. A
   * tutor that is configured anew, or gets its face only now, keeps the one that its lessons under way began with.
   */
  follow(event: ClearEvent): void {
    const withdrawn = this.#faces.follow(event);
    if (withdrawn !== null) this.#takeOff(withdrawn);
    if (event.type !== 'SessionEnded') return;
    for (const sessionId of new Set([...this.#places.keys(), ...this.#signals.keys(), ...this.#chunks.keys()])) {
      if (streams.session(sessionId) !== event.stored.stream) continue;
      this.#options.voice.close(sessionId);
      this.#places.delete(sessionId);
      this.#signals.end(sessionId);
      this.#chunks.end(sessionId);
    }
  }

  /** Gives places back that nobody uses, and listeners theirs again after a worker crashed. */
  sweep(): void {
    const { plane, voice, clock, onDefect } = this.#options;
    for (const [sessionId, place] of this.#places) {
      const listens = this.#chunks.has(sessionId);
      if (listens && !plane.isOpen(sessionId)) this.#takePlace(place.tenantId, sessionId).catch(onDefect);
      if (listens || place.peerId !== null || clock.now() - place.usedAtMs < idleMs) continue;
      voice.close(sessionId);
      this.#places.delete(sessionId);
    }
  }

  close(): void {
    clearInterval(this.#sweeper);
    this.#detach();
  }

  #noRelay(): Refusal | null {
    const { turn } = this.#options;
    if (turn === null) return mediaOff;
    return turn.health().status === 'ok' ? null : noRelay;
  }

  #noRoom(sessionId: SessionId): Refusal | null {
    const { plane } = this.#options;
    const { sessions: taken, maxSessions } = plane.load();
    if (maxSessions === 0) return mediaOff;
    return plane.isOpen(sessionId) || taken < maxSessions ? null : mediaFull(maxSessions);
  }

  /** Null: the session has its place on a worker. */
  async #takePlace(tenantId: TenantId, sessionId: SessionId): Promise<Refusal | null> {
    const { plane, handle, voice, clock } = this.#options;
    const place = this.#places.get(sessionId);
    if (place !== undefined) place.usedAtMs = clock.now();
    if (place !== undefined && plane.isOpen(sessionId)) return null;
    const { state } = await handle.load(sessions, streams.session(sessionId), { tenantId });
    if (state.status === 'absent') return sessionNotThere;
    if (state.status === 'ended') return sessionOver;
    const full = this.#noRoom(sessionId);
    if (full !== null) return full;
    const tutor = await handle.load(tutors, streams.tutor(tenantId, state.tutorId), { tenantId });
    const settings = tutor.state.status === 'absent' ? null : tutor.state.settings;
    const { locale, studentId } = state;
    return this.#faces.choose({ tenantId, settings, locale }, (face) => {
      // Another request was faster, with a face of its own.
      if (plane.isOpen(sessionId)) return null;
      const refused = voice.open({ sessionId, locale, voice: settings?.voice ?? null, face });
      if (refused !== null) return refused;
      const known = this.#places.get(sessionId);
      if (known === undefined) this.#places.set(sessionId, { tenantId, studentId, face, peerId: null, usedAtMs: clock.now() });
      else known.face = face;
      if (this.#chunks.has(sessionId)) plane.order({ type: 'stream', sessionId, on: true });
      return null;
    });
  }

  /** Whoever sees this face sees the drawn one from the next frame on. */
  #takeOff(withdrawn: StreamName): void {
    for (const [sessionId, place] of this.#places) {
      const { face } = place;
      if (face.kind !== 'filmed' || streams.avatar(face.avatarId) !== withdrawn) continue;
      place.face = { kind: 'drawn', character: face.character };
      this.#options.plane.order({ type: 'wear', sessionId, face: place.face });
    }
  }

  #onFact(fact: SessionFact): void {
    const { sessionId } = fact;
    const place = this.#places.get(sessionId);
    if (place === undefined) return;
    switch (fact.type) {
      case 'signal':
        this.#signals.push(sessionId, fact.signal);
        return;
      case 'chunk':
        this.#chunks.push(sessionId, chunkOf(fact.chunk));
        return;
      case 'connected':
        place.peerId = fact.peerId;
        break;
      case 'disconnected':
        this.#disconnected(place, fact);
        break;
      case 'quality':
        // A place whose student is gone is for somebody else; a new connection opens it again.
        if (fact.reason === 'connection_lost' && fact.to === 'text' && !this.#chunks.has(sessionId)) this.#options.voice.close(sessionId);
        break;
      default:
    }
    this.#facts.take(place, fact);
  }

  #disconnected(place: Place, { sessionId, peerId, reason }: Extract<SessionFact, { readonly type: 'disconnected' }>): void {
    if (place.peerId === peerId) place.peerId = null;
    place.usedAtMs = this.#options.clock.now();
    if (reason === 'replaced') this.#signals.push(sessionId, { type: 'replaced', peerId });
  }
}

function worksIn(
  locale: string,
  { enabled, components }: { readonly enabled: MediaOptions['enabled']; readonly components: ReturnType<MediaPlane['health']> },
): WebrtcConfig['voice'] {
  const works = (name: string) => components.some((component) => component.name === `${name} (${locale})` && component.status !== 'down');
  const speaks = enabled.speech && works('speech synthesis');
  const listens = enabled.listening && works('speech recognition');
  const missing: WebrtcConfig['voice']['missing'] = [];
  if (!speaks) missing.push('speech_synthesis');
  if (!listens) missing.push('speech_recognition');
  if (!enabled.face) missing.push('avatar');
  return { speaks, listens, face: enabled.face, missing };
}

function chunkOf({ packets, visemes, ...chunk }: Extract<SessionFact, { readonly type: 'chunk' }>['chunk']): MediaChunk {
  return { ...chunk, packets: packets.map((packet) => Buffer.from(packet).toString('base64')), visemes: [...visemes] };
}

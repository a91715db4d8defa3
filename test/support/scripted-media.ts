import type { ComponentHealth, HeardUpTo, OpenMedia } from '@virtual-tutor/engine/media';
import type { Locale, Quality, QualityReason, SessionId, Signal, TurnId } from '@virtual-tutor/schemas';
import type { MediaAnswer, MediaOrder, MediaPlane, MediaRequest, SessionFact } from '../../packages/server/src/app/media-plane.ts';
import type { Refusal } from '../../packages/server/src/domain/decision.ts';

interface Sentence {
  readonly turnId: TurnId;
  readonly index: number;
  readonly text: string;
}

interface Session {
  readonly media: OpenMedia;
  quality: Quality;
  /** The peer that is connected. */
  peerId: string | null;
  streaming: boolean;
  /** The first one is being said. */
  readonly line: Sentence[];
  /** Characters of the first one that were heard. */
  at: number;
  readonly heardFirst: Set<TurnId>;
}

/** How long one character takes to be said, ms. */
export const charMs = 50;
const candidates = {
  local: { type: 'host', port: 20_000, protocol: 'udp' },
  remote: { type: 'relay', port: 10_111, protocol: 'udp' },
} as const;

/**
 * Engine workers that play a script: what is said is heard when the test says so, in characters,
 * and every fact is told at once. Keeps the promises of the protocol: words, `stopped`, and silence
 * after a stop.
 */
export class ScriptedMedia implements MediaPlane {
  readonly orders: MediaOrder[] = [];
  readonly requests: MediaRequest[] = [];
  readonly opened: OpenMedia[] = [];
  /** Sentences that were heard to their end, as `turnId index`. */
  readonly heardWhole: string[] = [];
  /** How far each turn was heard, word by word. */
  readonly upTo = new Map<TurnId, HeardUpTo>();
  /** What `open` says while set. */
  full: Refusal | null = null;
  maxSessions = 10;
  components: readonly ComponentHealth[] = ['speech synthesis', 'speech recognition'].flatMap((name) =>
    (['en', 'zh'] as const).map((locale) => ({ name: `${name} (${locale})`, status: 'ok' as const, runsOn: 'a script', reason: null })),
  );
  /** Answers the next requests instead of the script; a promise may come late. */
  readonly answers: (MediaAnswer | Promise<MediaAnswer>)[] = [];
  readonly #sessions = new Map<SessionId, Session>();
  readonly #listeners = new Set<(fact: SessionFact) => void>();
  #clockMs = 1_000_000;

  open(media: OpenMedia): Refusal | null {
    if (this.#sessions.has(media.sessionId)) return null;
    if (this.full !== null) return this.full;
    this.opened.push(media);
    const session: Session = {
      media,
      quality: 'text',
      peerId: null,
      streaming: false,
      line: [],
      at: 0,
      heardFirst: new Set(),
    };
    this.#sessions.set(media.sessionId, session);
    return null;
  }

  isOpen(sessionId: SessionId): boolean {
    return this.#sessions.has(sessionId);
  }

  order(order: MediaOrder): void {
    const session = this.#sessions.get(order.sessionId);
    if (session === undefined) return;
    this.orders.push(order);
    switch (order.type) {
      case 'say':
        session.line.push({ turnId: order.turnId, index: order.index, text: order.text });
        break;
      case 'stream':
        session.streaming = order.on;
        if (session.peerId === null) this.reach(order.sessionId, order.on ? 'voice' : 'text', order.on ? 'connected' : 'connection_lost');
        break;
      case 'close':
        this.#sessions.delete(order.sessionId);
        break;
      default:
    }
  }

  async request(request: MediaRequest): Promise<MediaAnswer> {
    this.requests.push(request);
    const requestId = String(this.requests.length);
    const scripted = this.answers.shift();
    if (scripted !== undefined) return scripted;
    const session = this.#sessions.get(request.sessionId);
    if (session === undefined) return { type: 'refused', requestId, code: 'internal', reason: 'the engine worker is gone: connect again' };
    switch (request.type) {
      case 'negotiate':
        return { type: 'answered', requestId, answerSdp: `answer to ${request.peerId}` };
      case 'addCandidate':
        return { type: 'done', requestId };
      case 'stop': {
        const { sessionId, turnId } = request;
        return { type: 'stopped', requestId, sessionId, turnId, heard: this.#stop(session, turnId) };
      }
    }
  }

  onFact(listener: (fact: SessionFact) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  health(): readonly ComponentHealth[] {
    return this.components;
  }

  load() {
    const speaking = [...this.#sessions.values()].filter(({ line }) => line.length > 0).length;
    return { sessions: this.#sessions.size, speaking, maxSessions: this.maxSessions };
  }

  /** What the engine was ordered to say of a turn, in order. */
  said(turnId: TurnId): readonly string[] {
    return this.orders.flatMap((order) => (order.type === 'say' && order.turnId === turnId ? [order.text] : []));
  }

  tell(fact: SessionFact): void {
    for (const listener of this.#listeners) listener(fact);
  }

  signal(sessionId: SessionId, signal: Signal): void {
    this.tell({ type: 'signal', sessionId, signal });
  }

  connect(sessionId: SessionId, { peerId, quality }: { readonly peerId: string; readonly quality?: Quality }): void {
    const session = this.#of(sessionId);
    const before = session.peerId;
    if (before !== null) this.tell({ type: 'disconnected', sessionId, peerId: before, reason: 'replaced', connectedMs: 5, bytesSent: 7 });
    session.peerId = peerId;
    this.tell({ type: 'connected', sessionId, peerId, ...candidates });
    this.reach(sessionId, quality ?? 'video', 'connected');
  }

  reach(sessionId: SessionId, to: Quality, reason: QualityReason): void {
    const session = this.#of(sessionId);
    if (session.quality === to) return;
    session.quality = to;
    this.tell({ type: 'quality', sessionId, to, reason });
  }

  /** The student's connection is gone: nothing that waited will be said. */
  lose(sessionId: SessionId): void {
    const session = this.#of(sessionId);
    if (session.peerId === null) return;
    this.tell({ type: 'disconnected', sessionId, peerId: session.peerId, reason: 'lost', connectedMs: 1_000, bytesSent: 2_000 });
    session.peerId = null;
    session.line.length = 0;
    session.at = 0;
    this.reach(sessionId, session.streaming ? 'voice' : 'text', 'connection_lost');
  }

  /** The worker died: its sessions are not open any more. */
  crash(): void {
    for (const [sessionId, session] of [...this.#sessions]) {
      this.#sessions.delete(sessionId);
      if (session.peerId !== null)
        this.tell({ type: 'disconnected', sessionId, peerId: session.peerId, reason: 'failed', connectedMs: 0, bytesSent: 0 });
      if (session.quality !== 'text') this.tell({ type: 'quality', sessionId, to: 'text', reason: 'worker_crashed' });
    }
  }

  /** The student hears so many characters more; the number that there was to hear. */
  play(sessionId: SessionId, chars: number): number {
    const session = this.#sessions.get(sessionId);
    let left = session === undefined || session.quality === 'text' ? 0 : chars;
    while (session !== undefined && left > 0) {
      const sentence = session.line[0];
      if (sentence === undefined) break;
      this.#beginTurn(session, sentence.turnId);
      const step = Math.min(left, sentence.text.length - session.at);
      session.at += step;
      left -= step;
      this.#hear(session, sentence);
    }
    return chars - left;
  }

  playAll(sessionId: SessionId): void {
    this.play(sessionId, Number.MAX_SAFE_INTEGER);
  }

  /** The sentence that is next cannot be said. */
  cannotSay(sessionId: SessionId): void {
    const sentence = this.#of(sessionId).line.shift();
    this.#of(sessionId).at = 0;
    if (sentence === undefined) return;
    const { turnId, index } = sentence;
    this.tell({ type: 'unspoken', sessionId, turnId, index, code: 'synthesis_failed' });
  }

  /** The student's voice takes the floor. */
  bargeIn(sessionId: SessionId): TurnId | null {
    const session = this.#of(sessionId);
    const turnId = session.line[0]?.turnId;
    if (turnId === undefined) return null;
    const heard = this.#stop(session, turnId) ?? { index: 0, chars: 0, heardMs: 0 };
    this.tell({ type: 'bargeIn', sessionId, turnId, ...heard });
    return turnId;
  }

  utter(sessionId: SessionId, utterance: { readonly utteranceId: string; readonly text: string; readonly language?: Locale }): void {
    const recognition = { engine: 'moonshine', model: 'tiny', endedAtMs: this.#clockMs, asrMs: 120, durationMs: 1_500 };
    this.tell({ type: 'utterance', sessionId, language: 'en', ...recognition, ...utterance });
  }

  #of(sessionId: SessionId): Session {
    const session = this.#sessions.get(sessionId);
    if (session === undefined) throw new Error('this session has no media');
    return session;
  }

  #beginTurn(session: Session, turnId: TurnId): void {
    if (session.heardFirst.has(turnId)) return;
    session.heardFirst.add(turnId);
    const { sessionId } = session.media;
    this.tell({ type: 'firstAudio', sessionId, turnId, atMs: Date.now() });
    if (session.quality === 'video') this.tell({ type: 'firstFrame', sessionId, turnId, atMs: Date.now() });
  }

  #hear(session: Session, { turnId, index, text }: Sentence): void {
    const { sessionId } = session.media;
    const before = this.upTo.get(turnId);
    const chars = wordsUpTo(text, session.at);
    if (before?.index !== index ? chars > 0 : chars > before.chars) {
      const upTo = { index, chars, heardMs: session.at * charMs };
      this.upTo.set(turnId, upTo);
      this.tell({ type: 'progress', sessionId, turnId, ...upTo });
    }
    if (session.at < text.length) return;
    session.line.shift();
    session.at = 0;
    const durationMs = text.length * charMs;
    this.heardWhole.push(`${turnId} ${index}`);
    this.tell({ type: 'heard', sessionId, turnId, index, heardMs: durationMs, durationMs });
  }

  #stop(session: Session, turnId: TurnId): HeardUpTo | null {
    if (session.line[0]?.turnId === turnId) session.at = 0;
    session.line.splice(0, session.line.length, ...session.line.filter((sentence) => sentence.turnId !== turnId));
    return this.upTo.get(turnId) ?? null;
  }
}

/** Where the last whole word before `at` ends. */
export function wordsUpTo(text: string, at: number): number {
  if (at >= text.length) return text.length;
  return text.slice(0, at + 1).match(/^.*\S(?=\s)/su)?.[0].length ?? 0;
}

import type { HeardUpTo, OpenMedia } from '@virtual-tutor/engine/media';
import type { Locale, Quality, SessionId, TurnId } from '@virtual-tutor/schemas';
import type { Refusal } from '../domain/decision.ts';
import type { LessonFeeds } from './lesson-feeds.ts';
import type { LiveReply } from './live-reply.ts';
import type { MediaPlane, SessionFact } from './media-plane.ts';

export interface SpokenSentence {
  readonly sessionId: SessionId;
  readonly turnId: TurnId;
  readonly index: number;
  readonly text: string;
  readonly language: Locale;
}

/** How long an interruption waits for the voice to say how far it came, ms. */
const stopPatienceMs = 200;

/**
 * The tutor's voice as replies see it: who can hear it now, what it says, and how far it came. What the
 * voice did is told to the reply in the making, which keeps the heard truth.
 */
export class Voice {
  readonly #plane: MediaPlane;
  readonly #feeds: LessonFeeds;
  readonly #quality = new Map<SessionId, Quality>();
  readonly #waiting = new Set<() => void>();

  constructor(plane: MediaPlane, feeds: LessonFeeds) {
    this.#plane = plane;
    this.#feeds = feeds;
    plane.onFact((fact) => this.#follow(fact));
  }

  quality(sessionId: SessionId): Quality {
    return this.#quality.get(sessionId) ?? 'text';
  }

  /** The student can hear the tutor. */
  reaches(sessionId: SessionId): boolean {
    return this.quality(sessionId) !== 'text';
  }

  /** Resolves when the student can hear the tutor, or after `patienceMs`. */
  async toReach(sessionId: SessionId, patienceMs: number): Promise<void> {
    if (this.reaches(sessionId)) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const check = () => void (this.reaches(sessionId) && resolve());
    this.#waiting.add(check);
    const timer = setTimeout(resolve, patienceMs);
    await promise;
    clearTimeout(timer);
    this.#waiting.delete(check);
  }

  open(media: OpenMedia): Refusal | null {
    return this.#plane.open(media);
  }

  /** Tells a reply in the making whether the student can hear it. */
  accompany(live: LiveReply, sessionId: SessionId): void {
    if (this.reaches(sessionId)) live.voiceBegins();
    else live.voiceLost();
  }

  /** Orders this sentence to be said, if the student can hear it; then the voice decides when it was heard. */
  say(live: LiveReply, sentence: SpokenSentence): void {
    if (live.silenced || !this.reaches(sentence.sessionId)) return;
    live.givenToVoice(sentence.index);
    this.#plane.order({ type: 'say', ...sentence });
  }

  /** Silence at once and for good; the reply then knows how far it was heard. */
  async stop(sessionId: SessionId, live: LiveReply): Promise<void> {
    live.silence();
    if (!live.spoken || !this.#plane.isOpen(sessionId)) return;
    const late = Promise.withResolvers<null>();
    const timer = setTimeout(() => late.resolve(null), stopPatienceMs);
    const answer = await Promise.race([this.#plane.request({ type: 'stop', sessionId, turnId: live.turnId }), late.promise]);
    clearTimeout(timer);
    if (answer?.type === 'stopped' && answer.heard !== null) live.played(answer.heard);
  }

  close(sessionId: SessionId): void {
    this.#plane.order({ type: 'close', sessionId });
    this.#reach(sessionId, 'text');
    this.#quality.delete(sessionId);
  }

  #follow(fact: SessionFact): void {
    if (fact.type === 'quality') {
      this.#reach(fact.sessionId, fact.to);
      return;
    }
    if (!('turnId' in fact)) return;
    const live = this.#feeds.find(fact.sessionId)?.live ?? null;
    if (live?.turnId === fact.turnId) tell(live, fact);
  }

  #reach(sessionId: SessionId, quality: Quality): void {
    this.#quality.set(sessionId, quality);
    const live = this.#feeds.find(sessionId)?.live ?? null;
    if (live !== null) this.accompany(live, sessionId);
    for (const check of this.#waiting) check();
  }
}

function tell(live: LiveReply, fact: Extract<SessionFact, { readonly turnId: TurnId }>): void {
  switch (fact.type) {
    case 'heard':
      live.playedWhole(fact.index, { heardMs: fact.heardMs, durationMs: fact.durationMs });
      break;
    case 'progress':
    case 'bargeIn':
      live.played(upToOf(fact));
      break;
    case 'unspoken':
      live.unspoken(fact.index);
      break;
    case 'firstAudio':
      live.firstAudioAtMs ??= fact.atMs;
      break;
    case 'firstFrame':
      live.firstFrameAtMs ??= fact.atMs;
      break;
    case 'stopped':
      break;
  }
}

function upToOf({ index, chars, heardMs }: HeardUpTo): HeardUpTo {
  return { index, chars, heardMs };
}

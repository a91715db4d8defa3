import type { ComponentHealth, OpenMedia, WorkerCommand, WorkerFact } from '@virtual-tutor/engine/media';
import type { SessionId } from '@virtual-tutor/schemas';
import type { Refusal } from '../domain/decision.ts';

type OfType<T, K> = Extract<T, { readonly type: K }>;
type OfSession<T> = T extends { readonly sessionId: SessionId } ? T : never;

/** Facts about one session, in the order they happened. */
export type SessionFact = OfSession<WorkerFact>;
/** Commands without an answer. */
export type MediaOrder = OfType<WorkerCommand, 'say' | 'appendAudio' | 'commitAudio' | 'stream' | 'wear' | 'close'>;
/** Commands with one. */
export type MediaRequest = DistributiveOmit<OfType<WorkerCommand, 'negotiate' | 'addCandidate' | 'stop'>, 'requestId'>;
export type MediaAnswer = OfType<WorkerFact, 'answered' | 'done' | 'refused' | 'stopped'>;
type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/**
 * The engine workers as the application sees them. A worker that crashes takes only live parts
 * along: its sessions get `disconnected` and `quality` facts and may be opened again at once.
 */
export interface MediaPlane {
  /** Places the session's media on a worker with room, or says why not. Harmless when it is open. */
  open(media: OpenMedia): Refusal | null;
  isOpen(sessionId: SessionId): boolean;
  /** Dropped when the session is not open. */
  order(order: MediaOrder): void;
  /** Answers within 5 s, `refused` with code `internal` when the worker is gone. */
  request(request: MediaRequest): Promise<MediaAnswer>;
  /** Returns the unsubscribe. */
  onFact(listener: (fact: SessionFact) => void): () => void;
  health(): readonly ComponentHealth[];
  /** Sessions with media now, those of them speaking, and how many there may be. */
  load(): { readonly sessions: number; readonly speaking: number; readonly maxSessions: number };
}

/** Voice and video are switched off. */
export const noMedia: MediaPlane = {
  open: () => ({ code: 'media_unavailable', message: 'voice and video are switched off on this engine' }),
  isOpen: () => false,
  order: () => undefined,
  request: async () => ({ type: 'refused', requestId: '', code: 'internal', reason: 'voice and video are switched off on this engine' }),
  onFact: () => () => undefined,
  health: () => [],
  load: () => ({ sessions: 0, speaking: 0, maxSessions: 0 }),
};

import {
  maxMessageLength,
  type Quality,
  type QualityReason,
  type SessionId,
  type StudentId,
  streams,
  type TenantId,
} from '@virtual-tutor/schemas';
import type { MediaFact } from '../domain/session.ts';
import { sessions } from './aggregates.ts';
import type { Handle } from './handle.ts';
import type { Lessons } from './lessons.ts';
import type { SessionFact } from './media-plane.ts';

export interface MediaFactsOptions {
  readonly handle: Handle;
  readonly lessons: Lessons;
  readonly node: string;
  readonly onQuality: (
    sessionId: SessionId,
    change: { readonly from: Quality; readonly to: Quality; readonly reason: QualityReason },
  ) => void;
  readonly onDefect: (error: unknown) => void;
}

/** Whose media it is. */
export interface MediaOwner {
  readonly tenantId: TenantId;
  readonly studentId: StudentId;
}

/** How long facts of a session wait for an unreachable log, ms. */
const patienceMs = 30_000;

/** Takes what happened to a session's media into its log: one fact after the other, and never in the way of what is live. */
export class MediaFacts {
  readonly #options: MediaFactsOptions;
  readonly #handling = new Map<SessionId, Promise<void>>();

  constructor(options: MediaFactsOptions) {
    this.#options = options;
  }

  take(owner: MediaOwner, fact: SessionFact): void {
    const { sessionId } = fact;
    const before = this.#handling.get(sessionId) ?? Promise.resolve();
    const after = before.then(() => this.#act(owner, fact)).catch(this.#options.onDefect);
    this.#handling.set(sessionId, after);
    void after.then(() => {
      if (this.#handling.get(sessionId) === after) this.#handling.delete(sessionId);
    });
  }

  /** After a start the log may still say that a student hears the tutor: nobody does. */
  async recover(tenantId: TenantId, sessionId: SessionId): Promise<void> {
    const { state } = await this.#options.handle.load(sessions, streams.session(sessionId), { tenantId });
    if (state.status !== 'active' || state.quality === 'text') return;
    await this.#record(tenantId, sessionId, { type: 'ChangeQuality', to: 'text', reason: 'worker_crashed' });
  }

  async #act({ tenantId, studentId }: MediaOwner, fact: SessionFact): Promise<void> {
    const { lessons, onQuality } = this.#options;
    const { sessionId } = fact;
    const student = { tenantId, actor: { kind: 'student', id: studentId }, patienceMs } as const;
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
      case 'quality': {
        const { to, reason } = fact;
        const from = await this.#record(tenantId, sessionId, { type: 'ChangeQuality', to, reason });
        if (from !== null && from !== to) onQuality(sessionId, { from, to, reason });
        break;
      }
      case 'bargeIn':
        await lessons.interrupt(sessionId, { turnId: fact.turnId, by: 'student' }, student);
        break;
      case 'utterance': {
        const { utteranceId, language, engine, model, asrMs, durationMs } = fact;
        const text = fact.text.slice(0, maxMessageLength).toWellFormed().trim();
        const spoken = { language, asr: { engine, model, asrMs, durationMs } };
        if (text !== '') await lessons.receive(sessionId, { clientMessageId: utteranceId, text, spoken }, student);
        break;
      }
      default:
    }
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
}

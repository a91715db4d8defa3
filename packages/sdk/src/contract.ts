/*
 * The public types, written by hand so that no router leaks into an importer's `.d.ts`; type tests
 * tie them to the router and the schemas.
 */

import type { Avatars } from './avatar-contract.ts';
import type { CallOptions, MutationOptions, ReconnectPolicy } from './call-contract.ts';
import type { ErrorCode, TutorErrorShape } from './error-contract.ts';
import type { MediaChunk, Quality, QualityReason, Signal, SpokenAudio, TutorMedia } from './media-contract.ts';
import type { LogVerdict, Seal, SealCoverage } from './seal-contract.ts';

export type * from './avatar-contract.ts';
export type * from './call-contract.ts';
export type { ErrorCode, TutorErrorShape } from './error-contract.ts';
export type * from './media-contract.ts';
export type * from './seal-contract.ts';

export type Locale = 'en' | 'zh';
export type Role = 'operator' | 'teacher' | 'auditor';
export type EndReason = 'student' | 'operator' | 'timeout' | 'idle' | 'revoked';

export interface Session {
  readonly id: string;
  readonly tutorId: string;
  readonly studentId: string;
  readonly knowledgeBaseId: string | null;
  readonly locale: Locale;
  readonly mode: 'session' | 'user';
  readonly status: 'active' | 'ended';
  readonly endReason: EndReason | null;
  readonly turns: number;
  /** ISO 8601, as every `…At`. */
  readonly createdAt: string;
  readonly endedAt: string | null;
}

/** What a browser needs to join. Hand it over; keep the API key. */
export interface Grant {
  readonly sessionId: string;
  readonly url: string;
  readonly token: string;
  readonly expiresAt: string;
}

export interface TutorSettings {
  readonly name: string;
  readonly language: Locale;
  readonly systemPrompt: string;
  /** Null: the engine's default model. */
  readonly llmModel: string | null;
  /** 0 to 2; null: the engine's default. */
  readonly temperature: number | null;
  readonly knowledgeBaseId: string | null;
  readonly greeting: string;
  /** A voice of one of the engine's synthesisers; null: the default of the language. */
  readonly voice: string | null;
  /** Who is drawn; null: the default of the language. */
  readonly face: 'ada' | 'xiaolan' | null;
  /** Who is seen in place of the drawn tutor, while that avatar is ready; null: nobody. */
  readonly avatarId: string | null;
}

/** Settings as they are written: what says nothing of voice and face leaves them to the language. */
export interface TutorSettingsInput extends Omit<TutorSettings, 'voice' | 'face' | 'avatarId'> {
  readonly voice?: TutorSettings['voice'] | undefined;
  readonly face?: TutorSettings['face'] | undefined;
  readonly avatarId?: TutorSettings['avatarId'] | undefined;
}

export interface Tutor {
  readonly id: string;
  readonly revision: number;
  readonly status: 'active' | 'retired';
  readonly settings: TutorSettings;
}

export interface KnowledgeBase {
  readonly id: string;
  readonly name: string;
  readonly revision: number;
  readonly documents: number;
}

export interface KnowledgeDocument {
  readonly id: string;
  readonly title: string;
  readonly mime: 'text/plain' | 'text/markdown';
  readonly bytes: number;
  readonly sha256: string;
  readonly status: 'adding' | 'indexed' | 'rejected';
  readonly passages: number;
  readonly rejection: 'empty' | 'not_utf8' | 'no_passages' | null;
}

export interface Health {
  readonly status: 'ok' | 'degraded' | 'down';
  readonly version: string;
  readonly protocolVersion: number;
  readonly node: string;
  readonly sessions: { readonly active: number; readonly max: number };
  readonly dependencies: readonly {
    readonly name: string;
    readonly status: 'ok' | 'degraded' | 'down';
    readonly runsOn: string;
    readonly reason: string | null;
  }[];
}

/** Where the time of a turn went, ms after the engine took the message up. */
export interface TurnTimings {
  /** Recognition, from the end of the student's voice to the message; null: typed. */
  readonly asrMs: number | null;
  readonly retrieveMs: number;
  readonly firstTokenMs: number;
  /** First packet of the tutor's voice, and first frame of a moving mouth, leaving the engine; null: text only. */
  readonly firstAudioMs: number | null;
  readonly firstFrameMs: number | null;
  readonly totalMs: number;
}

export interface TranscriptTurn {
  readonly turnId: string;
  readonly message: string | null;
  readonly reply: string | null;
  readonly status: 'waiting' | 'replying' | 'completed' | 'interrupted' | 'failed';
  readonly provider: string | null;
  readonly model: string | null;
  readonly receivedAt: string;
  readonly timings: TurnTimings | null;
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
}

export interface AuditedEvent {
  readonly id: string;
  readonly type: string;
  readonly schemaVersion: number;
  readonly stream: string;
  readonly revision: number;
  readonly position: number;
  readonly occurredAt: string;
  readonly recordedAt: string;
  readonly tenantId: string;
  readonly actor: { readonly kind: 'student' | 'teacher' | 'operator' | 'auditor' | 'system'; readonly id: string };
  readonly causationId: string;
  readonly correlationId: string;
  readonly payload: Readonly<Record<string, unknown>>;
  /** Absent: nothing personal in this type. Null: its key was destroyed. */
  readonly personal?: Readonly<Record<string, unknown>> | null;
  readonly contentHash: string;
  readonly hash: string;
}

export type ChainVerdict =
  | { readonly verdict: 'intact'; readonly stream: string; readonly events: number; readonly headHash: string }
  | {
      readonly verdict: 'broken';
      readonly stream: string;
      readonly revision: number;
      readonly position: number | null;
      readonly reason: string;
    };

/** An audited state is shown, not computed with: the fold's shape is the engine's (`SessionState` in its schemas). */
export interface AuditedState {
  readonly revision: number;
  readonly state: Readonly<Record<string, unknown>> & { readonly status: 'absent' | 'active' | 'ended' };
}

export interface Forgotten {
  readonly studentId: string;
  readonly endedSessions: number;
  /** Of her keys, in the files of the database. `pending`: they go with its own checkpoints; see docs/operations/erasure.md. */
  readonly traces: 'cleared' | 'pending';
}

/** Days for which the words of a lesson are kept after its end; null: until the student is forgotten. */
export interface Retention {
  readonly wordsDays: number | null;
}

/** A tutor as configured at a revision. */
export interface TutorThen {
  readonly revision: number;
  readonly settings: TutorSettings;
  readonly configuredBy: AuditedEvent['actor'];
  /** ISO 8601. */
  readonly configuredAt: string;
}

/** One line of an evidence pack. */
export interface EvidenceLine {
  readonly kind: 'pack' | 'schema' | 'seal' | 'event' | 'passage' | 'report' | 'end';
}

/** First who she is, then the school's own events about her, then each lesson, newest first, with its events. */
export type ExportItem =
  | {
      readonly type: 'student';
      readonly studentId: string;
      readonly exportedAt: string;
      /** Her words are gone: they are null in the events. */
      readonly forgotten: boolean;
      readonly wordsDays: number | null;
    }
  | {
      readonly type: 'session';
      readonly sessionId: string;
      readonly locale: Locale;
      readonly createdAt: string;
      /** As configured when the lesson began, and by whom. */
      readonly tutor: {
        readonly id: string;
        readonly revision: number;
        readonly name: string;
        readonly configuredBy: AuditedEvent['actor'];
        readonly configuredAt: string;
      };
    }
  | { readonly type: 'event'; readonly event: AuditedEvent };

/** Control plane. For servers: it holds an API key and throws in a browser unless given a console token. */
export interface TutorClient {
  health(options?: CallOptions): Promise<Health>;
  whoami(options?: CallOptions): Promise<{ readonly tenantId: string; readonly roles: readonly Role[] }>;
  readonly sessions: {
    create(
      session: {
        readonly tutorId: string;
        readonly studentId: string;
        readonly knowledgeBaseId?: string;
        readonly locale?: Locale;
        readonly mode?: 'session' | 'user';
      },
      options?: MutationOptions,
    ): Promise<{ readonly session: Session; readonly grant: Grant }>;
    get(sessionId: string, options?: CallOptions): Promise<Session>;
    /** Newest first; pages are fetched as you iterate. */
    list(filter?: { readonly status?: 'active' | 'ended' }, options?: CallOptions): AsyncIterable<Session>;
    end(sessionId: string, options?: MutationOptions): Promise<Session>;
    issueToken(sessionId: string, options?: CallOptions): Promise<Grant>;
    invite(
      sessionId: string,
      invitation?: { readonly ttlSeconds?: number },
      options?: MutationOptions,
    ): Promise<{ readonly url: string; readonly expiresAt: string }>;
    transcript(sessionId: string, options?: CallOptions): AsyncIterable<TranscriptTurn>;
  };
  readonly tutors: {
    configure(tutorId: string, settings: TutorSettingsInput, options?: MutationOptions): Promise<Tutor>;
    get(tutorId: string, options?: CallOptions): Promise<Tutor>;
    list(options?: CallOptions): AsyncIterable<Tutor>;
    retire(tutorId: string, options?: MutationOptions): Promise<Tutor>;
  };
  readonly knowledge: {
    create(knowledgeBaseId: string, name: string, options?: MutationOptions): Promise<KnowledgeBase>;
    get(knowledgeBaseId: string, options?: CallOptions): Promise<KnowledgeBase>;
    list(options?: CallOptions): AsyncIterable<KnowledgeBase>;
    addDocument(
      knowledgeBaseId: string,
      document: { readonly title: string; readonly mime: 'text/plain' | 'text/markdown'; readonly text: string },
      options?: MutationOptions,
    ): Promise<KnowledgeDocument>;
    documents(knowledgeBaseId: string, options?: CallOptions): AsyncIterable<KnowledgeDocument>;
    removeDocument(knowledgeBaseId: string, documentId: string, options?: MutationOptions): Promise<KnowledgeBase>;
  };
  readonly avatars: Avatars;
  readonly audit: {
    sessions(filter?: { readonly studentId?: string }, options?: CallOptions): AsyncIterable<Session>;
    /** Oldest first. */
    events(sessionId: string, options?: CallOptions & { readonly after?: number }): AsyncIterable<AuditedEvent>;
    state(sessionId: string, at?: { readonly revision?: number }, options?: CallOptions): Promise<AuditedState>;
    verify(sessionId: string, options?: CallOptions): Promise<ChainVerdict>;
    /** A tutor's settings right after a revision, and who made them so; omitted: now. */
    tutor(tutorId: string, at?: { readonly revision?: number }, options?: CallOptions): Promise<TutorThen>;
    /** Which seals the session's events are under. */
    coverage(sessionId: string, options?: CallOptions): Promise<SealCoverage>;
    /** The whole chain of seals, from the root statement on: for a copy of one's own. */
    seals(options?: CallOptions & { readonly after?: number }): AsyncIterable<Seal>;
    /** The whole log against its seals. `noted`: seal hashes that were kept elsewhere. */
    verifyLog(options?: {
      readonly noted?: readonly string[];
      readonly signal?: AbortSignal;
      readonly onProgress?: (checked: number) => void;
    }): Promise<LogVerdict>;
    /** A lesson as evidence: the text of a file that `verify-evidence.mjs` checks offline. `redacted`: without words and passages. */
    export(sessionId: string, options?: { readonly redacted?: boolean; readonly signal?: AbortSignal }): Promise<string>;
    /** Every event of the tenant, history first, then live. `break` stops it. */
    tail(options?: { readonly signal?: AbortSignal; readonly after?: number }): AsyncIterable<AuditedEvent>;
  };
  readonly privacy: {
    /** Ends her lessons and destroys her keys: nothing of what was said can ever be read again. */
    forgetStudent(studentId: string, options?: MutationOptions): Promise<Forgotten>;
    /** Everything about her, piece by piece, as pages are fetched; the log records who asked. */
    exportStudent(studentId: string, options?: MutationOptions): AsyncIterable<ExportItem>;
    retention(options?: CallOptions): Promise<Retention>;
    /** Holds for lessons that have ended already, too: their words go within the hour. */
    configureRetention(retention: Retention, options?: MutationOptions): Promise<Retention>;
  };
}

export type ConnectionState = 'connecting' | 'connected' | 'reconnecting' | 'closed';

export interface Passage {
  readonly passageId: string;
  readonly documentId: string;
  /** Null when the document was removed since. */
  readonly title: string | null;
  readonly text: string | null;
}

export interface ViewedSentence {
  readonly index: number;
  readonly text: string;
  readonly citations: readonly string[];
  /** False while it is still being written. */
  readonly closed: boolean;
}

/** One question and its answer as they stand now: a pure fold over the feed, equal after any reload. */
export interface ViewedTurn {
  readonly turnId: string;
  readonly clientMessageId: string;
  readonly message: string | null;
  /** Typed or spoken. */
  readonly modality: 'text' | 'voice';
  readonly sentAt: string;
  readonly status: 'waiting' | 'replying' | 'completed' | 'interrupted' | 'failed';
  readonly sentences: readonly ViewedSentence[];
  /** The sentences joined, or what was heard when interrupted. */
  readonly reply: string;
  readonly passages: readonly Passage[];
  readonly provider: string | null;
  readonly model: string | null;
  /** Set when another provider stepped in for the one wished for. */
  readonly fallback: { readonly from: string; readonly code: ErrorCode } | null;
  readonly failure: { readonly code: ErrorCode; readonly retryable: boolean } | null;
  readonly timings: TurnTimings | null;
}

export interface SessionView {
  readonly tutorId: string | null;
  readonly tutorName: string | null;
  readonly greeting: string | null;
  readonly locale: Locale | null;
  readonly turns: readonly ViewedTurn[];
  /** How the tutor reaches the student, as the log has it. */
  readonly quality: Quality;
  /** Why that changed last; null before the first change. */
  readonly qualityReason: QualityReason | null;
  readonly ended: EndReason | null;
  /** True once history is through. */
  readonly caughtUp: boolean;
}

export type TurnEvent =
  /** The next piece of the reply; all `delta`s since the last `rewrite` of a sentence, joined, are its text. */
  | { readonly type: 'text'; readonly turnId: string; readonly index: number; readonly delta: string }
  /** After an engine restart an unfinished sentence came out differently: replace it. */
  | { readonly type: 'rewrite'; readonly turnId: string; readonly index: number; readonly text: string }
  | { readonly type: 'passages'; readonly turnId: string; readonly passages: readonly Passage[] }
  | {
      readonly type: 'sentence';
      readonly turnId: string;
      readonly index: number;
      readonly text: string;
      readonly citations: readonly string[];
    }
  | {
      readonly type: 'done';
      readonly turnId: string;
      readonly reason: 'completed' | 'interrupted' | 'failed';
      readonly reply: string;
      readonly failure: { readonly code: ErrorCode; readonly retryable: boolean } | null;
      readonly timings: TurnTimings | null;
    };

/** A reply under way. Iterate it once, or await `text()`. Leaving the loop early interrupts the tutor. */
export interface Turn extends AsyncIterable<TurnEvent> {
  readonly clientMessageId: string;
  /** Resolves when the engine has the message in its log. */
  readonly id: Promise<string>;
  /** The whole reply; rejects when it failed. */
  text(): Promise<string>;
  /** Stops the tutor; resolves when the log says so. */
  cancel(): Promise<void>;
}

export interface SessionEvents {
  state: { readonly state: ConnectionState; readonly error?: TutorErrorShape };
  turn: TurnEvent;
  /** After each change of the view, at most once per animation frame's worth of work. */
  view: SessionView;
  resumed: { readonly lastEventId: string | undefined; readonly attempts: number };
  ended: { readonly reason: EndReason };
  error: TutorErrorShape;
}

export interface ConnectOptions {
  readonly url: string;
  readonly sessionId: string;
  /** The engine token, or how to get a fresh one: asked again after expiry or revocation. */
  readonly token: string | (() => Promise<string>);
  /** Resume after this feed id with the `view` that belongs to it; omitted: history from the start. */
  readonly resume?: { readonly lastEventId: string; readonly view: SessionView };
  readonly signal?: AbortSignal;
  readonly reconnect?: ReconnectPolicy;
  /** For runtimes without a global `WebSocket`. */
  readonly WebSocket?: typeof WebSocket;
  /** `sse` for networks that break WebSockets; default `ws`. */
  readonly transport?: 'ws' | 'sse';
}

/** One lesson from the student's side. */
export interface TutorSession extends AsyncDisposable {
  readonly id: string;
  readonly state: ConnectionState;
  readonly lastEventId: string | undefined;
  /** The lesson as it stands: same object until it changes (for `useSyncExternalStore`). */
  readonly view: SessionView;
  readonly chat: { send(text: string, options?: { readonly signal?: AbortSignal; readonly clientMessageId?: string }): Turn };
  /** Voice and face over WebRTC. Nothing is opened before `connect`, `attachVideo` or `mic.start`. */
  readonly media: TutorMedia;
  /** The student's voice for clients without WebRTC. */
  readonly audio: SpokenAudio;
  /** The tutor's voice for clients without WebRTC, live. A slow reader misses the oldest. */
  mediaChunks(options?: { readonly signal?: AbortSignal }): AsyncIterable<MediaChunk>;
  /** The live side of voice, for clients without WebRTC; others read `media`. A slow reader misses the oldest. */
  signals(options?: { readonly signal?: AbortSignal }): AsyncIterable<Signal>;
  interrupt(): Promise<void>;
  /** A fresh grant of the same scope, while the current token is valid. */
  renewToken(): Promise<Grant>;
  on<K extends keyof SessionEvents>(
    event: K,
    listener: (event: SessionEvents[K]) => void,
    options?: { readonly signal?: AbortSignal },
  ): () => void;
  /** All turn events from now on; bounded: a lagging reader gets adjacent deltas joined, never fewer. */
  events(options?: { readonly signal?: AbortSignal }): AsyncIterable<TurnEvent>;
  close(): Promise<void>;
}

import { z } from 'zod';
import { at, idempotencyKey, page, paged, wellFormed } from './api-parts.ts';
import { Appearance } from './appearance.ts';
import { avatars } from './avatar-api.ts';
import { Actor, AuditedEvent } from './event-envelope.ts';
import { DocumentId, KeyId, KnowledgeBaseId, Locale, SessionId, Sha256, StreamName, StudentId, TurnId, TutorId } from './ids.ts';
import { DocumentMime, DocumentRejection } from './knowledge-events.ts';
import { privacy } from './privacy-api.ts';
import { Seal, SealCoverage } from './seal.ts';
import { SessionEndReason, TurnTimings } from './session-events.ts';
import { FeedId } from './session-feed.ts';
import { SessionState } from './session-state.ts';
import { Role } from './tenant-events.ts';
import { TutorSettings } from './tutor-events.ts';

/** Longest message of a student, in characters (UTF-16 code units). */
export const maxMessageLength = 4_000;
/** Largest document, in bytes of UTF-8; it travels as one JSON string. */
export const maxDocumentBytes = 1_000_000;
/** Largest frame on the data plane, bytes. */
export const maxFrameBytes = 256 * 1024;
/** Longest SDP offer, characters. */
export const maxOfferLength = 16_384;
/** Most microphone audio in one `audio.append`, bytes of 16-bit PCM at 16 kHz: two seconds. */
export const maxAudioBytes = 64_000;
/** Most of a clip in one `avatars.upload`, bytes. */
export const maxChunkBytes = 4 * 1024 * 1024;
/** Version of the wire contract. A client of another major version is told `upgrade_required`. */
export const protocolVersion = 1;

export const Session = z.object({
  id: SessionId,
  tutorId: TutorId,
  studentId: StudentId,
  knowledgeBaseId: KnowledgeBaseId.nullable(),
  locale: Locale,
  mode: z.enum(['session', 'user']),
  status: z.enum(['active', 'ended']),
  endReason: SessionEndReason.nullable(),
  turns: z.number().int().nonnegative(),
  createdAt: at,
  endedAt: at.nullable(),
});
export type Session = z.infer<typeof Session>;

/** What a browser needs to join: hand it over, keep the API key. */
export const Grant = z.object({ sessionId: SessionId, url: z.url(), token: z.string(), expiresAt: at });
export type Grant = z.infer<typeof Grant>;

/** Settings as they are written: a caller that knows nothing of voice and face leaves them to the language. */
const TutorInput = TutorSettings.extend({
  voice: TutorSettings.shape.voice.default(null),
  face: TutorSettings.shape.face.default(null),
  avatarId: TutorSettings.shape.avatarId.default(null),
});

export const Tutor = z.object({
  id: TutorId,
  revision: z.number().int().positive(),
  status: z.enum(['active', 'retired']),
  settings: TutorSettings,
});
export type Tutor = z.infer<typeof Tutor>;

export const KnowledgeBase = z.object({
  id: KnowledgeBaseId,
  name: z.string(),
  revision: z.number().int().positive(),
  documents: z.number().int().nonnegative(),
});
export type KnowledgeBase = z.infer<typeof KnowledgeBase>;

export const Document = z.object({
  id: DocumentId,
  title: z.string(),
  mime: DocumentMime,
  bytes: z.number().int().nonnegative(),
  sha256: z.string(),
  status: z.enum(['adding', 'indexed', 'rejected']),
  passages: z.number().int().nonnegative(),
  rejection: DocumentRejection.nullable(),
});
export type Document = z.infer<typeof Document>;

export const ApiKey = z.object({ keyId: KeyId, role: Role, label: z.string(), issuedAt: at, revokedAt: at.nullable() });
export type ApiKey = z.infer<typeof ApiKey>;

/** One dependency of the engine, by name. */
export const DependencyHealth = z.object({
  name: z.string(),
  status: z.enum(['ok', 'degraded', 'down']),
  /** What it runs on, e.g. `PGlite (embedded)`. */
  runsOn: z.string(),
  /** Why it is not ok and what to do; null when ok. */
  reason: z.string().nullable(),
});
export type DependencyHealth = z.infer<typeof DependencyHealth>;

export const Health = z.object({
  status: z.enum(['ok', 'degraded', 'down']),
  version: z.string(),
  protocolVersion: z.number().int(),
  node: z.string(),
  sessions: z.object({ active: z.number().int(), max: z.number().int() }),
  dependencies: z.array(DependencyHealth),
});
export type Health = z.infer<typeof Health>;

/** What a browser needs to open its media connection, which passes only through these servers. */
export const WebrtcConfig = z.object({
  /** `turn:` and `turns:` URLs only. Credentials are of this session and short-lived. */
  iceServers: z.array(z.object({ urls: z.array(z.string()).min(1), username: z.string(), credential: z.string() })),
  iceTransportPolicy: z.literal('relay'),
  /** New allocations are refused after this; a connection that stands is not touched. */
  expiresAt: at,
  /** The predecessor's fields: where the relay is. */
  publicIp: z.string(),
  portRange: z.object({ min: z.number().int(), max: z.number().int() }),
  /** What works in this session's language, and why something does not. */
  voice: z.object({
    speaks: z.boolean(),
    listens: z.boolean(),
    face: z.boolean(),
    /** For the page to show: what to install. */
    missing: z.array(z.enum(['speech_synthesis', 'speech_recognition', 'avatar'])),
  }),
});
export type WebrtcConfig = z.infer<typeof WebrtcConfig>;

/** Encoded speech for clients without WebRTC: Opus packets of 20 ms, mono, 48 kHz. */
export const MediaChunk = z.object({
  turnId: TurnId,
  index: z.number().int().nonnegative(),
  /** Of the first packet, from the beginning of the sentence, ms. */
  atMs: z.number().nonnegative(),
  /** Base64 each. */
  packets: z.array(z.string()),
  visemes: z.array(z.object({ viseme: z.string(), startMs: z.number(), endMs: z.number() })),
});
export type MediaChunk = z.infer<typeof MediaChunk>;

/** Row of the transcript: only what was heard or shown. */
export const TranscriptTurn = z.object({
  turnId: TurnId,
  message: z.string().nullable(),
  reply: z.string().nullable(),
  status: z.enum(['waiting', 'replying', 'completed', 'interrupted', 'failed']),
  provider: z.string().nullable(),
  model: z.string().nullable(),
  receivedAt: at,
  timings: TurnTimings.nullable(),
  promptTokens: z.number().int().nullable(),
  completionTokens: z.number().int().nullable(),
});
export type TranscriptTurn = z.infer<typeof TranscriptTurn>;

/** The chain's verdict on one stream. */
export const ChainVerdict = z.discriminatedUnion('verdict', [
  z.object({ verdict: z.literal('intact'), stream: StreamName, events: z.number().int(), headHash: z.string() }),
  z.object({
    verdict: z.literal('broken'),
    stream: StreamName,
    revision: z.number().int(),
    position: z.number().int().nullable(),
    reason: z.string(),
  }),
]);
export type ChainVerdict = z.infer<typeof ChainVerdict>;

/**
 * Inputs and outputs of every procedure. The router validates with these, the SDK's hand-written
 * types are tied to them by type tests.
 */
export const api = {
  health: { output: Health },
  console: {
    /** Only on loopback: signs the bundled page in. */
    signIn: { output: z.object({ token: z.string(), expiresAt: at }) },
    /** Who this credential is. */
    whoami: { output: z.object({ tenantId: z.string(), roles: z.array(Role) }) },
  },
  sessions: {
    create: {
      input: z.object({
        tutorId: TutorId,
        studentId: StudentId,
        /** Omitted: the tutor's own. */
        knowledgeBaseId: KnowledgeBaseId.optional(),
        /** Omitted: the tutor's language. */
        locale: Locale.optional(),
        mode: z.enum(['session', 'user']).default('session'),
        idempotencyKey,
      }),
      output: z.object({ session: Session, grant: Grant }),
    },
    get: { input: z.object({ sessionId: SessionId }), output: Session },
    list: { input: z.object({ status: z.enum(['active', 'ended']).optional(), ...page }), output: paged(Session) },
    end: { input: z.object({ sessionId: SessionId, idempotencyKey }), output: Session },
    issueToken: { input: z.object({ sessionId: SessionId }), output: Grant },
    /** A one-time link into the student's room; the code travels in the URL's fragment, which browsers do not send. */
    invite: {
      input: z.object({ sessionId: SessionId, ttlSeconds: z.number().int().min(60).max(86_400).default(900), idempotencyKey }),
      output: z.object({ url: z.url(), expiresAt: at }),
    },
    /** Trades the code of a one-time link for a grant. */
    join: { input: z.object({ code: z.string().min(10).max(200) }), output: Grant },
    transcript: { input: z.object({ sessionId: SessionId, ...page }), output: paged(TranscriptTurn) },
  },
  session: {
    events: { input: z.object({ sessionId: SessionId, lastEventId: FeedId.nullish() }) },
    /** Speech of the tutor without WebRTC, live: `MediaChunk`s. A slow reader misses some. */
    media: { input: z.object({ sessionId: SessionId }) },
    /** A fresh token of the same scope, for a client that holds a valid one. */
    renewToken: { input: z.object({ sessionId: SessionId }), output: Grant },
  },
  webrtc: {
    config: { input: z.object({ sessionId: SessionId }), output: WebrtcConfig },
    /** An offer that holds relay candidates only. Again with the same `peerId`: an ICE restart; with another: replaces it. */
    negotiate: {
      input: z.object({ sessionId: SessionId, peerId: z.uuid(), offer: z.string().min(1).max(maxOfferLength) }),
      output: z.object({ answer: z.string() }),
    },
    addCandidate: {
      input: z.object({ sessionId: SessionId, peerId: z.uuid(), candidate: z.string().min(1).max(1_024) }),
      output: z.object({}),
    },
    /** Live, never resumed: see `Signal`. */
    signals: { input: z.object({ sessionId: SessionId }) },
  },
  audio: {
    /** Microphone audio of a client without a track: base64 of 16-bit little-endian PCM at 16 kHz, 100 ms or more a call. */
    append: {
      input: z.object({ sessionId: SessionId, pcm: z.base64().max(Math.ceil(maxAudioBytes / 3) * 4) }),
      output: z.object({}),
    },
    /** The utterance ends here (push-to-talk released). */
    commit: { input: z.object({ sessionId: SessionId }), output: z.object({}) },
  },
  chat: {
    send: {
      input: z.object({
        sessionId: SessionId,
        /** The same id is the same message, however often it is sent. */
        clientMessageId: z.uuid(),
        text: z.string().overwrite(wellFormed).trim().min(1).max(maxMessageLength),
      }),
      output: z.object({ turnId: TurnId, revision: z.number().int().positive() }),
    },
    interrupt: {
      input: z.object({
        sessionId: SessionId,
        /** Omitted: whichever reply is under way. Given: refused when another one is. */
        turnId: TurnId.optional(),
      }),
      output: z.object({ turnId: TurnId }),
    },
  },
  tutors: {
    configure: { input: z.object({ tutorId: TutorId, settings: TutorInput, idempotencyKey }), output: Tutor },
    get: { input: z.object({ tutorId: TutorId }), output: Tutor },
    list: { input: z.object({ ...page }), output: paged(Tutor) },
    retire: { input: z.object({ tutorId: TutorId, idempotencyKey }), output: Tutor },
  },
  knowledge: {
    create: {
      input: z.object({ knowledgeBaseId: KnowledgeBaseId, name: z.string().overwrite(wellFormed).trim().min(1).max(120), idempotencyKey }),
      output: KnowledgeBase,
    },
    get: { input: z.object({ knowledgeBaseId: KnowledgeBaseId }), output: KnowledgeBase },
    list: { input: z.object({ ...page }), output: paged(KnowledgeBase) },
    addDocument: {
      input: z.object({
        knowledgeBaseId: KnowledgeBaseId,
        title: z.string().overwrite(wellFormed).trim().min(1).max(200),
        mime: DocumentMime,
        text: z.string().overwrite(wellFormed).max(maxDocumentBytes),
        idempotencyKey,
      }),
      output: Document,
    },
    documents: { input: z.object({ knowledgeBaseId: KnowledgeBaseId, ...page }), output: paged(Document) },
    removeDocument: {
      input: z.object({ knowledgeBaseId: KnowledgeBaseId, documentId: DocumentId, idempotencyKey }),
      output: KnowledgeBase,
    },
  },
  avatars,
  audit: {
    sessions: { input: z.object({ studentId: StudentId.optional(), ...page }), output: paged(Session) },
    /** Oldest first, revisions after `after`. */
    events: {
      input: z.object({
        sessionId: SessionId,
        after: z.number().int().nonnegative().default(0),
        limit: z.number().int().min(1).max(500).default(200),
      }),
      output: z.object({ items: z.array(AuditedEvent), headRevision: z.number().int() }),
    },
    /** The fold at a revision; omitted: now. */
    state: {
      input: z.object({ sessionId: SessionId, revision: z.number().int().positive().optional() }),
      output: z.object({ revision: z.number().int(), state: SessionState }),
    },
    /** How the tutor looked and sounded, from each opening of the session's voice and picture on. */
    appearances: { input: z.object({ sessionId: SessionId }), output: z.array(Appearance) },
    /** Every event of the tenant as it is appended, tracked by position. */
    tail: {
      input: z.object({
        lastEventId: z
          .string()
          .regex(/^\d{1,15}$/)
          .nullish(),
      }),
    },
    verify: { input: z.object({ sessionId: SessionId }), output: ChainVerdict },
    /** A tutor's settings as they were right after a revision, and who made them so; omitted: now. */
    tutor: {
      input: z.object({ tutorId: TutorId, revision: z.number().int().positive().optional() }),
      output: z.object({ revision: z.number().int(), settings: TutorSettings, configuredBy: Actor, configuredAt: at }),
    },
    /** The documents that answers could cite right after a revision, text and all; omitted: now. `next`: the `after` of the next page. */
    course: {
      input: z.object({
        knowledgeBaseId: KnowledgeBaseId,
        revision: z.number().int().positive().optional(),
        after: z.number().int().nonnegative().default(0),
      }),
      output: z.object({
        revision: z.number().int(),
        documents: z.array(z.object({ documentId: DocumentId, title: z.string(), mime: DocumentMime, text: z.string() })),
        next: z.number().int().nullable(),
      }),
    },
    /** Which seals a session's events are under. */
    coverage: { input: z.object({ sessionId: SessionId }), output: SealCoverage },
    /** The chain of seals, numbers after `after`, for whoever keeps a copy; the root statement is number 0. */
    seals: {
      input: z.object({ after: z.number().int().min(-1).default(-1), limit: z.number().int().min(1).max(500).default(200) }),
      output: z.array(Seal),
    },
    /** Live: `{checked}` now and then, and at the end a `LogVerdict` on the whole log. `noted`: seal hashes that the caller kept. */
    verifyLog: { input: z.object({ noted: z.array(Sha256).max(100).default([]) }) },
    /** Live: the lines of an evidence pack, each an object, and then its end. `redacted`: without words and passages. */
    export: { input: z.object({ sessionId: SessionId, redacted: z.boolean().default(false) }) },
    /** Another key signs the seals from here on. */
    rotateKey: { output: z.object({ sealNo: z.number().int().positive(), keyId: Sha256 }) },
  },
  privacy,
  keys: {
    create: {
      input: z.object({ role: Role, label: z.string().overwrite(wellFormed).trim().max(80).default(''), idempotencyKey }),
      /** The only time the key is shown. */
      output: z.object({ keyId: KeyId, role: Role, key: z.string() }),
    },
    list: { output: z.array(ApiKey) },
    revoke: { input: z.object({ keyId: KeyId, idempotencyKey }), output: ApiKey },
  },
  projections: {
    list: {
      output: z.array(
        z.object({
          name: z.string(),
          generation: z.number().int(),
          state: z.enum(['active', 'rebuilding', 'parked']),
          position: z.number().int(),
          /** Events behind the head. */
          lag: z.number().int(),
          /** Why it is parked. */
          error: z.string().nullable(),
        }),
      ),
    },
    rebuild: { input: z.object({ name: z.string().min(1).max(60) }), output: z.object({ name: z.string(), generation: z.number().int() }) },
  },
};

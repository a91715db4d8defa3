import type {
  AuditedEvent,
  AuditedState,
  Avatar,
  AvatarConsent,
  ChainVerdict,
  EvidenceLine,
  ExportItem,
  Forgotten,
  Grant,
  Health,
  KnowledgeBase,
  KnowledgeDocument,
  Locale,
  LogVerdict,
  MediaChunk,
  Retention,
  Role,
  Seal,
  SealCoverage,
  Session,
  Signal,
  TranscriptTurn,
  Tutor,
  TutorSettingsInput,
  TutorThen,
  WebrtcConfig,
} from './contract.ts';
import type { FeedItem } from './feed-item.ts';

interface Query<Input, Output> {
  kind: 'query';
  input: Input;
  output: Output;
}
interface Mutation<Input, Output> {
  kind: 'mutation';
  input: Input;
  output: Output;
}
interface Subscription<Input, Item> {
  kind: 'subscription';
  input: Input;
  output: Item;
}

/** A subscription whose items have no ids: live, never resumed. */
interface LiveSubscription<Input, Item> {
  kind: 'live';
  input: Input;
  output: Item;
}

interface Page {
  cursor?: string | undefined;
  limit?: number | undefined;
}
interface Paged<Item> {
  items: Item[];
  nextCursor: string | null;
}
interface Keyed {
  idempotencyKey?: string | undefined;
}
interface OfSession {
  sessionId: string;
}
interface OfTutor {
  tutorId: string;
}
interface OfKnowledgeBase {
  knowledgeBaseId: string;
}
interface OfAvatar {
  avatarId: string;
}
/** How the tutor looked and sounded, from one event of the session on. */
interface Appearance {
  revision: number;
  voice: string | null;
  face: 'ada' | 'xiaolan';
  film: {
    avatarId: string;
    status: 'ready' | 'revoked' | 'deleted' | 'not_ready';
    artifacts: { name: string; sha256: string; bytes: number }[];
  } | null;
}

interface CoursePage {
  revision: number;
  documents: { documentId: string; title: string; mime: KnowledgeDocument['mime']; text: string }[];
  next: number | null;
}
export interface ApiKey {
  keyId: string;
  role: Role;
  label: string;
  issuedAt: string;
  revokedAt: string | null;
}
export interface Projection {
  name: string;
  generation: number;
  state: 'active' | 'rebuilding' | 'parked';
  position: number;
  lag: number;
  error: string | null;
}

export interface CreateSession extends Keyed {
  tutorId: string;
  studentId: string;
  knowledgeBaseId?: string | undefined;
  locale?: Locale | undefined;
  mode?: 'session' | 'user' | undefined;
}

export interface CreateAvatar extends Keyed {
  source: { type: 'upload'; uploadId: string; sha256?: string | undefined } | { type: 'path'; path: string };
  name: string;
  fileName?: string | undefined;
  tutorId?: string | null | undefined;
  consent: AvatarConsent;
}

/** Every procedure of the engine: its kind, input and output. Mutable where tRPC's inferred types are. */
export interface Procedures {
  health: Query<void, Health>;
  console: {
    signIn: Mutation<void, { token: string; expiresAt: string }>;
    whoami: Query<void, { tenantId: string; roles: Role[] }>;
  };
  sessions: {
    create: Mutation<CreateSession, { session: Session; grant: Grant }>;
    get: Query<OfSession, Session>;
    list: Query<{ status?: 'active' | 'ended' | undefined } & Page, Paged<Session>>;
    end: Mutation<OfSession & Keyed, Session>;
    issueToken: Mutation<OfSession, Grant>;
    invite: Mutation<OfSession & Keyed & { ttlSeconds?: number | undefined }, { url: string; expiresAt: string }>;
    join: Mutation<{ code: string }, Grant>;
    transcript: Query<OfSession & Page, Paged<TranscriptTurn>>;
  };
  session: {
    events: Subscription<OfSession & { lastEventId?: string | null | undefined }, FeedItem>;
    media: LiveSubscription<OfSession, MediaChunk>;
    renewToken: Mutation<OfSession, Grant>;
  };
  webrtc: {
    config: Query<OfSession, WebrtcConfig>;
    negotiate: Mutation<OfSession & { peerId: string; offer: string }, { answer: string }>;
    addCandidate: Mutation<OfSession & { peerId: string; candidate: string }, Record<string, never>>;
    signals: LiveSubscription<OfSession, Signal>;
  };
  audio: {
    append: Mutation<OfSession & { pcm: string }, Record<string, never>>;
    commit: Mutation<OfSession, Record<string, never>>;
  };
  chat: {
    send: Mutation<OfSession & { clientMessageId: string; text: string }, { turnId: string; revision: number }>;
    interrupt: Mutation<OfSession & { turnId?: string | undefined }, { turnId: string }>;
  };
  tutors: {
    configure: Mutation<OfTutor & Keyed & { settings: TutorSettingsInput }, Tutor>;
    get: Query<OfTutor, Tutor>;
    list: Query<Page, Paged<Tutor>>;
    retire: Mutation<OfTutor & Keyed, Tutor>;
  };
  knowledge: {
    create: Mutation<OfKnowledgeBase & Keyed & { name: string }, KnowledgeBase>;
    get: Query<OfKnowledgeBase, KnowledgeBase>;
    list: Query<Page, Paged<KnowledgeBase>>;
    addDocument: Mutation<
      OfKnowledgeBase & Keyed & { title: string; mime: 'text/plain' | 'text/markdown'; text: string },
      KnowledgeDocument
    >;
    documents: Query<OfKnowledgeBase & Page, Paged<KnowledgeDocument>>;
    removeDocument: Mutation<OfKnowledgeBase & Keyed & { documentId: string }, KnowledgeBase>;
  };
  avatars: {
    beginUpload: Mutation<{ uploadId: string; bytes: number }, { uploadId: string; offset: number; maxChunkBytes: number }>;
    /** Of which upload, and from where on, is in the headers: see `ofUpload` and `uploadHeaders`. */
    upload: Mutation<Blob | Uint8Array, { offset: number }>;
    abandonUpload: Mutation<{ uploadId: string }, Record<string, never>>;
    create: Mutation<CreateAvatar, Avatar>;
    get: Query<OfAvatar, Avatar>;
    list: Query<Page, Paged<Avatar>>;
    watch: LiveSubscription<OfAvatar, Avatar>;
    file: Query<OfAvatar & { name: string }, { mime: string; base64: string }>;
    revoke: Mutation<OfAvatar & Keyed & { reason: 'consent_withdrawn' | 'replaced' | 'misuse' | 'other' }, Avatar>;
    remove: Mutation<OfAvatar & Keyed, Avatar>;
  };
  audit: {
    sessions: Query<{ studentId?: string | undefined } & Page, Paged<Session>>;
    events: Query<OfSession & { after?: number | undefined; limit?: number | undefined }, { items: AuditedEvent[]; headRevision: number }>;
    state: Query<OfSession & { revision?: number | undefined }, AuditedState>;
    appearances: Query<OfSession, Appearance[]>;
    tail: Subscription<{ lastEventId?: string | null | undefined }, AuditedEvent>;
    verify: Query<OfSession, ChainVerdict>;
    tutor: Query<{ tutorId: string; revision?: number | undefined }, TutorThen>;
    course: Query<{ knowledgeBaseId: string; revision?: number | undefined; after?: number | undefined }, CoursePage>;
    coverage: Query<OfSession, SealCoverage>;
    seals: Query<{ after?: number | undefined; limit?: number | undefined }, Seal[]>;
    verifyLog: LiveSubscription<{ noted?: string[] | undefined }, { checked: number } | LogVerdict>;
    export: LiveSubscription<{ sessionId: string; redacted?: boolean | undefined }, EvidenceLine>;
    rotateKey: Mutation<void, { sealNo: number; keyId: string }>;
  };
  privacy: {
    forgetStudent: Mutation<Keyed & { studentId: string }, Forgotten>;
    exportStudent: Mutation<Keyed & Page & { studentId: string }, Paged<ExportItem>>;
    retention: Query<void, Retention>;
    configureRetention: Mutation<Keyed & Retention, Retention>;
  };
  keys: {
    create: Mutation<Keyed & { role: Role; label?: string | undefined }, { keyId: string; role: Role; key: string }>;
    list: Query<void, ApiKey[]>;
    revoke: Mutation<Keyed & { keyId: string }, ApiKey>;
  };
  projections: {
    list: Query<void, Projection[]>;
    rebuild: Mutation<{ name: string }, { name: string; generation: number }>;
  };
}

import type {
  ApiKey,
  AvatarId,
  Document,
  KeyId,
  KnowledgeBase,
  KnowledgeBaseId,
  Role,
  Session,
  SessionId,
  SessionLimits,
  StudentId,
  TenantId,
  TranscriptTurn,
  Tutor,
  TutorId,
} from '@virtual-tutor/schemas';
import type { AvatarRow } from './projections/avatars.ts';

/** One page of a list. `nextCursor` is opaque; null: that was all. */
export interface Page<T> {
  readonly items: T[];
  readonly nextCursor: string | null;
}

export interface PageRequest {
  readonly cursor?: string | undefined;
  /** 1 to 200. */
  readonly limit: number;
}

/** A turn without its words: those are read from the log at these revisions. */
export interface TranscriptRow extends Omit<TranscriptTurn, 'message' | 'reply'> {
  readonly messageRevision: number;
  readonly sentences: readonly { readonly index: number; readonly revision: number; readonly heard: boolean }[];
  /** Of `ReplyInterrupted`, which holds what was heard; null otherwise. */
  readonly interruptionRevision: number | null;
}

/** An ended lesson with words that can be read, unless its student was forgotten. */
export interface KeptWords {
  readonly sessionId: SessionId;
  readonly studentId: StudentId;
  readonly endedAt: string;
}

/** A lesson under way, as its host needs it after a restart. */
export interface ActiveSession {
  readonly sessionId: SessionId;
  readonly tenantId: TenantId;
  readonly node: string | null;
  readonly limits: SessionLimits;
  readonly createdAt: string;
  /** Of the newest message; createdAt before the first. */
  readonly lastMessageAt: string;
}

/**
 * Typed questions to the projections' tables. Everything is scoped by tenant; another tenant's row
 * is null. Throws `StoreUnavailable`. Behind the log by milliseconds: `waitFor` catches up with one's
 * own writes.
 */
export interface ReadModel {
  session(tenantId: TenantId, sessionId: SessionId): Promise<Session | null>;
  /** Newest first. */
  sessions(
    tenantId: TenantId,
    request: PageRequest & { readonly status?: 'active' | 'ended' | undefined; readonly studentId?: StudentId | undefined },
  ): Promise<Page<Session>>;
  /** Lessons that have ended and whose words have not expired, in the order they ended. Of several in one ms, a page may end between: ask again later. */
  keptWords(tenantId: TenantId, request: PageRequest): Promise<Page<KeptWords>>;
  /** Of every tenant, for the node that hosts them. */
  activeSessions(): Promise<readonly ActiveSession[]>;
  /** In the order they were said. */
  transcript(sessionId: SessionId, request: PageRequest): Promise<Page<TranscriptRow>>;
  avatar(tenantId: TenantId, avatarId: AvatarId): Promise<AvatarRow | null>;
  /** Without those that were deleted; newest first. */
  avatars(tenantId: TenantId, request: PageRequest): Promise<Page<AvatarRow>>;
  /** Of every tenant and in the order they were registered, for the node that has their files. */
  avatarsOf(node: string, statuses: readonly AvatarRow['status'][]): Promise<readonly AvatarRow[]>;
  tutor(tenantId: TenantId, tutorId: TutorId): Promise<Tutor | null>;
  tutors(tenantId: TenantId, request: PageRequest): Promise<Page<Tutor>>;
  knowledgeBase(tenantId: TenantId, knowledgeBaseId: KnowledgeBaseId): Promise<KnowledgeBase | null>;
  knowledgeBases(tenantId: TenantId, request: PageRequest): Promise<Page<KnowledgeBase>>;
  /** Without those that were removed. */
  documents(tenantId: TenantId, knowledgeBaseId: KnowledgeBaseId, request: PageRequest): Promise<Page<Document>>;
  apiKeyByHash(
    keyHash: string,
  ): Promise<{ readonly tenantId: TenantId; readonly keyId: KeyId; readonly role: Role; readonly revoked: boolean } | null>;
  apiKeys(tenantId: TenantId): Promise<ApiKey[]>;
}

/** How far the projections are. */
export interface Projections {
  /** Resolves once every active projection has passed `position`. Throws `StoreUnavailable` when they do not get there in time. */
  waitFor(position: number): Promise<void>;
  list(): Promise<readonly ProjectionStatus[]>;
  /** Starts a new generation beside the one that serves; null: no such projection. */
  rebuild(name: string): Promise<{ readonly name: string; readonly generation: number } | null>;
}

export interface ProjectionStatus {
  readonly name: string;
  readonly generation: number;
  readonly state: 'active' | 'rebuilding' | 'parked';
  readonly position: number;
  /** Events behind the head. */
  readonly lag: number;
  /** Why it is parked: a class of error, never its data. */
  readonly error: string | null;
}

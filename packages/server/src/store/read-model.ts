import {
  type ApiKey,
  type AvatarId,
  type Document,
  type KnowledgeBase,
  type KnowledgeBaseId,
  type Session,
  type SessionId,
  type StudentId,
  streams,
  type TenantId,
  type Tutor,
  type TutorId,
} from '@virtual-tutor/schemas';
import { and, asc, desc, eq, gt, inArray, lt, ne, type SQL } from 'drizzle-orm';
import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import { ApiKeyRow } from '../app/projections/access.ts';
import { AvatarRow } from '../app/projections/avatars.ts';
import { KeptWordsRow } from '../app/projections/kept-words.ts';
import { DocumentRow, KnowledgeBaseRow } from '../app/projections/knowledge.ts';
import { SessionRow } from '../app/projections/sessions.ts';
import { TranscriptTurnRow, UsageRow } from '../app/projections/transcript.ts';
import { TutorRow } from '../app/projections/tutors.ts';
import type { ActiveSession, KeptWords, Page, PageRequest, ReadModel, TranscriptRow } from '../app/read-model.ts';
import type { Database } from './database.ts';
import { reach } from './reach.ts';
import { checkpoints, rows } from './read-model-tables.ts';

type Parse<Row> = (row: unknown) => Row;

interface List<Row> {
  readonly projection: string;
  readonly parse: Parse<Row>;
  readonly where: readonly SQL[];
  readonly newestFirst?: boolean;
  readonly request: PageRequest;
}

/** Questions to the generation that serves. */
export class PostgresReadModel implements ReadModel {
  readonly #db: PostgresJsDatabase;

  constructor({ sql }: Database) {
    this.#db = drizzle(sql);
  }

  async session(tenantId: TenantId, sessionId: SessionId): Promise<Session | null> {
    const row = await this.#one('sessions', streams.session(sessionId), (stored) => SessionRow.parse(stored));
    return row === null || row.tenantId !== tenantId ? null : sessionOf(row);
  }

  async sessions(
    tenantId: TenantId,
    request: PageRequest & { readonly status?: 'active' | 'ended' | undefined; readonly studentId?: StudentId | undefined },
  ): Promise<Page<Session>> {
    const where = [eq(rows.tenantId, tenantId)];
    if (request.status !== undefined) where.push(eq(rows.status, request.status));
    if (request.studentId !== undefined) where.push(eq(rows.parent, request.studentId));
    const page = await this.#page({ projection: 'sessions', parse: (row) => SessionRow.parse(row), where, newestFirst: true, request });
    return { ...page, items: page.items.map(sessionOf) };
  }

  async keptWords(tenantId: TenantId, request: PageRequest): Promise<Page<KeptWords>> {
    const where = [eq(rows.tenantId, tenantId), eq(rows.status, 'ended')];
    const page = await this.#page({ projection: 'keptWords', parse: (row) => KeptWordsRow.parse(row), where, request });
    const items = page.items.flatMap(({ sessionId, parent: studentId, endedAt }) =>
      endedAt === null ? [] : [{ sessionId, studentId, endedAt }],
    );
    return { ...page, items };
  }

  async activeSessions(): Promise<readonly ActiveSession[]> {
    const found = await reach(() =>
      this.#db
        .select({ row: rows.row })
        .from(rows)
        .where(and(this.#serving('sessions'), eq(rows.status, 'active')))
        .orderBy(asc(rows.sort)),
    );
    return found.map(({ row }) => {
      const { id: sessionId, tenantId, node, limits, createdAt, lastMessageAt } = SessionRow.parse(JSON.parse(row));
      return { sessionId, tenantId, node, limits, createdAt, lastMessageAt };
    });
  }

  async transcript(sessionId: SessionId, request: PageRequest): Promise<Page<TranscriptRow>> {
    const where = [eq(rows.parent, streams.session(sessionId))];
    const page = await this.#page({ projection: 'transcript', parse: (row) => TranscriptTurnRow.parse(row), where, request });
    const keys = page.items.map(({ parent, turnId }) => `${parent}/${turnId}`);
    const usage = await this.#usage(keys);
    return {
      ...page,
      items: page.items.map(({ tenantId: _tenant, parent, sort: _sort, ...turn }) => {
        const spent = usage.get(`${parent}/${turn.turnId}`);
        return {
          ...turn,
          provider: spent?.provider ?? null,
          model: spent?.model ?? null,
          timings: spent?.timings ?? null,
          promptTokens: spent?.promptTokens ?? null,
          completionTokens: spent?.completionTokens ?? null,
        };
      }),
    };
  }

  async avatar(tenantId: TenantId, avatarId: AvatarId): Promise<AvatarRow | null> {
    const row = await this.#one('avatars', streams.avatar(avatarId), (stored) => AvatarRow.parse(stored));
    return row === null || row.tenantId !== tenantId ? null : row;
  }

  avatars(tenantId: TenantId, request: PageRequest): Promise<Page<AvatarRow>> {
    const where = [eq(rows.tenantId, tenantId), ne(rows.status, 'deleted')];
    return this.#page({ projection: 'avatars', parse: (row) => AvatarRow.parse(row), where, newestFirst: true, request });
  }

  async avatarsOf(node: string, statuses: readonly AvatarRow['status'][]): Promise<readonly AvatarRow[]> {
    const found = await reach(() =>
      this.#db
        .select({ row: rows.row })
        .from(rows)
        .where(and(this.#serving('avatars'), inArray(rows.status, [...statuses])))
        .orderBy(asc(rows.sort)),
    );
    return found.map(({ row }) => AvatarRow.parse(JSON.parse(row))).filter((row) => row.node === node);
  }

  async tutor(tenantId: TenantId, tutorId: TutorId): Promise<Tutor | null> {
    const row = await this.#one('tutors', streams.tutor(tenantId, tutorId), (stored) => TutorRow.parse(stored));
    return row === null ? null : tutorOf(row);
  }

  async tutors(tenantId: TenantId, request: PageRequest): Promise<Page<Tutor>> {
    const where = [eq(rows.tenantId, tenantId)];
    const page = await this.#page({ projection: 'tutors', parse: (row) => TutorRow.parse(row), where, request });
    return { ...page, items: page.items.map(tutorOf) };
  }

  async knowledgeBase(tenantId: TenantId, knowledgeBaseId: KnowledgeBaseId): Promise<KnowledgeBase | null> {
    const row = await this.#one('knowledgeBases', streams.knowledge(tenantId, knowledgeBaseId), (stored) => KnowledgeBaseRow.parse(stored));
    return row === null ? null : knowledgeBaseOf(row);
  }

  async knowledgeBases(tenantId: TenantId, request: PageRequest): Promise<Page<KnowledgeBase>> {
    const where = [eq(rows.tenantId, tenantId)];
    const page = await this.#page({ projection: 'knowledgeBases', parse: (row) => KnowledgeBaseRow.parse(row), where, request });
    return { ...page, items: page.items.map(knowledgeBaseOf) };
  }

  async documents(tenantId: TenantId, knowledgeBaseId: KnowledgeBaseId, request: PageRequest): Promise<Page<Document>> {
    const where = [eq(rows.parent, streams.knowledge(tenantId, knowledgeBaseId))];
    const page = await this.#page({ projection: 'documents', parse: (row) => DocumentRow.parse(row), where, request });
    return { ...page, items: page.items.map(({ tenantId: _tenant, parent: _parent, sort: _sort, ...document }) => document) };
  }

  async apiKeyByHash(keyHash: string) {
    const request = { limit: 1 };
    const where = [eq(rows.parent, keyHash)];
    const { items } = await this.#page({ projection: 'apiKeys', parse: (row) => ApiKeyRow.parse(row), where, request });
    const [key] = items;
    return key === undefined ? null : { tenantId: key.tenantId, keyId: key.keyId, role: key.role, revoked: key.status === 'revoked' };
  }

  async apiKeys(tenantId: TenantId): Promise<ApiKey[]> {
    const found = await reach(() =>
      this.#db
        .select({ row: rows.row })
        .from(rows)
        .where(and(this.#serving('apiKeys'), eq(rows.tenantId, tenantId)))
        .orderBy(asc(rows.sort)),
    );
    return found.map(({ row }) => {
      const { keyId, role, label, issuedAt, revokedAt } = ApiKeyRow.parse(JSON.parse(row));
      return { keyId, role, label, issuedAt, revokedAt };
    });
  }

  async #usage(keys: readonly string[]): Promise<ReadonlyMap<string, UsageRow>> {
    if (keys.length === 0) return new Map();
    const found = await reach(() =>
      this.#db
        .select({ key: rows.key, row: rows.row })
        .from(rows)
        .where(and(this.#serving('usage'), inArray(rows.key, [...keys]))),
    );
    return new Map(found.map(({ key, row }) => [key, UsageRow.parse(JSON.parse(row))]));
  }

  async #one<Row>(projection: string, key: string, parse: Parse<Row>): Promise<Row | null> {
    const [found] = await reach(() =>
      this.#db
        .select({ row: rows.row })
        .from(rows)
        .where(and(this.#serving(projection), eq(rows.key, key))),
    );
    return found === undefined ? null : parse(JSON.parse(found.row));
  }

  /** The cursor is the last row's `sort`: positions are unique within a projection's lists. */
  async #page<Row>({ projection, parse, where, newestFirst = false, request }: List<Row>): Promise<Page<Row>> {
    const cursor = request.cursor === undefined || !/^\d{1,15}$/.test(request.cursor) ? null : Number(request.cursor);
    const beyond = cursor === null ? [] : [newestFirst ? lt(rows.sort, cursor) : gt(rows.sort, cursor)];
    const found = await reach(() =>
      this.#db
        .select({ row: rows.row, sort: rows.sort })
        .from(rows)
        .where(and(this.#serving(projection), ...where, ...beyond))
        .orderBy(newestFirst ? desc(rows.sort) : asc(rows.sort))
        .limit(request.limit + 1),
    );
    const items = found.slice(0, request.limit);
    const last = items.at(-1);
    return {
      items: items.map(({ row }) => parse(JSON.parse(row))),
      nextCursor: found.length > request.limit && last !== undefined ? String(last.sort) : null,
    };
  }

  #serving(projection: string): SQL | undefined {
    const generation = this.#db
      .select({ generation: checkpoints.generation })
      .from(checkpoints)
      .where(and(eq(checkpoints.projection, projection), inArray(checkpoints.state, ['active', 'parked'])));
    return and(eq(rows.projection, projection), eq(rows.generation, generation));
  }
}

function sessionOf(row: SessionRow): Session {
  const { parent: studentId, id, tutorId, knowledgeBaseId, locale, mode, status, endReason, turns, createdAt, endedAt } = row;
  return { id, tutorId, studentId, knowledgeBaseId, locale, mode, status, endReason, turns, createdAt, endedAt };
}

function tutorOf({ id, revision, status, settings }: TutorRow): Tutor {
  return { id, revision, status, settings };
}

function knowledgeBaseOf({ id, name, revision, documents }: KnowledgeBaseRow): KnowledgeBase {
  return { id, name, revision, documents };
}

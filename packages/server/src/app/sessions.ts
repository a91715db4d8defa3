import {
  type Grant,
  type KnowledgeBaseId,
  type Locale,
  type Session,
  type SessionId,
  type SessionLimits,
  type StudentId,
  streams,
  type TenantId,
  type TranscriptTurn,
  type TutorId,
} from '@virtual-tutor/schemas';
import type { Refusal } from '../domain/decision.ts';
import type { SessionCommand } from '../domain/session.ts';
import { knowledgeBases, sessions, tenants, tutors } from './aggregates.ts';
import type { EventCodec } from './event-codec.ts';
import type { CommandContext, Handle } from './handle.ts';
import { commandIdOf, keyIdOf, sessionIdOf } from './ids.ts';
import type { Lessons, Outcome } from './lessons.ts';
import type { Clock, EventStore, Ids } from './ports.ts';
import type { Page, PageRequest, Projections, ReadModel, TranscriptRow } from './read-model.ts';
import { type EngineToken, hashOf, sessionOfCode, type Tokens } from './tokens.ts';

export interface SessionsOptions {
  readonly handle: Handle;
  readonly lessons: Lessons;
  readonly readModel: ReadModel;
  readonly projections: Projections;
  readonly store: EventStore;
  readonly codec: EventCodec;
  readonly tokens: Tokens;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly limits: SessionLimits;
  readonly tokenTtlMs: number;
  /** Where browsers reach this engine. */
  readonly publicUrl: string;
  /** What grants name. */
  readonly grantUrl: string;
}

export interface SessionRequest {
  readonly tutorId: TutorId;
  readonly studentId: StudentId;
  readonly knowledgeBaseId?: KnowledgeBaseId | undefined;
  readonly locale?: Locale | undefined;
  readonly mode: 'session' | 'user';
  readonly idempotencyKey?: string | undefined;
}

const notThere: Refusal = { code: 'not_found', message: 'there is no such session' };
const wrongCode: Refusal = { code: 'not_found', message: 'this link is not known: ask for a new one' };

/** Sessions from the control plane's side: made, looked up, granted, ended. */
export class Sessions {
  readonly #options: SessionsOptions;

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  async create(request: SessionRequest, context: CommandContext): Promise<Outcome<{ readonly session: Session; readonly grant: Grant }>> {
    const { handle, lessons, limits, ids } = this.#options;
    const { tenantId } = context;
    const school = await handle.load(tenants, streams.tenant(tenantId), { tenantId });
    if (school.state.status === 'active' && school.state.forgotten.has(request.studentId)) return { refused: forgotten };
    const tutor = await handle.load(tutors, streams.tutor(tenantId, request.tutorId), { tenantId });
    if (tutor.state.status !== 'active') return { refused: { code: 'not_found', message: 'there is no such tutor, or it is retired' } };
    const { settings } = tutor.state;
    const knowledgeBaseId = request.knowledgeBaseId ?? settings.knowledgeBaseId;
    if (knowledgeBaseId !== null) {
      const base = await handle.load(knowledgeBases, streams.knowledge(tenantId, knowledgeBaseId), { tenantId });
      if (base.revision === 0) return { refused: { code: 'not_found', message: 'there is no such knowledge base' } };
    }
    const key = request.idempotencyKey ?? ids.next();
    const sessionId = sessionIdOf(tenantId, key);
    const { tutorId, studentId, mode } = request;
    const handled = await lessons.create(
      sessionId,
      { tutorId, studentId, mode, knowledgeBaseId, limits, locale: request.locale ?? settings.language, tutorRevision: tutor.revision },
      { ...context, commandId: commandIdOf('session', sessionId) },
    );
    if ('refused' in handled) return handled;
    if (handled.status === 'refused') return { refused: handled.refusal };
    const session = await this.#after(tenantId, sessionId, handled.position);
    return session === null ? { refused: notThere } : { session, grant: await this.#grant(session, tenantId) };
  }

  find(tenantId: TenantId, sessionId: SessionId): Promise<Session | null> {
    return this.#options.readModel.session(tenantId, sessionId);
  }

  page(
    tenantId: TenantId,
    request: PageRequest & { readonly status?: 'active' | 'ended' | undefined; readonly studentId?: StudentId | undefined },
  ): Promise<Page<Session>> {
    return this.#options.readModel.sessions(tenantId, request);
  }

  async end(sessionId: SessionId, reason: 'student' | 'operator', context: CommandContext): Promise<Outcome<Session>> {
    const handled = await this.#options.lessons.end(sessionId, reason, context);
    if (handled.status === 'refused') return { refused: handled.refusal };
    return (await this.#after(context.tenantId, sessionId, handled.position)) ?? { refused: notThere };
  }

  async issueToken(tenantId: TenantId, sessionId: SessionId): Promise<Outcome<Grant>> {
    const session = await this.find(tenantId, sessionId);
    if (session === null) return { refused: notThere };
    return session.status === 'ended' ? { refused: ended } : this.#grant(session, tenantId);
  }

  /** Of the same scope as the token that asks. */
  async renew(token: EngineToken, sessionId: SessionId): Promise<Outcome<Grant>> {
    const session = await this.find(token.tenantId, sessionId);
    if (session === null) return { refused: notThere };
    if (session.status === 'ended') return { refused: ended };
    const signed = await this.#options.tokens.signEngine({ ...token, sessionId }, this.#options.tokenTtlMs);
    return { sessionId, url: this.#options.grantUrl, ...signed };
  }

  async invite(
    {
      sessionId,
      ttlSeconds,
      idempotencyKey,
    }: { readonly sessionId: SessionId; readonly ttlSeconds: number; readonly idempotencyKey?: string | undefined },
    context: CommandContext,
  ): Promise<Outcome<{ readonly url: string; readonly expiresAt: string }>> {
    const { handle, ids, tokens, clock, publicUrl } = this.#options;
    const linkId = keyIdOf(context.tenantId, 'link', idempotencyKey ?? ids.next());
    const code = tokens.linkCode(sessionId, linkId);
    const expiresAt = new Date(clock.now() + ttlSeconds * 1000).toISOString();
    const handled = await handle.handle({
      aggregate: sessions,
      stream: streams.session(sessionId),
      commands: (): readonly SessionCommand[] => [{ type: 'IssueJoinLink', linkId, codeHash: hashOf(code), expiresAt }],
      context,
    });
    if (handled.status === 'refused') return { refused: handled.refusal };
    return { url: `${publicUrl}/#/join/${code}`, expiresAt };
  }

  /** Once per link: the winner gets the grant, whoever comes later is told that it was used. */
  async join(code: string): Promise<Outcome<Grant>> {
    const { handle, store, clock } = this.#options;
    const sessionId = sessionOfCode(code);
    if (sessionId === null) return { refused: wrongCode };
    const stream = streams.session(sessionId);
    const [created] = await store.readStream(stream, { after: 0, limit: 1 });
    if (created === undefined) return { refused: wrongCode };
    const { tenantId } = created.meta;
    const handled = await handle.handle({
      aggregate: sessions,
      stream,
      commands: (): readonly SessionCommand[] => [
        { type: 'RedeemJoinLink', codeHash: hashOf(code), now: new Date(clock.now()).toISOString() },
      ],
      context: { tenantId, actor: { kind: 'student', id: 'link' } },
    });
    if (handled.status === 'refused') return { refused: handled.refusal };
    const session = await this.#after(tenantId, sessionId, handled.position);
    return session === null ? { refused: wrongCode } : this.#grant(session, tenantId);
  }

  /** What was said and heard, with its words read from the log. */
  async transcript(tenantId: TenantId, sessionId: SessionId, request: PageRequest): Promise<Outcome<Page<TranscriptTurn>>> {
    const { store, projections, readModel } = this.#options;
    // Whoever has just seen a reply end finds it ended here too.
    await projections.waitFor(await store.head());
    const session = await this.find(tenantId, sessionId);
    if (session === null) return { refused: notThere };
    const page = await readModel.transcript(sessionId, request);
    return { ...page, items: await Promise.all(page.items.map((row) => this.#withWords(sessionId, row))) };
  }

  async #withWords(sessionId: SessionId, row: TranscriptRow): Promise<TranscriptTurn> {
    const { messageRevision, sentences, interruptionRevision, ...turn } = row;
    const message = await this.#words(sessionId, messageRevision);
    if (interruptionRevision !== null) return { ...turn, message, reply: await this.#words(sessionId, interruptionRevision) };
    const heard = sentences.filter((sentence) => sentence.heard);
    if (heard.length === 0) return { ...turn, message, reply: null };
    const texts = await Promise.all(heard.map((sentence) => this.#words(sessionId, sentence.revision)));
    return { ...turn, message, reply: texts.includes(null) ? null : texts.join('') };
  }

  /** The words of one event; null once the student was forgotten. */
  async #words(sessionId: SessionId, revision: number): Promise<string | null> {
    const { store, codec } = this.#options;
    const [stored] = await store.readStream(streams.session(sessionId), { after: revision - 1, limit: 1 });
    if (stored === undefined) return null;
    const event = await codec.open(stored);
    if (event.type === 'ReplyInterrupted') return event.personal?.heardText ?? null;
    return event.type === 'MessageReceived' || event.type === 'SentenceGenerated' ? (event.personal?.text ?? null) : null;
  }

  async #after(tenantId: TenantId, sessionId: SessionId, position: number | null): Promise<Session | null> {
    if (position !== null) await this.#options.projections.waitFor(position);
    return this.find(tenantId, sessionId);
  }

  async #grant(session: Session, tenantId: TenantId): Promise<Grant> {
    const { tokens, tokenTtlMs, grantUrl } = this.#options;
    const { id: sessionId, studentId, mode: scope } = session;
    const signed = await tokens.signEngine({ scope, tenantId, studentId, sessionId }, tokenTtlMs);
    return { sessionId, url: grantUrl, ...signed };
  }
}

const ended: Refusal = { code: 'session_ended', message: 'this session has ended: start a new one' };
const forgotten: Refusal = { code: 'student_forgotten', message: 'this student was forgotten: use a new pseudonym' };

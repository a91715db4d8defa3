import { randomBytes } from 'node:crypto';
import { type SessionEndReason, SessionId, type StudentId, streams, type TenantId, TurnId, TutorId } from '@virtual-tutor/schemas';
import { v7 as uuidv7 } from 'uuid';
import { Access } from '../../packages/server/src/app/access.ts';
import { sessions, tutors } from '../../packages/server/src/app/aggregates.ts';
import { createEventCodec } from '../../packages/server/src/app/event-codec.ts';
import { type CommandContext, Handle } from '../../packages/server/src/app/handle.ts';
import { commandIdOf, systemIds } from '../../packages/server/src/app/ids.ts';
import type { Clock } from '../../packages/server/src/app/ports.ts';
import { Privacy } from '../../packages/server/src/app/privacy.ts';
import { Projector } from '../../packages/server/src/app/project.ts';
import { allProjections } from '../../packages/server/src/app/projections/all.ts';
import { Retention } from '../../packages/server/src/app/retention.ts';
import { StudentExport } from '../../packages/server/src/app/student-export.ts';
import type { SessionCommand } from '../../packages/server/src/domain/session.ts';
import type { TutorCommand } from '../../packages/server/src/domain/tutor.ts';
import type { Database } from '../../packages/server/src/store/database.ts';
import { PostgresKeyVault } from '../../packages/server/src/store/key-vault.ts';
import { PostgresLeases } from '../../packages/server/src/store/leases.ts';
import { PostgresEventStore } from '../../packages/server/src/store/postgres-event-store.ts';
import { PostgresProjectionStore } from '../../packages/server/src/store/projection-store.ts';
import { PostgresReadModel } from '../../packages/server/src/store/read-model.ts';

export const dayMs = 86_400_000;
export const operator = (tenantId: TenantId) => ({ tenantId, actor: { kind: 'operator', id: 'head' } }) as const;
const tutorId = TutorId.parse('ada');
const epoch = { epoch: 1 } as const;

/** A clock that stands still until it is set. */
export class SetClock implements Clock {
  nowMs: number;
  constructor(nowMs = Date.parse('2026-06-01T12:00:00Z')) {
    this.nowMs = nowMs;
  }
  now(): number {
    return this.nowMs;
  }
}

export interface SchoolOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly node?: string;
  readonly masterKey?: Uint8Array;
}

export type PrivacySchool = Awaited<ReturnType<typeof openPrivacySchool>>;

/** All that forgetting, expiring and exporting take, on a real database; lessons are written into the log, not held. */
export async function openPrivacySchool({ database, clock, node = 'n1', masterKey = randomBytes(32) }: SchoolOptions) {
  await using cleanUp = new AsyncDisposableStack();
  const onDefect = (error: unknown) => {
    throw error;
  };
  const store = await PostgresEventStore.open(database);
  cleanUp.defer(() => store.close());
  const vault = new PostgresKeyVault(database, masterKey);
  const codec = createEventCodec(vault);
  const handle = new Handle({ store, codec, clock, ids: systemIds });
  const readModel = new PostgresReadModel(database);
  const projectionStore = new PostgresProjectionStore(database);
  const projections = await Projector.start({ events: store, store: projectionStore, projections: allProjections, owner: node, onDefect });
  cleanUp.defer(() => projections.close());
  const nothing = { partial: '', heardMs: null };
  const lessons = {
    end: (sessionId: SessionId, reason: SessionEndReason, context: CommandContext) =>
      handle.handle({
        aggregate: sessions,
        stream: streams.session(sessionId),
        commands: (): readonly SessionCommand[] => [{ type: 'EndSession', reason, ...nothing }],
        context,
      }),
  };
  const feeds = { forget: () => {} };
  const privacy = new Privacy({ handle, lessons, feeds, store, vault, readModel, projections });
  const leases = new PostgresLeases(database);
  const retention = new Retention({ handle, store, vault, privacy, readModel, projections, leases, clock, node, onDefect });
  const studentExport = new StudentExport({ handle, store, codec, readModel, projections, clock });
  const access = new Access({ handle, readModel, projections, ids: systemIds });

  /** With its tutor. */
  async function found(tenantId: TenantId): Promise<void> {
    await access.createTenant('School', operator(tenantId));
    const settings = {
      name: 'Ada',
      language: 'en',
      systemPrompt: '',
      llmModel: null,
      temperature: null,
      knowledgeBaseId: null,
      greeting: '',
      voice: null,
      face: null,
      avatarId: null,
    } as const;
    await handle.handle({
      aggregate: tutors,
      stream: streams.tutor(tenantId, tutorId),
      commands: (): readonly TutorCommand[] => [{ type: 'ConfigureTutor', settings }],
      context: { tenantId, actor: { kind: 'teacher', id: 'turing' } },
    });
  }

  /** A lesson in which this was said, and answered. */
  async function teach(tenantId: TenantId, lesson: Taught): Promise<SessionId> {
    const sessionId = SessionId.parse(uuidv7());
    const limits = { maxDurationMs: 3_600_000, idleMs: 3_600_000 };
    const about = {
      tutorId,
      tutorRevision: 1,
      studentId: lesson.studentId,
      knowledgeBaseId: null,
      locale: 'en',
      limits,
      mode: 'session',
    } as const;
    const turns = lesson.said.map((text) => ({ text, turnId: TurnId.parse(crypto.randomUUID()) }));
    const commands: SessionCommand[] = [{ type: 'CreateSession', node, ...about }];
    for (const { text, turnId } of turns) commands.push(...turn({ text, turnId, voice: lesson.voice === true }));
    if (lesson.left === 'open') commands.push(message({ text: 'still waiting', turnId: TurnId.parse(crypto.randomUUID()), voice: false }));
    if (lesson.left === 'ended') commands.push({ type: 'EndSession', reason: 'student', ...nothing });
    // An append takes at most a hundred events.
    for (let from = 0; from < commands.length; from += 16) {
      const handled = await handle.handle({
        aggregate: sessions,
        stream: streams.session(sessionId),
        commands: () => commands.slice(from, from + 16),
        context: { tenantId, actor: { kind: 'student', id: lesson.studentId } },
      });
      if (handled.status === 'refused') throw new Error(handled.refusal.message);
    }
    return sessionId;
  }

  const resources = cleanUp.move();
  return {
    ...{
      database,
      store,
      vault,
      codec,
      handle,
      readModel,
      projections,
      privacy,
      retention,
      studentExport,
      found,
      teach,
      end: lessons.end,
      commandId: (name: string) => commandIdOf('school', name),
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

export interface Taught {
  readonly studentId: StudentId;
  readonly said: readonly string[];
  readonly voice?: boolean;
  /** `open`: with a question that is not answered yet. */
  readonly left: 'ended' | 'active' | 'open';
}

interface Said {
  readonly text: string;
  readonly turnId: TurnId;
  readonly voice: boolean;
}

function message({ text, turnId, voice }: Said): SessionCommand {
  const asr = voice ? { engine: 'moonshine', model: 'tiny', asrMs: 90, durationMs: 1_200 } : null;
  const modality = voice ? 'voice' : 'text';
  return {
    type: 'ReceiveMessage',
    turnId,
    clientMessageId: crypto.randomUUID(),
    text,
    modality,
    language: 'en',
    asr,
    partial: '',
    heardMs: null,
  };
}

/** Eight commands, with the words in the answer too. */
function turn(said: Said): readonly SessionCommand[] {
  const { turnId, text } = said;
  const started = { provider: 'p', model: 'm', promptHash: 'a'.repeat(64), temperature: 0, tutorRevision: 1, fallback: null };
  const timings = { asrMs: null, retrieveMs: 1, firstTokenMs: 1, firstAudioMs: null, firstFrameMs: null, totalMs: 2 };
  const sentences = [`You said: ${text}. `, 'And that is all.'];
  return [
    message(said),
    { type: 'StartReply', turnId, ...epoch, ...started },
    ...sentences.map(
      (sentence, index): SessionCommand => ({ type: 'RecordSentence', turnId, ...epoch, index, text: sentence, citations: [] }),
    ),
    ...sentences.map((_, index): SessionCommand => ({ type: 'RecordHeard', turnId, ...epoch, index, playout: { medium: 'text' } })),
    { type: 'CompleteReply', turnId, ...epoch, usage: null, timings },
  ];
}

/** Every page, as a client would fetch them. */
export async function exported(
  school: PrivacySchool,
  tenantId: TenantId,
  { studentId, limit = 100 }: { readonly studentId: StudentId; readonly limit?: number },
) {
  const items = [];
  for (let cursor: string | undefined; ; ) {
    const page = await school.studentExport.page({ studentId, cursor, limit }, operator(tenantId));
    if ('refused' in page) throw new Error(page.refused.message);
    items.push(...page.items);
    if (page.nextCursor === null) return items;
    cursor = page.nextCursor;
  }
}

import {
  type AuditedEvent,
  type ExportItem,
  type Session,
  type StreamName,
  type StudentId,
  streams,
  type TenantId,
} from '@virtual-tutor/schemas';
import type { TenantCommand } from '../domain/tenant.ts';
import { tenants, tutors } from './aggregates.ts';
import { auditedOf } from './audited.ts';
import { decodeClear, type EventCodec } from './event-codec.ts';
import type { CommandContext, Handle } from './handle.ts';
import type { Outcome } from './lessons.ts';
import type { Clock, EventStore } from './ports.ts';
import type { Page, Projections, ReadModel } from './read-model.ts';

export interface StudentExportOptions {
  readonly handle: Handle;
  readonly store: EventStore;
  readonly codec: EventCodec;
  readonly readModel: ReadModel;
  readonly projections: Projections;
  readonly clock: Clock;
}

export interface ExportRequest {
  readonly studentId: StudentId;
  readonly cursor?: string | undefined;
  /** Events read for one page, 1 to 500: nothing ever holds more. */
  readonly limit: number;
}

/** Where to go on reading: after a revision of the school's stream, or of a lesson's that comes after `list` in the list of hers. */
type Place =
  | { readonly in: 'school'; readonly after: number }
  | { readonly in: 'lesson'; readonly list: string | undefined; readonly after: number };

interface Step {
  readonly items: readonly ExportItem[];
  readonly next: Place | null;
}

/** Everything about one student, for her to read. Of nobody else: lessons are found by her id, and the school's events by naming her. */
export class StudentExport {
  readonly #options: StudentExportOptions;

  constructor(options: StudentExportOptions) {
    this.#options = options;
  }

  /** The first page is recorded: the log says who was given her data. */
  async page(request: ExportRequest, context: CommandContext): Promise<Outcome<Page<ExportItem>>> {
    const { tenantId } = context;
    const items: ExportItem[] = [];
    let place: Place | null = placeOf(request.cursor);
    if (request.cursor === undefined) {
      const opening = await this.#open(request.studentId, context);
      if ('refused' in opening) return opening;
      items.push(opening);
    }
    while (place !== null && items.length < request.limit) {
      const step: Step = await this.#step(tenantId, { ...request, limit: request.limit - items.length }, place);
      items.push(...step.items);
      place = step.next;
    }
    return { items, nextCursor: place === null ? null : cursorOf(place) };
  }

  async #open(studentId: StudentId, context: CommandContext): Promise<Outcome<Extract<ExportItem, { type: 'student' }>>> {
    const { handle, projections, store, clock } = this.#options;
    const stream = streams.tenant(context.tenantId);
    const commands = (): readonly TenantCommand[] => [{ type: 'RecordExport', studentId }];
    const handled = await handle.handle({ aggregate: tenants, stream, commands, context });
    if (handled.status === 'refused') return { refused: handled.refusal };
    await projections.waitFor(await store.head());
    const { state } = handled;
    const school =
      state.status === 'absent'
        ? { forgotten: false, wordsDays: null }
        : { forgotten: state.forgotten.has(studentId), wordsDays: state.wordsDays };
    return { type: 'student', studentId, exportedAt: new Date(clock.now()).toISOString(), ...school };
  }

  #step(tenantId: TenantId, request: ExportRequest, place: Place): Promise<Step> {
    return place.in === 'school' ? this.#ofSchool(tenantId, request, place.after) : this.#ofLesson(tenantId, request, place);
  }

  async #ofSchool(tenantId: TenantId, { studentId, limit }: ExportRequest, after: number): Promise<Step> {
    const page = await this.#options.store.readStream(streams.tenant(tenantId), { after, limit });
    const concerning = page.filter((stored) => {
      const { type, payload } = decodeClear(stored);
      return type === 'RetentionConfigured' || ('studentId' in payload && payload.studentId === studentId);
    });
    const items = await Promise.all(concerning.map(async (stored) => ({ type: 'event' as const, event: await this.#audited(stored) })));
    const last = page.at(-1);
    const next: Place =
      last === undefined || page.length < limit ? { in: 'lesson', list: undefined, after: 0 } : { in: 'school', after: last.revision };
    return { items, next };
  }

  async #ofLesson(
    tenantId: TenantId,
    { studentId, limit }: ExportRequest,
    { list, after }: Extract<Place, { in: 'lesson' }>,
  ): Promise<Step> {
    const { items: found, nextCursor } = await this.#options.readModel.sessions(tenantId, { studentId, cursor: list, limit: 1 });
    const [session] = found;
    if (session === undefined) return { items: [], next: null };
    const stream = streams.session(session.id);
    const page = await this.#options.store.readStream(stream, { after, limit });
    const events = await Promise.all(page.map(async (stored) => ({ type: 'event' as const, event: await this.#audited(stored) })));
    const items = after === 0 ? [await this.#heading(tenantId, { session, stream }), ...events] : events;
    const last = page.at(-1);
    if (last !== undefined && page.length === limit) return { items, next: { in: 'lesson', list, after: last.revision } };
    return { items, next: nextCursor === null ? null : { in: 'lesson', list: nextCursor, after: 0 } };
  }

  async #heading(tenantId: TenantId, { session, stream }: { readonly session: Session; readonly stream: StreamName }): Promise<ExportItem> {
    const { handle, store } = this.#options;
    const { id: sessionId, tutorId: id, locale, createdAt } = session;
    const [created] = await store.readStream(stream, { after: 0, limit: 1 });
    const opening = created === undefined ? null : decodeClear(created);
    if (opening?.type !== 'SessionCreated') throw new Error(`${stream} does not begin with its creation`);
    const revision = opening.payload.tutorRevision;
    const tutor = streams.tutor(tenantId, id);
    const { state } = await handle.load(tutors, tutor, { tenantId, revision });
    const [configured] = await store.readStream(tutor, { after: revision - 1, limit: 1 });
    if (state.status === 'absent' || configured === undefined) throw new Error(`${stream} names a tutor that never was`);
    const { actor: configuredBy, occurredAt: configuredAt } = configured.meta;
    return {
      type: 'session',
      sessionId,
      locale,
      createdAt,
      tutor: { id, revision, name: state.settings.name, configuredBy, configuredAt },
    };
  }

  #audited(stored: Parameters<typeof auditedOf>[1]): Promise<AuditedEvent> {
    return auditedOf(this.#options.codec, stored);
  }
}

function placeOf(cursor: string | undefined): Place {
  const [where, first, second] = cursor?.split('.') ?? [];
  if (where !== 'lesson') return { in: 'school', after: Number(first ?? 0) };
  // Of the first lesson there is no place in the list before it.
  return second === undefined
    ? { in: 'lesson', list: undefined, after: Number(first ?? 0) }
    : { in: 'lesson', list: first, after: Number(second) };
}

function cursorOf(place: Place): string {
  if (place.in === 'school') return `school.${place.after}`;
  return place.list === undefined ? `lesson.${place.after}` : `lesson.${place.list}.${place.after}`;
}

import { Actor, CommandId, StudentId, streams, TenantId } from '@virtual-tutor/schemas';
import { z } from 'zod';
import type { TenantCommand } from '../domain/tenant.ts';
import { tenants } from './aggregates.ts';
import type { ClearEvent } from './event-codec.ts';
import type { CommandContext, Handle } from './handle.ts';
import type { LessonFeeds } from './lesson-feeds.ts';
import type { Lessons, Outcome } from './lessons.ts';
import type { EventStore, KeyVault } from './ports.ts';
import type { Projections, ReadModel } from './read-model.ts';

export interface PrivacyOptions {
  readonly handle: Handle;
  readonly lessons: Pick<Lessons, 'end'>;
  readonly feeds: Pick<LessonFeeds, 'forget'>;
  readonly store: EventStore;
  readonly vault: KeyVault;
  readonly readModel: ReadModel;
  readonly projections: Projections;
}

/** Who wanted a student forgotten: kept with the vault until it is done, so that whoever goes on with it says the same in the log. */
const Work = z.object({ actor: Actor, commandId: CommandId.optional() });

export interface Forgotten {
  readonly studentId: StudentId;
  readonly endedSessions: number;
  /** `pending`: the database's write-ahead log holds wrapped keys of hers until its own checkpoints. */
  readonly traces: 'cleared' | 'pending';
}

/** Forgetting a student: her words become unreadable everywhere at once, and no chain breaks. */
export class Privacy {
  readonly #options: PrivacyOptions;

  constructor(options: PrivacyOptions) {
    this.#options = options;
  }

  /**
   * Destroys her keys, which cannot be undone; what comes after is clearing up, ends for certain, and is safe to repeat: ends her
   * lessons, says so in the log, and removes what the database's files still hold of the keys.
   */
  async forget(studentId: StudentId, context: CommandContext): Promise<Outcome<Forgotten>> {
    const { vault, handle } = this.#options;
    const { tenantId, actor, commandId } = context;
    const { state } = await handle.load(tenants, streams.tenant(tenantId), { tenantId });
    if (state.status === 'absent') return { refused: { code: 'not_found', message: 'there is no such tenant' } };
    await vault.forget({ tenantId, subjectId: studentId }, JSON.stringify({ actor, commandId }));
    return this.#clearUp(studentId, context);
  }

  /** What was begun by a process that died. */
  async resume(): Promise<void> {
    for (const { student, work } of await this.#options.vault.unfinished()) {
      const { actor, commandId } = Work.parse(JSON.parse(work));
      const context = { tenantId: TenantId.parse(student.tenantId), actor, ...(commandId === undefined ? {} : { commandId }) };
      await this.#clearUp(StudentId.parse(student.subjectId), context);
    }
  }

  /** Another node may have forgotten her, or her words may have expired. */
  follow(event: ClearEvent): void {
    const { vault, handle } = this.#options;
    const { tenantId } = event.stored.meta;
    if (event.type === 'StudentForgotten') {
      vault.evict({ tenantId, subjectId: event.payload.studentId });
      this.#dropPlaintext();
    }
    if (event.type === 'SessionWordsExpired') {
      vault.evict({ tenantId, subjectId: event.payload.studentId });
      handle.forgetState(event.stored.stream);
    }
  }

  async retention(tenantId: TenantId): Promise<{ readonly wordsDays: number | null }> {
    const { state } = await this.#options.handle.load(tenants, streams.tenant(tenantId), { tenantId });
    return { wordsDays: state.status === 'absent' ? null : state.wordsDays };
  }

  async configureRetention(wordsDays: number | null, context: CommandContext): Promise<Outcome<{ readonly wordsDays: number | null }>> {
    const refused = await this.#record({ type: 'ConfigureRetention', wordsDays }, context);
    return refused ?? this.retention(context.tenantId);
  }

  async #clearUp(studentId: StudentId, context: CommandContext): Promise<Outcome<Forgotten>> {
    const { vault } = this.#options;
    const { tenantId } = context;
    this.#dropPlaintext();
    const ended = await this.#endLessons(studentId, context);
    const refused = await this.#record({ type: 'ForgetStudent', studentId }, context);
    if (refused !== null) return refused;
    // One may have begun before the log said that she is forgotten.
    const endedLate = await this.#endLessons(studentId, context);
    this.#dropPlaintext();
    const cleared = await vault.clearTraces();
    await vault.finish({ tenantId, subjectId: studentId });
    return { studentId, endedSessions: ended + endedLate, traces: cleared ? 'cleared' : 'pending' };
  }

  #dropPlaintext(): void {
    this.#options.handle.forgetStates();
    this.#options.feeds.forget();
  }

  async #record(command: TenantCommand, context: CommandContext): Promise<Extract<Outcome<never>, { refused: unknown }> | null> {
    const stream = streams.tenant(context.tenantId);
    const handled = await this.#options.handle.handle({ aggregate: tenants, stream, commands: () => [command], context });
    return handled.status === 'refused' ? { refused: handled.refusal } : null;
  }

  /** One command writes to one stream: the caller's id is for the tenant's. */
  async #endLessons(studentId: StudentId, { tenantId, actor }: CommandContext): Promise<number> {
    const { projections, store, readModel, lessons } = this.#options;
    await projections.waitFor(await store.head());
    let ended = 0;
    for (let cursor: string | undefined; ; ) {
      const page = await readModel.sessions(tenantId, { status: 'active', studentId, cursor, limit: 200 });
      for (const { id } of page.items) {
        const handled = await lessons.end(id, 'revoked', { tenantId, actor, withoutWords: true });
        if (handled.status === 'done' && handled.position !== null) ended += 1;
      }
      if (page.nextCursor === null) return ended;
      cursor = page.nextCursor;
    }
  }
}

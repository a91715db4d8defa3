import { KeyId, type SessionId, type StudentId, streams, type TenantId } from '@virtual-tutor/schemas';
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
  readonly lessons: Lessons;
  readonly feeds: LessonFeeds;
  readonly store: EventStore;
  readonly vault: KeyVault;
  readonly readModel: ReadModel;
  readonly projections: Projections;
}

/** Forgetting a student: her words become unreadable everywhere at once, and no chain breaks. */
export class Privacy {
  readonly #options: PrivacyOptions;

  constructor(options: PrivacyOptions) {
    this.#options = options;
  }

  /** Ends her lessons, destroys her key, says so in the log. Repeat it after a failure: each step is safe to repeat. */
  async forget(
    studentId: StudentId,
    context: CommandContext,
  ): Promise<Outcome<{ readonly studentId: StudentId; readonly endedSessions: number }>> {
    const { handle, vault, projections, store } = this.#options;
    const { tenantId } = context;
    await projections.waitFor(await store.head());
    const sessionIds = await this.#activeSessions(tenantId, studentId);
    // One command writes to one stream: the caller's id is for the tenant's.
    const ending: CommandContext = { tenantId, actor: context.actor };
    for (const sessionId of sessionIds) await this.#options.lessons.end(sessionId, 'revoked', ending);
    const { keyId } = await vault.destroy({ tenantId, subjectId: studentId });
    this.#dropPlaintext();
    const handled = await handle.handle({
      aggregate: tenants,
      stream: streams.tenant(tenantId),
      commands: (): readonly TenantCommand[] => [{ type: 'ForgetStudent', studentId, keyId: keyId === null ? null : KeyId.parse(keyId) }],
      context,
    });
    if (handled.status === 'refused') return { refused: handled.refusal };
    return { studentId, endedSessions: sessionIds.length };
  }

  /** Another node may have forgotten her. */
  follow(event: ClearEvent): void {
    if (event.type !== 'StudentForgotten') return;
    if (event.payload.keyId !== null) this.#options.vault.evict(event.payload.keyId);
    this.#dropPlaintext();
  }

  #dropPlaintext(): void {
    this.#options.handle.forgetStates();
    this.#options.feeds.forget();
  }

  async #activeSessions(tenantId: TenantId, studentId: StudentId): Promise<SessionId[]> {
    const found: SessionId[] = [];
    for (let cursor: string | undefined; ; ) {
      const page = await this.#options.readModel.sessions(tenantId, { status: 'active', studentId, cursor, limit: 200 });
      found.push(...page.items.map((session) => session.id));
      if (page.nextCursor === null) return found;
      cursor = page.nextCursor;
    }
  }
}

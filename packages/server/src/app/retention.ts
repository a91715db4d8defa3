import { idOf, KeyId, type Session, type StreamName, type StudentId, streams, TenantId } from '@virtual-tutor/schemas';
import type { SessionCommand } from '../domain/session.ts';
import { sessions, tenants } from './aggregates.ts';
import type { Handle } from './handle.ts';
import type { Clock, EventStore, KeyVault, Leases } from './ports.ts';
import { StoreUnavailable } from './ports.ts';
import type { Privacy } from './privacy.ts';
import type { KeptWords, Projections, ReadModel } from './read-model.ts';

export interface RetentionOptions {
  readonly handle: Handle;
  readonly store: EventStore;
  readonly vault: KeyVault;
  readonly privacy: Privacy;
  readonly readModel: ReadModel;
  readonly projections: Projections;
  readonly leases: Leases;
  readonly clock: Clock;
  readonly node: string;
  readonly onDefect: (error: unknown) => void;
}

const everyMs = 3_600_000;
/** Nodes that start together take turns; a round that is longer than this may have company, and does no harm. */
const leaseMs = 300_000;
const pageSize = 200;
const dayMs = 86_400_000;

/** A lesson's rule: of whom, and ended before when (epoch ms) its words are to go. */
interface Rule {
  readonly tenantId: TenantId;
  readonly days: number;
  readonly endedBeforeMs: number;
}

/**
 * What happens by itself, hourly and on one node: words that are older than their school keeps them are destroyed, and what a
 * process that died left of forgetting somebody is finished. Each lesson's key is destroyed before the log says so;
 * whoever finds a lesson without that event starts over, and nothing is done twice.
 */
export class Retention {
  readonly #options: RetentionOptions;
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> = Promise.resolve();
  #closing = false;

  constructor(options: RetentionOptions) {
    this.#options = options;
  }

  /** A round now, for what a process that died has left, and then each hour. */
  start(): void {
    this.#timer = setInterval(() => this.#next(), everyMs);
    this.#timer.unref();
    this.#next();
  }

  /** One round; returns how many lessons' words it destroyed. Without the lease: none. */
  async run(): Promise<number> {
    const { leases, store, handle, privacy, vault, node } = this.#options;
    if (!(await leases.hold('retention', { owner: node, ms: leaseMs }))) return 0;
    await privacy.resume();
    let expired = 0;
    for (let after = ''; ; ) {
      const found = await store.listStreams({ prefix: 'tenant-', after, limit: pageSize });
      for (const { stream } of found) {
        const tenantId = TenantId.parse(idOf(stream));
        const { state } = await handle.load(tenants, stream, { tenantId });
        if (state.status === 'active' && state.wordsDays !== null) expired += await this.#expireOf(tenantId, state.wordsDays);
      }
      const last = found.at(-1);
      if (last === undefined || found.length < pageSize) break;
      after = last.stream;
    }
    await vault.clearTraces();
    return expired;
  }

  /** Resolves when the round under way has ended, after the lesson that it is at. */
  async close(): Promise<void> {
    this.#closing = true;
    clearInterval(this.#timer);
    await this.#round;
  }

  #next(): void {
    const { onDefect } = this.#options;
    this.#round = this.#round
      .then(async () => void (await this.run()))
      // An unreachable log is tried again in an hour.
      .catch((error: unknown) => (error instanceof StoreUnavailable ? undefined : onDefect(error)));
  }

  async #expireOf(tenantId: TenantId, days: number): Promise<number> {
    const { readModel, clock, projections, store } = this.#options;
    const rule: Rule = { tenantId, days, endedBeforeMs: clock.now() - days * dayMs };
    await projections.waitFor(await store.head());
    let expired = 0;
    for (let cursor: string | undefined; ; ) {
      const page = await readModel.keptWords(tenantId, { cursor, limit: pageSize });
      for (const lesson of page.items) {
        if (this.#closing || !isDue(lesson, rule)) return expired;
        if (await this.#expire(lesson, rule)) expired += 1;
      }
      if (page.nextCursor === null) return expired;
      cursor = page.nextCursor;
    }
  }

  async #expire({ sessionId, studentId }: KeptWords, rule: Rule): Promise<boolean> {
    const { handle, vault, node } = this.#options;
    const { tenantId, days } = rule;
    const stream = streams.session(sessionId);
    const shared = await this.#sharedKey(stream);
    if (shared !== null) {
      if (await this.#isNeeded(shared, { studentId, rule })) return false;
      await vault.destroy({ tenantId, subjectId: studentId });
    }
    await vault.destroy({ tenantId, subjectId: studentId, part: sessionId });
    handle.forgetState(stream);
    const handled = await handle.handle({
      aggregate: sessions,
      stream,
      commands: (): readonly SessionCommand[] => [{ type: 'RecordWordsExpired', afterDays: days }],
      context: { tenantId, actor: { kind: 'system', id: node } },
    });
    handle.forgetState(stream);
    return handled.status === 'done' && handled.position !== null;
  }

  /** Logs from before lessons had keys of their own: the student's only key, if this lesson was begun under it. */
  async #sharedKey(stream: StreamName): Promise<KeyId | null> {
    const keyId = await this.#firstKey(stream);
    if (keyId === null) return null;
    const subject = await this.#options.vault.subjectOf(keyId);
    return subject !== null && subject.part === undefined ? keyId : null;
  }

  /** Some other lesson under the same key is not due yet: then both wait for it. */
  async #isNeeded(keyId: KeyId, { studentId, rule }: { readonly studentId: StudentId; readonly rule: Rule }): Promise<boolean> {
    for (let cursor: string | undefined; ; ) {
      const page = await this.#options.readModel.sessions(rule.tenantId, { studentId, cursor, limit: pageSize });
      for (const other of page.items) {
        if (!isDue(other, rule) && (await this.#firstKey(streams.session(other.id))) === keyId) return true;
      }
      if (page.nextCursor === null) return false;
      cursor = page.nextCursor;
    }
  }

  /** Null: nothing personal was ever said. */
  async #firstKey(stream: StreamName): Promise<KeyId | null> {
    for (let after = 0; ; ) {
      const page = await this.#options.store.readStream(stream, { after, limit: pageSize });
      const keyId = page.find((stored) => stored.keyId !== null)?.keyId ?? null;
      if (keyId !== null) return KeyId.parse(keyId);
      const last = page.at(-1);
      if (last === undefined || page.length < pageSize) return null;
      after = last.revision;
    }
  }
}

function isDue({ endedAt }: Pick<Session, 'endedAt'>, { endedBeforeMs }: Rule): boolean {
  return endedAt !== null && Date.parse(endedAt) < endedBeforeMs;
}

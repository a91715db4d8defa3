import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Actor, CommandId, StreamName, TenantId } from '@virtual-tutor/schemas';
import type { Refusal } from '../domain/decision.ts';
import type { DomainEvent, EventCodec, NewDomainEvent } from './event-codec.ts';
import { type Aggregate, Folds, type Loaded } from './folds.ts';
import { commandIdOf, eventIdOf } from './ids.ts';
import {
  type AppendRequest,
  type Clock,
  type EventStore,
  type Ids,
  type StoredEventDraft,
  StoreUnavailable,
  SubjectForgotten,
} from './ports.ts';

/** Who wants it and why: becomes the events' meta. */
export interface CommandContext {
  readonly tenantId: TenantId;
  readonly actor: Actor;
  /** Makes it repeatable; omitted: a new one, for callers that never retry. */
  readonly commandId?: CommandId;
  /** The turn, where there is one. */
  readonly correlationId?: string;
  /** How long to keep trying while the log is unreachable, ms; default 0. */
  readonly patienceMs?: number;
  /** The events' personal parts are left out: whose they would be is forgotten, and there is no key for them. */
  readonly withoutWords?: boolean;
}

export interface HandleRequest<S, C, E extends DomainEvent, N extends NewDomainEvent & E> {
  readonly aggregate: Aggregate<S, C, E, N>;
  readonly stream: StreamName;
  /** Decided one after the other and appended together, or not at all. */
  readonly commands: (state: S) => readonly C[];
  readonly context: CommandContext;
}

export type Handled<State> =
  | {
      readonly status: 'done';
      readonly state: State;
      readonly revision: number;
      /** Of the newest event written now; null: it was already so. */
      readonly position: number | null;
    }
  | { readonly status: 'refused'; readonly refusal: Refusal };

export interface HandleOptions {
  readonly store: EventStore;
  readonly codec: EventCodec;
  readonly clock: Clock;
  readonly ids: Ids;
}

/** Races on one stream that a command survives before it answers `conflict`. */
const maxAttempts = 8;
const retryMs = 200;

/** Load, decide, append: the only way anything gets into the log. A stream of another tenant looks like one that does not exist. */
export class Handle {
  readonly #options: HandleOptions;
  readonly #folds: Folds;
  readonly #queues = new Map<StreamName, Promise<unknown>>();

  constructor(options: HandleOptions) {
    this.#options = options;
    this.#folds = new Folds(options.store, options.codec);
  }

  /** One command at a time per stream, in the order they came. Throws `StoreUnavailable`: the outcome is unknown, repeat it. */
  async handle<S, C, E extends DomainEvent, N extends NewDomainEvent & E>(request: HandleRequest<S, C, E, N>): Promise<Handled<S>> {
    const before = this.#queues.get(request.stream) ?? Promise.resolve();
    const run = before.then(() => this.#carryOut(request));
    const settled = run.catch(() => undefined);
    this.#queues.set(request.stream, settled);
    try {
      return await run;
    } finally {
      if (this.#queues.get(request.stream) === settled) this.#queues.delete(request.stream);
    }
  }

  /** The state now, or right after `revision`. Revision 0 (also for a stream of another tenant): it does not exist. */
  async load<S, C, E extends DomainEvent, N extends NewDomainEvent>(
    aggregate: Aggregate<S, C, E, N>,
    stream: StreamName,
    at: { readonly tenantId: TenantId; readonly revision?: number | undefined },
  ): Promise<Loaded<S>> {
    const { revision } = at;
    const loaded = await (revision === undefined ? this.#folds.load(aggregate, stream) : this.#folds.loadAt(aggregate, stream, revision));
    return loaded.tenantId === at.tenantId ? loaded : { state: aggregate.initial, revision: 0, tenantId: null };
  }

  /** Drops plaintext kept in memory, after a student was forgotten. */
  forgetStates(): void {
    this.#folds.clear();
  }

  /** Of one stream, after its words expired. */
  forgetState(stream: StreamName): void {
    this.#folds.drop(stream);
  }

  async #carryOut<S, C, E extends DomainEvent, N extends NewDomainEvent & E>(request: HandleRequest<S, C, E, N>): Promise<Handled<S>> {
    const commandId = request.context.commandId ?? commandIdOf(this.#options.ids.next());
    const deadline = this.#options.clock.now() + (request.context.patienceMs ?? 0);
    let known = this.#folds.cached<S>(request.stream);
    for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
      const loaded = known ?? (await this.#patiently(deadline, () => this.#folds.load(request.aggregate, request.stream)));
      const handled = await this.#decideAndAppend(request, { loaded, commandId, deadline });
      if (handled.status === 'done' && handled.position !== null) return handled;
      // "Refused" and "already so" are final only on a fresh state: a remembered one may be behind the log.
      if (handled.status !== 'lost' && known === undefined) return handled;
      known = undefined;
    }
    return refused({ code: 'conflict', message: 'this changed too often at once: try again' });
  }

  async #decideAndAppend<S, C, E extends DomainEvent, N extends NewDomainEvent & E>(
    request: HandleRequest<S, C, E, N>,
    { loaded, commandId, deadline }: { readonly loaded: Loaded<S>; readonly commandId: CommandId; readonly deadline: number },
  ): Promise<Handled<S> | { readonly status: 'lost' }> {
    const { aggregate, stream, context } = request;
    if (loaded.tenantId !== null && loaded.tenantId !== context.tenantId) return refused(notThere);
    const commands = request.commands(loaded.state);
    const decided = decideAll(aggregate, commands, loaded.state);
    if ('refused' in decided) return refused(decided.refused);
    if (decided.events.length === 0) return { status: 'done', state: loaded.state, revision: loaded.revision, position: null };

    const events = await this.#seal(request, decided, commandId);
    if (events === 'forgotten') return refused(forgotten);
    const append: AppendRequest = {
      commandId,
      stream,
      expected: loaded.revision === 0 ? 'none' : loaded.revision,
      events,
      fingerprint: createHash('sha256').update(JSON.stringify(commands)).digest('hex'),
    };
    // Sent again unchanged while the outcome is unknown: the store answers from the first time.
    const result = await this.#patiently(deadline, () => this.#options.store.append(append));
    switch (result.status) {
      case 'appended':
        this.#folds.remember(stream, { state: decided.state, revision: result.lastRevision, tenantId: context.tenantId });
        return { status: 'done', state: decided.state, revision: result.lastRevision, position: result.lastPosition };
      case 'duplicate': {
        const fresh = await this.#patiently(deadline, () => this.#folds.load(aggregate, stream));
        return { status: 'done', state: fresh.state, revision: fresh.revision, position: result.lastPosition };
      }
      case 'command_reused':
        return refused(reused);
      case 'conflict':
        return { status: 'lost' };
    }
  }

  async #seal<S, C, E extends DomainEvent, N extends NewDomainEvent & E>(
    { aggregate, stream, context }: HandleRequest<S, C, E, N>,
    decided: { readonly state: S; readonly events: readonly N[] },
    commandId: CommandId,
  ): Promise<readonly StoredEventDraft[] | 'forgotten'> {
    const whose = aggregate.subjectOf(decided.state, stream);
    const subject = whose === null ? null : context.withoutWords === true ? 'withheld' : { tenantId: context.tenantId, ...whose };
    const meta = {
      tenantId: context.tenantId,
      actor: context.actor,
      causationId: commandId,
      correlationId: context.correlationId ?? commandId,
      occurredAt: new Date(this.#options.clock.now()).toISOString(),
    };
    try {
      return await Promise.all(
        decided.events.map((event, index) => this.#options.codec.seal({ stream, event, id: eventIdOf(commandId, index), meta, subject })),
      );
    } catch (error) {
      if (error instanceof SubjectForgotten) return 'forgotten';
      throw error;
    }
  }

  async #patiently<T>(deadline: number, attempt: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof StoreUnavailable) || this.#options.clock.now() >= deadline) throw error;
        await sleep(retryMs);
      }
    }
  }
}

const notThere: Refusal = { code: 'not_found', message: 'there is nothing under this id' };
const forgotten: Refusal = { code: 'student_forgotten', message: 'this student was forgotten: nothing can be stored under the same id' };
const reused: Refusal = { code: 'command_reused', message: 'this idempotency key already did something else: use a new key' };

function refused(refusal: Refusal): { readonly status: 'refused'; readonly refusal: Refusal } {
  return { status: 'refused', refusal };
}

function decideAll<S, C, E extends DomainEvent, N extends NewDomainEvent & E>(
  aggregate: Aggregate<S, C, E, N>,
  commands: readonly C[],
  before: S,
): { readonly state: S; readonly events: readonly N[] } | { readonly refused: Refusal } {
  let state = before;
  const events: N[] = [];
  for (const command of commands) {
    const decision = aggregate.decide(command, state);
    if ('refused' in decision) return decision;
    for (const event of decision.accepted) {
      state = aggregate.evolve(state, event);
      events.push(event);
    }
  }
  return { state, events };
}

import type { AvatarBuildFailure, AvatarFault, AvatarStage, NewAvatarEvent } from '@virtual-tutor/schemas';
import { type AvatarId, AvatarId as AvatarIdSchema, idOf, streams, type TenantId } from '@virtual-tutor/schemas';
import type { AvatarCommand, AvatarState } from '../domain/avatar.ts';
import { avatars } from './aggregates.ts';
import type { ClearEvent } from './event-codec.ts';
import type { Handle } from './handle.ts';
import { commandIdOf } from './ids.ts';
import type { ReadModel } from './read-model.ts';

type PayloadOf<T extends NewAvatarEvent['type']> = Extract<NewAvatarEvent, { readonly type: T }>['payload'];

/** How a build ended. */
export type BuildVerdict =
  | { readonly status: 'ready'; readonly result: PayloadOf<'AvatarReady'> }
  | { readonly status: 'rejected'; readonly reasons: PayloadOf<'AvatarRejected'>['reasons'] }
  /** Without a verdict on the clip. `retryable`: another attempt may end otherwise. */
  | { readonly status: 'failed'; readonly code: AvatarBuildFailure; readonly retryable: boolean };

export interface BuildRequest {
  readonly avatarId: AvatarId;
  readonly signal: AbortSignal;
  onProgress(stage: AvatarStage, fraction: number): void;
}

/** Turns the clip in an avatar's folder into a face. Goes on where a build that was killed had got to; rejects with an AbortError alone. */
export interface AvatarBuilder {
  build(request: BuildRequest): Promise<BuildVerdict>;
}

/** A clip that takes the builder more than a process may have. */
export const tooHeavy: readonly { readonly code: AvatarFault; readonly atMs: null; readonly picture: null }[] = [
  { code: 'too_heavy', atMs: null, picture: null },
];

export interface AvatarBuildsOptions {
  readonly handle: Handle;
  readonly readModel: Pick<ReadModel, 'avatarsOf'>;
  /** Null: filmed tutors are switched off; what is queued waits. */
  readonly builder: AvatarBuilder | null;
  readonly node: string;
  /** Between a failure and the next attempt, ms. */
  readonly retryMs: number;
  readonly onDefect: (error: unknown) => void;
}

interface Waiting {
  readonly avatarId: AvatarId;
  readonly tenantId: TenantId;
}

/** The log may be away for this long while a build is recorded, ms. */
const patienceMs = 600_000;

/**
 * Policy: what was registered on this node is built, one at a time. Tenants take turns, so that a school with twenty clips does not keep
 * another one waiting for all of them; within a tenant, first come first served.
 */
export class AvatarBuilds {
  readonly #options: AvatarBuildsOptions;
  #queue: readonly Waiting[] = [];
  #running: { readonly avatarId: AvatarId; readonly tenantId: TenantId; readonly stop: AbortController } | null = null;
  /** Longest ago first. */
  #served: readonly TenantId[] = [];
  #ended: Promise<void> = Promise.resolve();
  readonly #retries = new Map<AvatarId, NodeJS.Timeout>();
  readonly #listeners = new Set<() => void>();
  #closed = false;

  constructor(options: AvatarBuildsOptions) {
    this.#options = options;
  }

  get running(): number {
    return this.#running === null ? 0 : 1;
  }

  get queued(): number {
    return this.#queue.length;
  }

  /** Takes up what a stopped process left: first what it was at, then the queue. */
  async recover(): Promise<void> {
    const left = await this.#options.readModel.avatarsOf(this.#options.node, ['building', 'queued', 'failed']);
    const begun = left.filter(({ status, retryable }) => status === 'building' || (status === 'failed' && retryable));
    for (const { id, tenantId } of [...begun, ...left.filter(({ status }) => status === 'queued')])
      this.#enqueue({ avatarId: id, tenantId });
  }

  follow(event: ClearEvent): void {
    const { stream, meta } = event.stored;
    if (event.type === 'AvatarRegistered' && event.payload.node === this.#options.node) {
      this.#enqueue({ avatarId: AvatarIdSchema.parse(idOf(stream)), tenantId: meta.tenantId });
    }
    if (event.type === 'AvatarRevoked' || event.type === 'AvatarDeleted') this.#drop(AvatarIdSchema.parse(idOf(stream)));
  }

  /** How many builds come before this one's, the running one included; null: it does not wait. */
  positionOf(avatarId: AvatarId): number | null {
    const order = inTurn(
      this.#queue,
      this.#running === null ? this.#served : [...without(this.#served, this.#running.tenantId), this.#running.tenantId],
    );
    const at = order.findIndex((waiting) => waiting.avatarId === avatarId);
    return at === -1 ? null : at + this.running;
  }

  /** Called whenever positions changed. Returns the unsubscribe. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves when nothing is done to the avatar's files any more. */
  async stop(avatarId: AvatarId): Promise<void> {
    const at = this.#running?.avatarId === avatarId;
    this.#drop(avatarId);
    if (at) await this.#ended;
  }

  /** A build under way goes on at the next start. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#queue = [];
    for (const retry of this.#retries.values()) clearTimeout(retry);
    this.#retries.clear();
    this.#running?.stop.abort();
    await this.#ended;
  }

  #enqueue(waiting: Waiting): void {
    const { avatarId } = waiting;
    if (this.#closed || this.#running?.avatarId === avatarId || this.#queue.some((other) => other.avatarId === avatarId)) return;
    this.#queue = [...this.#queue, waiting];
    this.#changed();
    this.#next();
  }

  #drop(avatarId: AvatarId): void {
    clearTimeout(this.#retries.get(avatarId));
    this.#retries.delete(avatarId);
    if (this.#running?.avatarId === avatarId) this.#running.stop.abort();
    const left = this.#queue.filter((waiting) => waiting.avatarId !== avatarId);
    if (left.length === this.#queue.length) return;
    this.#queue = left;
    this.#changed();
  }

  #next(): void {
    const { builder } = this.#options;
    const [waiting] = inTurn(this.#queue, this.#served);
    if (builder === null || this.#running !== null || waiting === undefined || this.#closed) return;
    const { avatarId, tenantId } = waiting;
    this.#queue = this.#queue.filter((other) => other !== waiting);
    this.#served = [...without(this.#served, tenantId), tenantId];
    const stop = new AbortController();
    this.#running = { avatarId, tenantId, stop };
    this.#ended = this.#build(waiting, { builder, signal: stop.signal })
      .catch((error: unknown) => {
        if (stop.signal.aborted) return;
        this.#options.onDefect(error);
        this.#retryLater(waiting);
      })
      .finally(() => {
        this.#running = null;
        this.#changed();
        this.#next();
      });
    this.#changed();
  }

  async #build(waiting: Waiting, { builder, signal }: { readonly builder: AvatarBuilder; readonly signal: AbortSignal }): Promise<void> {
    const { avatarId } = waiting;
    const { node } = this.#options;
    const started = await this.#record(waiting, { type: 'StartBuild', node }, 'start');
    if (started === null || started.status !== 'building') return;
    const { attempt } = started;
    let recorded: Promise<unknown> = Promise.resolve();
    const verdict = await builder.build({
      avatarId,
      signal,
      onProgress: (stage, fraction) => {
        // In their order, and without holding up the build; a step that cannot be recorded is no reason to stop.
        recorded = recorded
          .then(() => this.#record(waiting, { type: 'RecordProgress', attempt, stage, fraction }, `${attempt} ${stage} ${fraction}`))
          .catch(this.#options.onDefect);
      },
    });
    await recorded;
    const settled = await this.#record(waiting, commandOf(verdict, attempt), `${attempt} ended`);
    if (settled?.status === 'failed' && settled.retryable) this.#retryLater(waiting);
  }

  #retryLater(waiting: Waiting): void {
    if (this.#closed) return;
    const { avatarId } = waiting;
    const retry = setTimeout(() => {
      this.#retries.delete(avatarId);
      this.#enqueue(waiting);
    }, this.#options.retryMs);
    this.#retries.set(avatarId, retry.unref());
  }

  /** The state after it; null: refused. */
  async #record({ avatarId, tenantId }: Waiting, command: AvatarCommand, step: string): Promise<AvatarState | null> {
    const stream = streams.avatar(avatarId);
    const { revision } = await this.#options.handle.load(avatars, stream, { tenantId });
    const handled = await this.#options.handle.handle({
      aggregate: avatars,
      stream,
      commands: () => [command],
      context: {
        tenantId,
        actor: { kind: 'system', id: this.#options.node },
        // A start is a new one each time; what a build says of itself is said once.
        commandId: commandIdOf('avatar-build', avatarId, command.type === 'StartBuild' ? `start ${revision}` : step),
        patienceMs,
      },
    });
    return handled.status === 'refused' ? null : handled.state;
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

function commandOf(verdict: BuildVerdict, attempt: number): AvatarCommand {
  switch (verdict.status) {
    case 'ready':
      return { type: 'CompleteBuild', attempt, result: verdict.result };
    case 'rejected':
      return { type: 'RejectClip', attempt, reasons: verdict.reasons };
    case 'failed':
      return { type: 'FailBuild', attempt, code: verdict.code, retryable: verdict.retryable };
  }
}

function without(tenants: readonly TenantId[], tenantId: TenantId): readonly TenantId[] {
  return tenants.filter((other) => other !== tenantId);
}

/** The order of building: the tenant served longest ago goes first, and to the back once it was served. */
function inTurn(queue: readonly Waiting[], served: readonly TenantId[]): readonly Waiting[] {
  const order: Waiting[] = [];
  let left = queue;
  let turns = served;
  while (left.length > 0) {
    const rank = (waiting: Waiting) => turns.indexOf(waiting.tenantId);
    const next = left.reduce((best, waiting) => (rank(waiting) < rank(best) ? waiting : best));
    order.push(next);
    left = left.filter((waiting) => waiting !== next);
    turns = [...without(turns, next.tenantId), next.tenantId];
  }
  return order;
}

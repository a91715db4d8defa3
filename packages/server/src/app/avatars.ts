import {
  type Avatar,
  type AvatarId,
  AvatarId as AvatarIdSchema,
  idOf,
  type NewAvatarEvent,
  streams,
  type TenantId,
  type TutorId,
} from '@virtual-tutor/schemas';
import type { AvatarCommand } from '../domain/avatar.ts';
import type { Refusal } from '../domain/decision.ts';
import { avatars, subjectOfAvatar } from './aggregates.ts';
import type { AvatarBuilds } from './avatar-builds.ts';
import type { ClipSource, ClipStore } from './clip-store.ts';
import type { ClearEvent, EventCodec } from './event-codec.ts';
import type { CommandContext, Handle } from './handle.ts';
import { avatarIdOf, commandIdOf } from './ids.ts';
import type { Outcome } from './lessons.ts';
import type { Clock, EventStore, Ids, KeyVault } from './ports.ts';
import type { AvatarRow } from './projections/avatars.ts';
import type { Page, PageRequest, Projections, ReadModel } from './read-model.ts';
import type { Tail } from './tail.ts';

export interface AvatarsOptions {
  readonly handle: Handle;
  readonly codec: EventCodec;
  readonly store: EventStore;
  readonly vault: Pick<KeyVault, 'destroy'>;
  readonly tail: Tail;
  readonly readModel: Pick<ReadModel, 'avatar' | 'avatars' | 'avatarsOf'>;
  readonly projections: Pick<Projections, 'waitFor'>;
  readonly builds: AvatarBuilds;
  readonly clips: ClipStore;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly node: string;
  /** `ENABLE_AVATAR`. */
  readonly enabled: boolean;
  /** Gives the tutor this face, unless it is gone or has another filmed one. */
  readonly assign: (tutorId: TutorId, avatarId: AvatarId, context: CommandContext) => Promise<void>;
  readonly onDefect: (error: unknown) => void;
}

type Personal = Extract<NewAvatarEvent, { readonly type: 'AvatarRegistered' }>['personal'];

export interface NewAvatar {
  readonly source: ClipSource;
  readonly name: string;
  readonly fileName: string;
  readonly tutorId: TutorId | null;
  readonly consent: Personal['consent'];
  readonly idempotencyKey?: string | undefined;
}

const notThere: Refusal = { code: 'not_found', message: 'there is no such filmed tutor' };
const switchedOff: Refusal = {
  code: 'media_unavailable',
  message: 'faces are switched off on this engine: its operator can set ENABLE_AVATAR',
};
/** After these nothing more happens by itself. */
const settled: ReadonlySet<Avatar['status']> = new Set(['ready', 'rejected', 'revoked', 'deleted']);
const sweepMs = 600_000;
/** Most of a file in one answer, bytes. */
const maxFileBytes = 8 * 1024 * 1024;

/** Filmed tutors: clips in, builds, faces withdrawn. */
export class Avatars {
  readonly #options: AvatarsOptions;
  readonly #sweeper: NodeJS.Timeout;

  constructor(options: AvatarsOptions) {
    this.#options = options;
    this.#sweeper = setInterval(() => void this.#sweep(), sweepMs).unref();
  }

  async beginUpload(
    tenantId: TenantId,
    upload: { readonly uploadId: string; readonly bytes: number },
  ): Promise<Outcome<{ readonly offset: number }>> {
    return this.#options.enabled ? this.#options.clips.beginUpload(tenantId, upload) : { refused: switchedOff };
  }

  append(
    tenantId: TenantId,
    chunk: { readonly uploadId: string; readonly offset: number; readonly bytes: AsyncIterable<Uint8Array> },
  ): Promise<Outcome<{ readonly offset: number }>> {
    return this.#options.clips.append(tenantId, chunk);
  }

  abandonUpload(tenantId: TenantId, uploadId: string): Promise<void> {
    return this.#options.clips.abandonUpload(tenantId, uploadId);
  }

  /** The clip becomes the avatar's before the log speaks of it; its build is queued by the log. */
  async create(wanted: NewAvatar, context: CommandContext): Promise<Outcome<Avatar>> {
    if (!this.#options.enabled) return { refused: switchedOff };
    const { tenantId } = context;
    const { name, fileName, consent, tutorId, source, idempotencyKey } = wanted;
    const avatarId = avatarIdOf(tenantId, idempotencyKey ?? this.#options.ids.next());
    const known = await this.#options.handle.load(avatars, streams.avatar(avatarId), { tenantId });
    if (known.revision > 0) return this.find(tenantId, avatarId);
    const clip = await this.#options.clips.adopt(tenantId, { avatarId, source });
    if ('refused' in clip) return clip;
    const consentedAt = new Date(this.#options.clock.now()).toISOString();
    const payload = { source: source.type, ...clip, node: this.#options.node, tutorId, consentedAt };
    const registered = await this.#command(avatarId, { type: 'RegisterAvatar', payload, personal: { name, fileName, consent } }, context);
    if ('refused' in registered) await this.#removeUnlessKnown(avatarId);
    return registered;
  }

  /** Two that came at once under one key share a folder: the one that lost must not take the other's clip. */
  async #removeUnlessKnown(avatarId: AvatarId): Promise<void> {
    const [first] = await this.#options.store.readStream(streams.avatar(avatarId), { after: 0, limit: 1 });
    if (first === undefined) await this.#options.clips.remove(avatarId);
  }

  async find(tenantId: TenantId, avatarId: AvatarId): Promise<Outcome<Avatar>> {
    await this.#upToDate();
    const row = await this.#options.readModel.avatar(tenantId, avatarId);
    return row === null ? { refused: notThere } : this.#viewOf(row);
  }

  async page(tenantId: TenantId, request: PageRequest): Promise<Page<Avatar>> {
    const { items, nextCursor } = await this.#options.readModel.avatars(tenantId, request);
    return { items: await Promise.all(items.map((row) => this.#viewOf(row))), nextCursor };
  }

  /** Now and at every change, until nothing more will happen by itself. Ends at once when there is no such avatar: ask `find` first. */
  async *watch(tenantId: TenantId, avatarId: AvatarId, signal: AbortSignal): AsyncGenerator<Avatar, void, undefined> {
    let changed = Promise.withResolvers<void>();
    const wake = () => changed.resolve();
    const detach = [this.#options.tail.onStream(streams.avatar(avatarId), wake), this.#options.builds.onChange(wake)];
    signal.addEventListener('abort', wake, { once: true });
    try {
      for (let shown = ''; !signal.aborted; ) {
        changed = Promise.withResolvers<void>();
        const avatar = await this.find(tenantId, avatarId);
        if ('refused' in avatar) return;
        const now = JSON.stringify(avatar);
        if (now !== shown) yield avatar;
        shown = now;
        if (settled.has(avatar.status) || (avatar.status === 'failed' && !(await this.#willRetry(tenantId, avatarId)))) return;
        await changed.promise;
      }
    } finally {
      for (const leave of detach) leave();
      signal.removeEventListener('abort', wake);
    }
  }

  /** A file that the log names, if it is still what the log says. */
  async file(
    tenantId: TenantId,
    { avatarId, name }: { readonly avatarId: AvatarId; readonly name: string },
  ): Promise<Outcome<{ readonly bytes: Uint8Array }>> {
    const row = await this.#options.readModel.avatar(tenantId, avatarId);
    if (row === null || row.status === 'deleted' || row.status === 'revoked') return { refused: notThere };
    const artifact = [...row.artifacts, ...row.reasons.flatMap(({ picture }) => picture ?? [])].find((file) => file.name === name);
    if (artifact !== undefined && artifact.bytes > maxFileBytes) {
      return { refused: { code: 'payload_too_large', message: 'this file is not for looking at: thumbnail.jpg and idle.webm are' } };
    }
    const bytes = artifact === undefined ? null : await this.#options.clips.read(avatarId, artifact);
    return bytes === null ? { refused: { code: 'not_found', message: 'this filmed tutor has no such file' } } : { bytes };
  }

  revoke(
    avatarId: AvatarId,
    reason: Extract<AvatarCommand, { type: 'RevokeAvatar' }>['reason'],
    context: CommandContext,
  ): Promise<Outcome<Avatar>> {
    return this.#command(avatarId, { type: 'RevokeAvatar', reason }, context);
  }

  /** Its files and the key to its personal part are gone when this answers. */
  async remove(avatarId: AvatarId, context: CommandContext): Promise<Outcome<Avatar>> {
    const removed = await this.#command(avatarId, { type: 'DeleteAvatar' }, context);
    if ('refused' in removed) return removed;
    await this.#erase(context.tenantId, avatarId);
    return this.find(context.tenantId, avatarId);
  }

  /** Before it is given to a tutor. */
  async mayBeWorn(tutorId: TutorId, avatarId: AvatarId, context: CommandContext): Promise<Refusal | null> {
    const command: AvatarCommand = { type: 'AssignAvatar', tutorId };
    // One command writes to one stream: the caller's id is for the tutor's.
    const commandId = context.commandId === undefined ? {} : { commandId: commandIdOf('assign', context.commandId) };
    const assigned = await this.#command(avatarId, command, { ...context, ...commandId });
    return 'refused' in assigned ? assigned.refused : null;
  }

  /** What a stopped process left undone: files that the log does not know, or knows to be deleted. */
  async recover(): Promise<void> {
    const { readModel, node, clips } = this.#options;
    for (const { tenantId, id } of await readModel.avatarsOf(node, ['deleted'])) await this.#erase(tenantId, id);
    for (const avatarId of await clips.settled()) await this.#removeUnlessKnown(avatarId);
    for (const { tenantId, id } of await readModel.avatarsOf(node, ['ready'])) await this.#giveToItsTutor(tenantId, id);
    for (const { id, retryable } of await readModel.avatarsOf(node, ['rejected', 'failed', 'revoked']))
      if (!retryable) await this.#dropClip(id);
    await clips.sweep();
  }

  follow(event: ClearEvent): void {
    if (!event.stored.stream.startsWith('avatar-')) return;
    this.#consequenceOf(event)?.catch(this.#options.onDefect);
  }

  #consequenceOf({ type, payload, stored }: ClearEvent): Promise<void> | null {
    const { tenantId } = stored.meta;
    const avatarId = AvatarIdSchema.parse(idOf(stored.stream));
    switch (type) {
      case 'AvatarReady':
        return this.#giveToItsTutor(tenantId, avatarId);
      case 'AvatarDeleted':
        return this.#erase(tenantId, avatarId);
      case 'AvatarRejected':
      case 'AvatarRevoked':
        return this.#dropClip(avatarId);
      case 'AvatarBuildFailed':
        return payload.retryable ? null : this.#dropClip(avatarId);
      default:
        return null;
    }
  }

  /** Nothing more will be made of it. */
  async #dropClip(avatarId: AvatarId): Promise<void> {
    await this.#options.builds.stop(avatarId);
    await this.#options.clips.removeClip(avatarId);
  }

  close(): void {
    clearInterval(this.#sweeper);
  }

  /** Whoever uploaded it said for whom, once: what was configured since is not undone. */
  async #giveToItsTutor(tenantId: TenantId, avatarId: AvatarId): Promise<void> {
    const { state } = await this.#options.handle.load(avatars, streams.avatar(avatarId), { tenantId });
    if (state.status !== 'ready' || state.tutorId === null || state.assignedTo.some((tutorId) => tutorId !== state.tutorId)) return;
    // Assigned already: whoever did so may have stopped before the tutor's own settings were written. Written once, they stay as they are.
    const commandId = commandIdOf('avatar-ready', avatarId);
    await this.#options.assign(state.tutorId, avatarId, { tenantId, actor: { kind: 'system', id: this.#options.node }, commandId });
  }

  /** Each step is safe to repeat. */
  async #erase(tenantId: TenantId, avatarId: AvatarId): Promise<void> {
    const { builds, clips, vault } = this.#options;
    await builds.stop(avatarId);
    await clips.remove(avatarId);
    await vault.destroy({ tenantId, subjectId: subjectOfAvatar(avatarId) });
  }

  async #willRetry(tenantId: TenantId, avatarId: AvatarId): Promise<boolean> {
    return (await this.#options.readModel.avatar(tenantId, avatarId))?.retryable === true;
  }

  async #viewOf(row: AvatarRow): Promise<Avatar> {
    const { id, status, progress, failure, quality, renderer, artifacts, tutorIds, bytes, sha256, createdAt, revision } = row;
    const personal = status === 'deleted' ? null : await this.#personalOf(id);
    return {
      ...{ id, name: personal?.name ?? null, status, position: this.#options.builds.positionOf(id), progress, failure, quality, renderer },
      ...{ artifacts, tutorIds, bytes, sha256, createdAt, revision },
      reasons: row.reasons.map(({ code, atMs, picture }) => ({ code, atMs, picture: picture?.name ?? null })),
    };
  }

  async #personalOf(avatarId: AvatarId): Promise<Personal | null> {
    const { store, codec } = this.#options;
    const [first] = await store.readStream(streams.avatar(avatarId), { after: 0, limit: 1 });
    if (first === undefined) return null;
    const event = avatars.eventOf(await codec.open(first));
    return event.type === 'AvatarRegistered' ? event.personal : null;
  }

  async #upToDate(): Promise<void> {
    await this.#options.projections.waitFor(await this.#options.store.head());
  }

  async #command(avatarId: AvatarId, command: AvatarCommand, context: CommandContext): Promise<Outcome<Avatar>> {
    const stream = streams.avatar(avatarId);
    const handled = await this.#options.handle.handle({ aggregate: avatars, stream, commands: () => [command], context });
    return handled.status === 'refused' ? { refused: handled.refusal } : this.find(context.tenantId, avatarId);
  }

  async #sweep(): Promise<void> {
    await this.#options.clips.sweep().catch(this.#options.onDefect);
  }
}

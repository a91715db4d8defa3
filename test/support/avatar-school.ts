import { randomBytes } from 'node:crypto';
import { type Avatar, AvatarId, streams, type TenantId, type TutorId, type TutorSettings } from '@virtual-tutor/schemas';
import { v7 as uuidv7 } from 'uuid';
import { avatars as avatarAggregate, tutors as tutorAggregate } from '../../packages/server/src/app/aggregates.ts';
import { type AvatarBuilder, AvatarBuilds, type BuildRequest, type BuildVerdict } from '../../packages/server/src/app/avatar-builds.ts';
import { Avatars, type NewAvatar } from '../../packages/server/src/app/avatars.ts';
import type { ClipStore } from '../../packages/server/src/app/clip-store.ts';
import { createEventCodec, decodeClear } from '../../packages/server/src/app/event-codec.ts';
import { Handle } from '../../packages/server/src/app/handle.ts';
import { systemIds } from '../../packages/server/src/app/ids.ts';
import { type EventStore, type KeyVault, SubjectForgotten } from '../../packages/server/src/app/ports.ts';
import { type AvatarRow, avatarsProjection } from '../../packages/server/src/app/projections/avatars.ts';
import { Tail } from '../../packages/server/src/app/tail.ts';
import { Tutors } from '../../packages/server/src/app/tutors.ts';
import { MemoryEventStore } from '../../packages/server/src/store/memory-event-store.ts';
import { madeReady } from './avatars-in-log.ts';
import { wholeLog } from './histories.ts';

/** What is left when the process stops: the log, the keys and the clips. */
export class SchoolDisk {
  readonly store: EventStore = new MemoryEventStore();
  readonly keys = new Map<string, string>();
  readonly folders = new Set<AvatarId>();
  /** Of them, those that hold no clip any more. */
  readonly clipless = new Set<AvatarId>();
}

export const settings: TutorSettings = {
  ...{ name: 'Ada', language: 'en', systemPrompt: '', llmModel: null, temperature: null, knowledgeBaseId: null, greeting: '' },
  ...{ voice: null, face: null, avatarId: null },
};

const made = madeReady[2];
export const readyVerdict: BuildVerdict = made?.type === 'CompleteBuild' ? { status: 'ready', result: made.result } : unmade();

function unmade(): never {
  throw new Error('the history of a made avatar has changed');
}

/** A build that waits for the test to end it. */
export interface HeldBuild extends BuildRequest {
  end(verdict: BuildVerdict): void;
}

export class HeldBuilder implements AvatarBuilder {
  readonly builds: HeldBuild[] = [];

  build(request: BuildRequest): Promise<BuildVerdict> {
    const { promise, resolve, reject } = Promise.withResolvers<BuildVerdict>();
    const stop = () => reject(request.signal.reason);
    request.signal.addEventListener('abort', stop, { once: true });
    if (request.signal.aborted) stop();
    this.builds.push({ ...request, end: resolve });
    return promise;
  }
}

function vaultOn({ keys }: SchoolDisk): Pick<KeyVault, 'seal' | 'open' | 'disclose' | 'destroy'> {
  const sealing = new Map<string, string>();
  return {
    async seal({ subjectId }, plaintext) {
      const keyId = keys.get(subjectId) ?? randomBytes(8).toString('hex');
      if (keyId === 'destroyed') throw new SubjectForgotten();
      keys.set(subjectId, keyId);
      sealing.set(keyId, subjectId);
      return { keyId, sealed: plaintext };
    },
    open: async (keyId, sealed) => ([...keys.values()].includes(keyId) ? sealed : null),
    disclose: async () => null,
    destroy: async ({ subjectId }) => void keys.set(subjectId, 'destroyed'),
  };
}

/** Clips of one hash, in memory. */
function clipsOn({ folders, clipless }: SchoolDisk): ClipStore {
  return {
    beginUpload: async () => ({ offset: 0 }),
    append: async () => ({ offset: 0 }),
    abandonUpload: async () => {},
    async adopt(_tenantId, { avatarId }) {
      folders.add(avatarId);
      return { bytes: 9, sha256: 'a'.repeat(64) };
    },
    read: async () => new Uint8Array(1),
    removeClip: async (avatarId) => void clipless.add(avatarId),
    remove: async (avatarId) => void folders.delete(avatarId),
    settled: async () => [...folders],
    isWritable: async () => true,
    sweep: async () => {},
  };
}

export interface SchoolOptions {
  readonly disk?: SchoolDisk;
  readonly retryMs?: number;
  readonly builder?: AvatarBuilder | null;
}

/** The parts of a node that filmed tutors need, on a log in memory and with a builder that does what it is told. */
export async function openAvatarSchool({ disk = new SchoolDisk(), retryMs = 1, builder = new HeldBuilder() }: SchoolOptions = {}) {
  const { store } = disk;
  const defects: unknown[] = [];
  const onDefect = (error: unknown) => void defects.push(error);
  const vault = vaultOn(disk);
  const codec = createEventCodec(vault);
  const clock = { now: () => Date.UTC(2026, 0, 1) };
  const handle = new Handle({ store, codec, clock, ids: systemIds });
  const tail = await Tail.start(store, onDefect);
  const rows = async () => {
    const found = new Map<string, AvatarRow>();
    for (const stored of await wholeLog(store)) {
      const event = decodeClear(stored);
      const row = stored.stream.startsWith('avatar-') ? avatarsProjection.evolve(found.get(stored.stream) ?? null, event) : null;
      if (row !== null) found.set(stored.stream, row);
    }
    return [...found.values()];
  };
  const readModel = {
    avatar: async (tenantId: TenantId, avatarId: AvatarId) =>
      (await rows()).find((row) => row.tenantId === tenantId && row.id === avatarId) ?? null,
    avatars: async (tenantId: TenantId) => ({ items: (await rows()).filter((row) => row.tenantId === tenantId), nextCursor: null }),
    avatarsOf: async (node: string, statuses: readonly AvatarRow['status'][]) =>
      (await rows()).filter((row) => row.node === node && statuses.includes(row.status)),
  };
  const projections = { waitFor: async () => {} };
  const builds = new AvatarBuilds({ handle, readModel, builder, node: 'n1', retryMs, onDefect });
  const noTutors = { tutor: async () => null, tutors: async () => ({ items: [], nextCursor: null }) };
  const tutors: Tutors = new Tutors({ handle, readModel: noTutors, projections, giveFace: (...wanted) => avatars.mayBeWorn(...wanted) });
  const avatars: Avatars = new Avatars({
    ...{ handle, codec, store, vault, tail, readModel, projections, builds, clips: clipsOn(disk), ids: systemIds, clock, onDefect },
    ...{ node: 'n1', enabled: true, assign: (...given) => tutors.wear(...given) },
  });
  for (const follower of [builds, avatars]) tail.onEvent((stored) => follower.follow(decodeClear(stored)));
  await avatars.recover();
  await builds.recover();

  const actor = { kind: 'operator', id: 'op' } as const;
  const create = async (tenantId: TenantId, over: Partial<NewAvatar> = {}): Promise<Avatar> => {
    const wanted: NewAvatar = {
      ...{ source: { type: 'upload', uploadId: uuidv7() }, name: 'Ms Li', fileName: 'li.mp4', tutorId: null, idempotencyKey: uuidv7() },
      consent: { by: 'Li Na', statement: 'You may use my face.' },
      ...over,
    };
    const avatar = await avatars.create(wanted, { tenantId, actor });
    if ('refused' in avatar) throw new Error(avatar.refused.message);
    return avatar;
  };
  return {
    ...{ disk, handle, avatars, builds, tutors, defects, create, actor },
    stateOf: async (tenantId: TenantId, id: string) =>
      (await handle.load(avatarAggregate, streams.avatar(AvatarId.parse(id)), { tenantId })).state,
    async configure(tenantId: TenantId, tutorId: TutorId, over: Partial<TutorSettings> = {}) {
      return tutors.configure(tutorId, { ...settings, ...over }, { tenantId, actor });
    },
    async faceOf(tenantId: TenantId, tutorId: TutorId) {
      const { state } = await handle.load(tutorAggregate, streams.tutor(tenantId, tutorId), { tenantId });
      return state.status === 'active' ? state.settings.avatarId : null;
    },
    async [Symbol.asyncDispose]() {
      avatars.close();
      await builds.close();
      await tail.close();
    },
  };
}

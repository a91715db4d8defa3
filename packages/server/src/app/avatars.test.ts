import { AvatarId, streams, TenantId, TutorId } from '@virtual-tutor/schemas';
import { v7 as uuidv7 } from 'uuid';
import { describe, expect, test, vi } from 'vitest';
import { HeldBuilder, openAvatarSchool, readyVerdict, SchoolDisk } from '../../../../test/support/avatar-school.ts';
import type { BuildVerdict } from './avatar-builds.ts';

const north = TenantId.parse('north');
const south = TenantId.parse('south');
const ada = TutorId.parse('ada');
const atOnce = { build: async (): Promise<BuildVerdict> => readyVerdict };

describe('registering', () => {
  test('twice under one key makes one avatar, at once or one after the other', async () => {
    await using school = await openAvatarSchool({ builder: null });
    const key = { idempotencyKey: uuidv7(), source: { type: 'upload', uploadId: uuidv7() } } as const;
    const [one, two] = await Promise.all([school.create(north, key), school.create(north, key)]);
    const three = await school.create(north, key);
    expect([two.id, three.id]).toEqual([one.id, one.id]);
    expect(await school.disk.store.head()).toBe(1);
    expect([...school.disk.folders]).toEqual([one.id]);
  });

  test('the same key of another tenant makes another avatar, which the first cannot see', async () => {
    await using school = await openAvatarSchool({ builder: atOnce });
    const key = { idempotencyKey: uuidv7() };
    const [ours, theirs] = [await school.create(north, key), await school.create(south, key)];
    expect(theirs.id).not.toBe(ours.id);
    const context = { tenantId: north, actor: school.actor };
    const refused = { refused: { code: 'not_found' } };
    expect(await school.avatars.find(north, theirs.id)).toMatchObject(refused);
    expect(await school.avatars.file(north, { avatarId: theirs.id, name: 'frames.mkv' })).toMatchObject(refused);
    expect(await school.avatars.revoke(theirs.id, 'other', context)).toMatchObject(refused);
    expect(await school.avatars.remove(theirs.id, context)).toMatchObject(refused);
    expect(await school.configure(north, ada, { avatarId: theirs.id })).toMatchObject(refused);
    expect((await school.avatars.page(north, { limit: 10 })).items.map(({ id }) => id)).toEqual([ours.id]);
  });
});

describe('deleting', () => {
  test('takes the files and the key to the name; what happened stays in the log', async () => {
    await using school = await openAvatarSchool({ builder: atOnce });
    const { id } = await school.create(north);
    const removed = await school.avatars.remove(id, { tenantId: north, actor: school.actor });
    expect(removed).toMatchObject({ status: 'deleted', name: null, sha256: 'a'.repeat(64) });
    expect([...school.disk.folders]).toEqual([]);
    expect([...school.disk.keys]).toEqual([[`avatar:${id}`, 'destroyed']]);
    const personal = await school.disk.store.readStream(streams.avatar(id), { after: 0, limit: 1 });
    expect(personal[0]?.sealed).not.toBeNull();
  });

  test('that was cut off after its fact is completed at the next start, and only that', async () => {
    const disk = new SchoolDisk();
    const ids: AvatarId[] = [];
    {
      await using school = await openAvatarSchool({ disk, builder: null });
      for (let nth = 0; nth < 2; nth += 1) ids.push((await school.create(north)).id);
      await school.avatars.remove(AvatarId.parse(ids[0]), { tenantId: north, actor: school.actor });
    }
    const [gone, kept] = [AvatarId.parse(ids[0]), AvatarId.parse(ids[1])];
    // As the process left them when it was killed.
    const rubbish = AvatarId.parse(uuidv7());
    disk.keys.set(`avatar:${gone}`, 'still there');
    for (const id of [gone, rubbish]) disk.folders.add(id);
    await using _school = await openAvatarSchool({ disk, builder: null });
    expect([...disk.folders]).toEqual([kept]);
    expect(disk.keys.get(`avatar:${gone}`)).toBe('destroyed');
    expect(disk.keys.get(`avatar:${kept}`)).not.toBe('destroyed');
  });
});

describe('a clip of which nothing more will be made', () => {
  const noFace = { code: 'no_face', atMs: 40, picture: null } as const;
  const refusing = { build: async (): Promise<BuildVerdict> => ({ status: 'rejected', reasons: [noFace] }) };
  const failing = (retryable: boolean) => ({
    build: async (): Promise<BuildVerdict> => ({ status: 'failed', code: 'crashed', retryable }),
  });

  test.each([
    ['was refused', refusing, 'rejected'],
    ['could not be built', failing(false), 'failed'],
  ] as const)('because it %s is gone', async (_why, builder, status) => {
    await using school = await openAvatarSchool({ builder });
    const { id } = await school.create(north);
    await vi.waitFor(() => expect([...school.disk.clipless]).toEqual([id]));
    expect(await school.avatars.find(north, id)).toMatchObject({ status });
  });

  test('because the face was withdrawn is gone, also when the engine was stopped meanwhile; one that is tried again stays', async () => {
    const disk = new SchoolDisk();
    await using school = await openAvatarSchool({ disk, builder: failing(true), retryMs: 60_000 });
    const { id } = await school.create(north);
    await vi.waitFor(async () => expect(await school.avatars.find(north, id)).toMatchObject({ status: 'failed' }));
    expect([...disk.clipless]).toEqual([]);
    await school.avatars.revoke(id, 'consent_withdrawn', { tenantId: north, actor: school.actor });
    await vi.waitFor(() => expect([...disk.clipless]).toEqual([id]));
    disk.clipless.clear();
    await using next = await openAvatarSchool({ disk });
    await next.avatars.recover();
    expect([...disk.clipless]).toEqual([id]);
  });
});

describe('a face for a tutor', () => {
  test('that is not ready is refused, and nothing of the change is kept', async () => {
    await using school = await openAvatarSchool({ builder: null });
    await school.configure(north, ada);
    const { id } = await school.create(north);
    expect(await school.configure(north, ada, { avatarId: id })).toMatchObject({ refused: { code: 'avatar_not_ready' } });
    expect(await school.faceOf(north, ada)).toBeNull();
  });

  test('that was said with the clip is given when it is ready', async () => {
    await using school = await openAvatarSchool({ builder: atOnce });
    await school.configure(north, ada);
    const { id } = await school.create(north, { tutorId: ada });
    await vi.waitFor(async () => expect(await school.faceOf(north, ada)).toBe(id));
    expect(await school.avatars.find(north, id)).toMatchObject({ tutorIds: [ada] });
  });

  test('is not given to a tutor that has another one by then, and to none that is not there', async () => {
    const builder = new HeldBuilder();
    await using school = await openAvatarSchool({ builder });
    const [chosen, late, forNobody] = [
      await school.create(north),
      await school.create(north, { tutorId: ada }),
      await school.create(north, { tutorId: TutorId.parse('nobody') }),
    ];
    await vi.waitFor(() => expect(builder.builds).toHaveLength(1));
    builder.builds[0]?.end(readyVerdict);
    await vi.waitFor(async () => expect(await school.stateOf(north, chosen.id)).toMatchObject({ status: 'ready' }));
    await school.configure(north, ada, { avatarId: chosen.id });
    for (const [nth, { id }] of [late, forNobody].entries()) {
      await vi.waitFor(() => expect(builder.builds).toHaveLength(nth + 2));
      builder.builds[nth + 1]?.end(readyVerdict);
      await vi.waitFor(async () => expect(await school.stateOf(north, id)).toMatchObject({ status: 'ready' }));
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await school.faceOf(north, ada)).toBe(chosen.id);
    expect(await school.avatars.find(north, late.id)).toMatchObject({ tutorIds: [] });
    expect(school.defects).toEqual([]);
  });

  test('that was assigned when the engine stopped, and not yet put on, is put on at the next start; once', async () => {
    const disk = new SchoolDisk();
    let avatarId = '';
    {
      await using school = await openAvatarSchool({ disk, builder: atOnce });
      ({ id: avatarId } = await school.create(north, { tutorId: ada }));
      await vi.waitFor(async () => expect(await school.stateOf(north, avatarId)).toMatchObject({ status: 'ready' }));
      await school.avatars.mayBeWorn(ada, AvatarId.parse(avatarId), { tenantId: north, actor: school.actor });
      await school.configure(north, ada);
    }
    {
      await using school = await openAvatarSchool({ disk, builder: atOnce });
      expect(await school.faceOf(north, ada)).toBe(avatarId);
      await school.configure(north, ada, { avatarId: null });
    }
    await using school = await openAvatarSchool({ disk, builder: atOnce });
    expect(await school.faceOf(north, ada)).toBeNull();
  });

  test('that was withdrawn stays in the settings and hinders no other change', async () => {
    await using school = await openAvatarSchool({ builder: atOnce });
    const { id } = await school.create(north);
    await vi.waitFor(async () => expect(await school.stateOf(north, id)).toMatchObject({ status: 'ready' }));
    await school.configure(north, ada, { avatarId: id });
    await school.avatars.revoke(id, 'consent_withdrawn', { tenantId: north, actor: school.actor });
    await school.configure(north, ada, { avatarId: id, greeting: 'Hello.' });
    expect(await school.faceOf(north, ada)).toBe(id);
    expect(await school.configure(north, TutorId.parse('bob'), { avatarId: id })).toMatchObject({ refused: { code: 'avatar_not_ready' } });
  });
});

describe('watching', () => {
  test('shows each change once, the positions of others included, and ends when all is done', async () => {
    const builder = new HeldBuilder();
    await using school = await openAvatarSchool({ builder });
    await school.create(north);
    const { id } = await school.create(north);
    const seen: string[] = [];
    const reading = (async () => {
      for await (const { status, position } of school.avatars.watch(north, id, new AbortController().signal))
        seen.push(`${status} ${position}`);
    })();
    await vi.waitFor(() => expect(seen).toEqual(['queued 1']));
    builder.builds[0]?.end(readyVerdict);
    await vi.waitFor(() => expect(builder.builds).toHaveLength(2));
    builder.builds[1]?.end(readyVerdict);
    await reading;
    expect(seen.at(0)).toBe('queued 1');
    expect(seen.at(-1)).toBe('ready null');
    expect(new Set(seen.map((one) => one.split(' ')[0]))).toEqual(new Set(['queued', 'building', 'ready']));
  });

  test('leaves when the reader does', async () => {
    await using school = await openAvatarSchool({ builder: null });
    const { id } = await school.create(north);
    const leaving = new AbortController();
    const watch = school.avatars.watch(north, id, leaving.signal);
    expect(await watch.next()).toMatchObject({ done: false });
    const next = watch.next();
    leaving.abort();
    expect(await next).toEqual({ done: true, value: undefined });
  });
});

import { type AvatarId, TenantId } from '@virtual-tutor/schemas';
import { describe, expect, test, vi } from 'vitest';
import { HeldBuilder, openAvatarSchool, readyVerdict, SchoolDisk } from '../../../../test/support/avatar-school.ts';
import { mostAttempts } from '../domain/avatar.ts';

const north = TenantId.parse('north');
const south = TenantId.parse('south');
const crashed = { status: 'failed', code: 'crashed', retryable: true } as const;

async function began(builder: HeldBuilder, count: number) {
  await vi.waitFor(() => expect(builder.builds).toHaveLength(count), { interval: 1, timeout: 5_000 });
  const latest = builder.builds[count - 1];
  if (latest === undefined) throw new Error('no build');
  return latest;
}

/** Ends every build as ready, in the order they begin. */
async function buildAll(builder: HeldBuilder, count: number): Promise<readonly AvatarId[]> {
  for (let nth = 1; nth <= count; nth += 1) (await began(builder, nth)).end(readyVerdict);
  return builder.builds.map(({ avatarId }) => avatarId);
}

describe('the queue', () => {
  test('builds one at a time; tenants take turns, and within one it is first come, first served', async () => {
    const builder = new HeldBuilder();
    await using school = await openAvatarSchool({ builder });
    const [n1, n2, n3] = [await school.create(north), await school.create(north), await school.create(north)];
    const [s1, s2] = [await school.create(south), await school.create(south)];
    await began(builder, 1);
    const positions = await Promise.all([n1, s1, n2, s2, n3].map(async ({ id }) => school.builds.positionOf(id)));
    expect(positions).toEqual([null, 1, 2, 3, 4]);
    expect([school.builds.running, school.builds.queued]).toEqual([1, 4]);
    expect(await buildAll(builder, 5)).toEqual([n1, s1, n2, s2, n3].map(({ id }) => id));
    expect(school.defects).toEqual([]);
  });

  test('lets a withdrawn clip go, and stops the build of one that is deleted', async () => {
    const builder = new HeldBuilder();
    await using school = await openAvatarSchool({ builder });
    const [first, second, third] = [await school.create(north), await school.create(north), await school.create(north)];
    const running = await began(builder, 1);
    await school.avatars.revoke(second.id, 'consent_withdrawn', { tenantId: north, actor: school.actor });
    await school.avatars.remove(first.id, { tenantId: north, actor: school.actor });
    expect(running.signal.aborted).toBe(true);
    expect((await began(builder, 2)).avatarId).toBe(third.id);
    expect(await school.stateOf(north, second.id)).toMatchObject({ status: 'revoked' });
    expect(school.defects).toEqual([]);
  });
});

describe('a build', () => {
  test('is in the log from its start to its end, each step once and in order', async () => {
    const builder = new HeldBuilder();
    await using school = await openAvatarSchool({ builder });
    const { id } = await school.create(north);
    const build = await began(builder, 1);
    for (const fraction of [0, 0.05, 0.5, 0.51, 1]) build.onProgress('frames', fraction);
    build.onProgress('probe', 1);
    build.end(readyVerdict);
    await vi.waitFor(async () => expect(await school.stateOf(north, id)).toMatchObject({ status: 'ready' }));
    const types = (await school.disk.store.readAll({ after: 0, limit: 100 })).map(({ type, payload }) => [type, payload['fraction']]);
    expect(types).toEqual([
      ['AvatarRegistered', undefined],
      ['AvatarBuildStarted', undefined],
      ['AvatarBuildProgressed', 0],
      ['AvatarBuildProgressed', 0.5],
      ['AvatarBuildProgressed', 1],
      ['AvatarReady', undefined],
    ]);
  });

  test('that fails for a while is repeated after a pause, and given up after the last attempt', async () => {
    const builder = new HeldBuilder();
    await using school = await openAvatarSchool({ builder });
    const { id } = await school.create(north);
    for (let nth = 1; nth <= mostAttempts; nth += 1) (await began(builder, nth)).end(crashed);
    await vi.waitFor(async () => expect(await school.stateOf(north, id)).toMatchObject({ status: 'failed', retryable: false }));
    expect(builder.builds).toHaveLength(mostAttempts);
  });

  test('whose clip is refused keeps its reasons, and is not repeated', async () => {
    const builder = new HeldBuilder();
    await using school = await openAvatarSchool({ builder });
    const { id } = await school.create(north);
    const reasons: readonly { readonly code: 'no_face'; readonly atMs: number; readonly picture: null }[] = [
      { code: 'no_face', atMs: 40, picture: null },
    ];
    (await began(builder, 1)).end({ status: 'rejected', reasons: [...reasons] });
    await vi.waitFor(async () =>
      expect(await school.avatars.find(north, id)).toMatchObject({ status: 'rejected', reasons, name: 'Ms Li' }),
    );
    expect(school.builds.queued).toBe(0);
  });
});

describe('after a restart', () => {
  test('the build that was under way goes on first, with its next attempt, and then the queue', async () => {
    const disk = new SchoolDisk();
    const ids: AvatarId[] = [];
    {
      const builder = new HeldBuilder();
      await using school = await openAvatarSchool({ disk, builder });
      for (const tenant of [north, north, south]) ids.push((await school.create(tenant)).id);
      await began(builder, 1);
    }
    const builder = new HeldBuilder();
    await using school = await openAvatarSchool({ disk, builder });
    expect((await began(builder, 1)).avatarId).toBe(ids[0]);
    expect(await school.stateOf(north, ids[0] ?? '')).toMatchObject({ status: 'building', attempt: 2 });
    expect(await buildAll(builder, 3)).toEqual([ids[0], ids[2], ids[1]]);
  });

  test('a build that takes the engine down with it each time is given up', async () => {
    const disk = new SchoolDisk();
    let id = '';
    for (let life = 1; life <= mostAttempts; life += 1) {
      const builder = new HeldBuilder();
      await using school = await openAvatarSchool({ disk, builder });
      if (life === 1) id = (await school.create(north)).id;
      await began(builder, 1);
    }
    const builder = new HeldBuilder();
    await using school = await openAvatarSchool({ disk, builder });
    await vi.waitFor(async () => expect(await school.stateOf(north, id)).toMatchObject({ status: 'failed', retryable: false }));
    expect(builder.builds).toEqual([]);
  });

  test('a failure that was to be repeated is repeated', async () => {
    const disk = new SchoolDisk();
    {
      const builder = new HeldBuilder();
      await using school = await openAvatarSchool({ disk, builder, retryMs: 3_600_000 });
      const { id } = await school.create(north);
      (await began(builder, 1)).end(crashed);
      await vi.waitFor(async () => expect(await school.stateOf(north, id)).toMatchObject({ status: 'failed', retryable: true }));
    }
    const builder = new HeldBuilder();
    await using _school = await openAvatarSchool({ disk, builder });
    await began(builder, 1);
  });
});

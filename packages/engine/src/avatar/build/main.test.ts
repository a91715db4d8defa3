import { type ChildProcess, fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type AvatarStage, avatarStages } from '@virtual-tutor/schemas';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { film, writeFilm } from '../../../../../test/support/filmed-clip.ts';
import { legacyFiles, packedArchive, pngOf } from '../../../../../test/support/legacy-avatar.ts';
import { seeded } from '../../../../../test/support/seeded.ts';
import { files } from '../artifact/manifest.ts';
import type { BuildFact } from './main.ts';

const program = fileURLToPath(new URL('./main.ts', import.meta.url));
const photo = fileURLToPath(new URL('../../../../../test/support/faces/hopper.jpg', import.meta.url));
const limits = { maxDurationMs: 60_000, maxPixels: 4096 * 2304 };

let place: string;
beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'builds-'));
});
afterAll(() => rm(place, { recursive: true, force: true }));

async function folderWith(clip: string): Promise<string> {
  const folder = await mkdtemp(join(place, 'avatar-'));
  await copyFile(clip, join(folder, 'source'));
  return folder;
}

interface Ended {
  /** Null: it was killed. */
  readonly last: BuildFact | null;
  readonly stages: ReadonlySet<AvatarStage>;
}

/** Runs the program; `onFact` may kill it. */
async function build(folder: string, onFact: (fact: BuildFact, child: ChildProcess) => void = () => {}): Promise<Ended> {
  const child = fork(program, [], { stdio: 'ignore', execArgv: ['--max-old-space-size=512'] });
  const ended = once(child, 'exit');
  const stages = new Set<AvatarStage>();
  let last: BuildFact | null = null;
  child.on('message', (fact: BuildFact) => {
    if (fact.type === 'progress') stages.add(fact.stage);
    else last = fact;
    onFact(fact, child);
  });
  child.send({ type: 'build', folder, limits });
  await ended;
  return { last, stages };
}

async function hashes(folder: string): Promise<Record<string, string>> {
  const names = (await readdir(folder)).toSorted();
  const pairs = names.map(
    async (name) =>
      [
        name,
        createHash('sha256')
          .update(await readFile(join(folder, name)))
          .digest('hex'),
      ] as const,
  );
  return Object.fromEntries(await Promise.all(pairs));
}

/** Killed once at each of these, the earliest time that so much of the stage is done. */
async function buildKilledAt(clip: string, moments: readonly (readonly [stage: AvatarStage, fraction: number])[]): Promise<string> {
  const folder = await folderWith(clip);
  for (const [stage, fraction] of moments) {
    const { last } = await build(folder, (fact, child) => {
      if (fact.type === 'progress' && fact.stage === stage && fact.fraction >= fraction) child.kill('SIGKILL');
    });
    expect(last, stage).toBeNull();
  }
  expect((await build(folder)).last).toMatchObject({ type: 'outcome', outcome: { status: 'ready' } });
  return folder;
}

const begun = avatarStages.map((stage) => [stage, 0] as const);

test('killed at each stage, a build ends with the files of one that was not, and with nothing else', async () => {
  const whole = await folderWith(photo);
  const { last, stages } = await build(whole);
  expect(last).toMatchObject({ type: 'outcome', outcome: { status: 'ready', manifest: { frames: 1 } } });
  expect([...stages]).toEqual(avatarStages);
  const expected = await hashes(whole);
  expect(Object.keys(expected)).toEqual(Object.values(files).toSorted());
  expect(await hashes(await buildKilledAt(photo, [...begun, ['renderer', 1]]))).toEqual(expected);
});

test('it ends when whoever started it has gone', async () => {
  const folder = await folderWith(photo);
  const { last } = await build(folder, (fact, child) => {
    if (fact.type === 'progress' && child.connected) child.disconnect();
  });
  expect(last).toBeNull();
});

test('what cannot be built is said in its own words', async () => {
  const folder = await mkdtemp(join(place, 'empty-'));
  expect((await build(folder)).last).toMatchObject({ type: 'failed', code: 'source_missing' });
});

describe.runIf(process.env['LONG'] === '1')('a film', () => {
  const clip = () => join(place, 'clip.mp4');
  let expected: Record<string, string>;
  beforeAll(async () => {
    await writeFilm(clip(), await film({ frames: 110, width: 480, height: 360, eyesPx: 60 }), 25);
    const whole = await folderWith(clip());
    await build(whole);
    expected = await hashes(whole);
  });

  test.each([0, 0.5, 1])('killed at each stage, when %d of it is done, is built to the same bytes', async (fraction) => {
    expect(
      await hashes(
        await buildKilledAt(
          clip(),
          begun.map(([stage]) => [stage, fraction] as const),
        ),
      ),
    ).toEqual(expected);
  });

  test('of the predecessor, killed in the middle of each stage, is built to the same bytes', async () => {
    const some = (await film({ frames: 20, width: 320, height: 240, eyesPx: 50 })).map(pngOf);
    const frames = Array.from({ length: 80 }, (_, i) => some[19 - Math.abs(19 - (i % 38))] ?? new Uint8Array());
    const archive = join(place, 'archive');
    await writeFile(archive, packedArchive(legacyFiles({ frames })));
    const unharmed = await folderWith(archive);
    expect((await build(unharmed)).last).toMatchObject({ outcome: { status: 'ready' } });
    const killed = await buildKilledAt(
      archive,
      begun.map(([stage]) => [stage, 0.5] as const),
    );
    expect(await hashes(killed)).toEqual(await hashes(unharmed));
  });

  test('killed at any moment goes on from where it was', async () => {
    const random = seeded(11);
    const folder = await folderWith(clip());
    let killed = 0;
    for (;;) {
      // Longer every time: a busy machine may take longer for a stage, which has no moments of its own to go on from.
      const givenMs = (1_000 + random() * 2_000) * 1.15 ** killed;
      const moment = new AbortController();
      let begun = false;
      const { last } = await build(folder, (_, child) => {
        if (begun) return;
        begun = true;
        void sleep(givenMs, undefined, { signal: moment.signal }).then(
          () => child.kill('SIGKILL'),
          () => false,
        );
      });
      moment.abort();
      if (last !== null) break;
      killed += 1;
    }
    expect(killed).toBeGreaterThan(1);
    expect(await hashes(folder)).toEqual(expected);
  });
});

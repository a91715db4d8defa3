import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hostileArchives } from '../../../../test/support/hostile-archives.ts';
import { filmBytes, type HostileClip, hostileFilms, hostilePhotos, mutations, notClips } from '../../../../test/support/hostile-clips.ts';
import { legacyFiles, packedArchive } from '../../../../test/support/legacy-avatar.ts';
import { makeJpeg, makePng } from '../../../../test/support/made-photos.ts';

const reader = fileURLToPath(new URL('../../../../test/support/clip-reader.ts', import.meta.url));
const isLong = process.env['LONG'] === '1';
const codes = ['not_a_video', 'format_not_supported', 'damaged', 'too_heavy', 'too_long', 'too_short'];

interface Reading {
  readonly name: string;
  readonly result: string | number;
  readonly ms: number;
}

interface Run {
  readonly readings: ReadonlyMap<string, Reading>;
  readonly exit: number | string | null;
  readonly stderr: string;
}

/** Reads the clips in a process of its own, as they are named by their place in the list. */
async function readAll(folder: string, clips: readonly Buffer[]): Promise<Run> {
  await mkdir(folder);
  for (const [i, bytes] of clips.entries()) await writeFile(join(folder, String(i).padStart(6, '0')), bytes);
  const child = spawn(process.execPath, [reader, folder], { stdio: ['ignore', 'pipe', 'pipe'] });
  const out: string[] = [];
  const err: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => out.push(text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => err.push(text));
  const exit = await new Promise<number | string | null>((resolve) => child.on('close', (code, signal) => resolve(signal ?? code)));
  const readings: Reading[] = out
    .join('')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
  return { readings: new Map(readings.map((reading) => [reading.name, reading])), exit, stderr: err.join('') };
}

function readingOf({ readings }: Run, index: number): Reading | undefined {
  return readings.get(String(index).padStart(6, '0'));
}

function isExpected({ expected }: HostileClip, result: string | number | undefined): boolean {
  return result !== undefined && (expected.includes(result) || (expected.includes('ok') && typeof result === 'number' && result > 0));
}

function isOutcome(result: string | number | undefined): boolean {
  return typeof result === 'number' ? result > 0 : codes.includes(result ?? '');
}

let folder: string;
let host: Server;
let callers = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vt-hostile-clips-'));
  host = createServer((socket) => {
    callers += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => host.listen(0, '127.0.0.1', resolve));
});

afterAll(async () => {
  host.close();
  await rm(folder, { recursive: true });
});

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

describe('hostile clips', () => {
  let clips: HostileClip[];
  let run: Run;

  beforeAll(async () => {
    clips = [...notClips(portOf(host)), ...hostilePhotos(), ...hostileArchives(), ...(await hostileFilms(portOf(host), folder))];
    run = await readAll(
      join(folder, 'hostile'),
      clips.map(({ bytes }) => bytes),
    );
  });

  test('each is read or refused for what it is', () => {
    const surprises = clips
      .map((clip, i) => ({ clip: clip.name, expected: clip.expected, came: readingOf(run, i)?.result }))
      .filter(({ came }, i) => !isExpected(clips[i] ?? { name: '', bytes: Buffer.alloc(0), expected: [] }, came));
    expect(clips.length).toBeGreaterThan(80);
    expect(surprises).toEqual([]);
  });

  test('none takes long, much memory, or a word on stderr', () => {
    const slow = clips.filter((_, i) => (readingOf(run, i)?.ms ?? Infinity) > 5_000);
    expect(slow.map(({ name }) => name)).toEqual([]);
    // KiB
    expect(run.readings.get('memory')?.result).toBeLessThan(600 * 1024);
    expect(run).toMatchObject({ exit: 0, stderr: '' });
  });

  test('nobody is called, whatever address a clip holds', () => {
    expect(clips.filter(({ bytes }) => bytes.includes(`127.0.0.1:${portOf(host)}`)).length).toBeGreaterThan(3);
    expect(callers).toBe(0);
  });
});

test('a clip with bytes changed at random is read or refused, and the process lives', { timeout: 600_000 }, async () => {
  const each = isLong ? 5_000 : 60;
  const films = await Promise.all([
    filmBytes({ timesMs: [0, 40, 80, 120, 160, 200], soundMs: 200 }),
    filmBytes({ timesMs: [0, 40, 80, 120, 160, 200], container: 'webm', codec: 'vp8', soundMs: 200 }),
    filmBytes({ timesMs: [0, 40, 80, 120, 160, 200], container: 'webm', codec: 'vp9' }),
    filmBytes({ timesMs: [0, 40, 80, 120, 160, 200], codec: 'hevc', turnDegrees: 90, muxer: { movflags: 'frag_keyframe+empty_moov' } }),
  ]);
  const photos = [
    makePng({ width: 24, height: 16, alpha: true, colourAt: (x, y) => [x * 9, y * 9, 90, x * 10] }),
    makeJpeg({ width: 24, height: 16, blockAt: (x, y) => [x * 60, y * 90 + 50, 128], orientation: 6 }),
  ];
  const archive = packedArchive(legacyFiles({ frames: photos.slice(0, 1) }));
  const clips = [...films, ...photos, archive].flatMap((bytes, i) => mutations(bytes, each, 20 + i));
  const run = await readAll(join(folder, 'mutated'), clips);
  const results = clips.map((_, i) => readingOf(run, i)?.result);
  const surprises = results.map((result, i) => `${i}: ${result ?? 'not read'}`).filter((_, i) => !isOutcome(results[i]));
  expect(surprises.slice(0, 3)).toEqual([]);
  expect(run).toMatchObject({ exit: 0, stderr: '' });
  // Neither all good nor all bad: the changes reach what is read.
  expect(results.filter((result) => typeof result === 'number').length).toBeGreaterThan(each);
  expect(results.filter((result) => typeof result === 'string').length).toBeGreaterThan(each);
});

import { appendFile, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Sighting } from './sighting.ts';
import { batchSize, SightingLog } from './sighting-log.ts';

const input = 'a'.repeat(64);
let folder: string;
const path = () => join(folder, 'sightings.jsonl');
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sightings-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function sighting(brightness: number): Sighting {
  return { faces: [Array.from({ length: 136 }, (_, i) => i / 3 + brightness)], quality: { faces: [], faceHeightPx: 100, brightness } };
}

async function write(from: number, to: number): Promise<void> {
  await using log = await SightingLog.open(path(), input);
  for (let i = from; i < to; i += 1) await log.add(sighting(i));
}

async function known(of = input): Promise<readonly number[]> {
  await using log = await SightingLog.open(path(), of);
  return log.sightings.map(({ quality }) => quality.brightness);
}

test('whole batches are there again, to the last digit', async () => {
  await write(0, 2 * batchSize + 3);
  await using log = await SightingLog.open(path(), input);
  expect(log.sightings).toEqual(Array.from({ length: 2 * batchSize }, (_, i) => sighting(i)));
});

test('a log that is gone on with has the bytes of one written at once', async () => {
  await write(0, batchSize + 7);
  await write(batchSize, 2 * batchSize);
  const parts = await readFile(path());
  await rm(path());
  await write(0, 2 * batchSize);
  expect(parts.equals(await readFile(path()))).toBe(true);
});

test.each([
  ['half a line', '{"faces":[[1,2'],
  ['a line that is no sighting', '{"faces":3}\n'],
  ['half a batch', `${JSON.stringify(sighting(99))}\n`],
])('%s at the end does not count', async (_name, rubbish) => {
  await write(0, batchSize);
  const { size } = await stat(path());
  await appendFile(path(), rubbish);
  expect(await known()).toEqual(Array.from({ length: batchSize }, (_, i) => i));
  expect((await stat(path())).size).toBe(size);
});

test('a log of another clip is begun anew', async () => {
  await write(0, batchSize);
  expect(await known('b'.repeat(64))).toEqual([]);
  expect(await known()).toEqual([]);
});

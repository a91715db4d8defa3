import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ReadableStream } from 'node:stream/web';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openClipBytes } from './clip-bytes.ts';
import { UploadRefused } from './upload-refused.ts';
import { type UploadLimits, UploadStore } from './upload-store.ts';

const limits: UploadLimits = { maxUploadBytes: 50_000, quotaBytes: 100_000, keepFreeBytes: 0, silentAfterMs: 20_000 };
const uploadId = '0198a1b2-0000-7000-8000-000000000001';
const other = '0198a1b2-0000-7000-8000-000000000002';
const content = Buffer.from(Array.from({ length: 3000 }, (_, index) => (index * 7 + (index >> 8)) % 256));
const hash = sha256(content);

let base: string;
let folder: string;
let store: UploadStore;
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'uploads-'));
  folder = join(base, 'uploads');
  store = await UploadStore.open(folder, limits);
});
afterEach(() => rm(base, { recursive: true, force: true }));

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function* chunks(bytes: Uint8Array, size = 1000): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}

/** A connection that dies after these bytes. */
async function* broken(bytes: Uint8Array, size = 1000): AsyncGenerator<Uint8Array> {
  yield* chunks(bytes, size);
  throw new Error('connection reset');
}

/** A connection of which the test holds both ends. */
function pipe(): { readonly source: ReadableStream<Uint8Array>; send(bytes: Uint8Array): void; end(): void } {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  return {
    source: readable,
    send: (bytes) => void writer.write(bytes).catch(() => undefined),
    end: () => void writer.close().catch(() => undefined),
  };
}

/** What became of an append, and where to go on. */
function outcomeOf(append: Promise<{ offset: number }>): Promise<readonly [string, number | null]> {
  return append.then(
    ({ offset }) => ['done', offset] as const,
    (error: unknown) => {
      if (error instanceof UploadRefused) return [error.code, error.resumeAt] as const;
      throw error;
    },
  );
}

interface Part {
  readonly offset: number;
  readonly bytes: number;
  readonly chunk: number;
  readonly fate: string;
}

/** Sends that part of the file as its fate has it, and answers where to go on. */
async function sendPart(file: Uint8Array, { offset, bytes, chunk, fate }: Part): Promise<number> {
  const sent = file.subarray(offset, offset + bytes);
  const end = offset + sent.length;
  switch (fate) {
    case 'skewed':
      expect(await outcomeOf(store.append({ uploadId, offset: offset + 1, bytes: chunks(sent, chunk) }))).toEqual(['wrong_offset', offset]);
      return offset;
    case 'broken':
      expect(await outcomeOf(store.append({ uploadId, offset, bytes: broken(sent, chunk) }))).toEqual(['interrupted', end]);
      return end;
    default:
      expect(await outcomeOf(store.append({ uploadId, offset, bytes: chunks(sent, chunk) }))).toEqual(['done', end]);
      return end;
  }
}

async function onDisk(): Promise<Buffer> {
  return readFile(join(folder, `${uploadId}.${content.length}`));
}

describe('a file on its way in', () => {
  test('arrives whole, with its hash, readable by its owner only and named by its id', async () => {
    expect(await store.begin({ uploadId, expectedBytes: content.length })).toEqual({ offset: 0 });
    expect(await store.append({ uploadId, offset: 0, bytes: chunks(content.subarray(0, 1700)) })).toEqual({ offset: 1700 });
    expect(await store.append({ uploadId, offset: 1700, bytes: chunks(content.subarray(1700)) })).toEqual({ offset: 3000 });
    const finished = await store.finish({ uploadId, sha256: hash.toUpperCase() });
    expect(finished).toEqual({ path: join(folder, `${uploadId}.3000`), bytes: 3000, sha256: hash });
    expect(await readFile(finished.path)).toEqual(content);
    expect((await stat(finished.path)).mode & 0o777).toBe(0o600);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect(await store.finish({ uploadId })).toEqual(finished);
  });

  test('may come as a web stream, or be copied from a file', async () => {
    await store.begin({ uploadId, expectedBytes: content.length });
    await store.append({ uploadId, offset: 0, bytes: ReadableStream.from(chunks(content)) });
    await writeFile(join(base, 'ada.mp4'), content);
    await using file = await openClipBytes(join(base, 'ada.mp4'));
    await store.begin({ uploadId: other, expectedBytes: file.bytes });
    await store.append({ uploadId: other, offset: 0, bytes: file.pieces() });
    for (const id of [uploadId, other]) expect((await store.finish({ uploadId: id })).sha256).toBe(hash);
  });

  test('goes on where a broken connection left it', async () => {
    await store.begin({ uploadId, expectedBytes: content.length });
    await expect(store.append({ uploadId, offset: 0, bytes: broken(content.subarray(0, 1234)) })).rejects.toMatchObject({
      code: 'interrupted',
      resumeAt: 1234,
    });
    expect(await store.begin({ uploadId, expectedBytes: content.length })).toEqual({ offset: 1234 });
    await store.append({ uploadId, offset: 1234, bytes: chunks(content.subarray(1234)) });
    expect((await store.finish({ uploadId, sha256: hash })).sha256).toBe(hash);
  });

  test('goes on after the engine was started again', async () => {
    await store.begin({ uploadId, expectedBytes: content.length });
    await store.append({ uploadId, offset: 0, bytes: chunks(content.subarray(0, 999)) });
    const next = await UploadStore.open(folder, limits);
    expect(await next.begin({ uploadId, expectedBytes: content.length })).toEqual({ offset: 999 });
    await next.append({ uploadId, offset: 999, bytes: chunks(content.subarray(999)) });
    expect((await next.finish({ uploadId, sha256: hash })).sha256).toBe(hash);
    expect((await (await UploadStore.open(folder, limits)).finish({ uploadId })).sha256).toBe(hash);
  });

  test('is never asked for its next chunk before the last one is on disk', async () => {
    await store.begin({ uploadId, expectedBytes: content.length });
    const lengths: number[] = [];
    async function* watched(): AsyncGenerator<Uint8Array> {
      for await (const chunk of chunks(content, 300)) {
        lengths.push((await onDisk()).length);
        yield chunk;
      }
    }
    await store.append({ uploadId, offset: 0, bytes: watched() });
    expect(lengths).toEqual([0, 300, 600, 900, 1200, 1500, 1800, 2100, 2400, 2700]);
  });

  test('goes by what is on disk, whatever became of it', async () => {
    await store.begin({ uploadId, expectedBytes: content.length });
    await store.append({ uploadId, offset: 0, bytes: chunks(content.subarray(0, 2000)) });
    await truncate(join(folder, `${uploadId}.3000`), 500);
    await expect(store.append({ uploadId, offset: 2000, bytes: chunks(content) })).rejects.toMatchObject({
      code: 'wrong_offset',
      resumeAt: 500,
    });
    await store.append({ uploadId, offset: 500, bytes: chunks(content.subarray(500)) });
    expect((await store.finish({ uploadId })).sha256).toBe(hash);
    await rm(join(folder, `${uploadId}.3000`));
    await expect(store.finish({ uploadId })).rejects.toMatchObject({ code: 'not_found' });
  });

  test('is the same file however it was cut, broken off and taken up again', async () => {
    const part = fc.record({
      bytes: fc.integer({ min: 0, max: 900 }),
      chunk: fc.integer({ min: 1, max: 400 }),
      fate: fc.constantFrom('whole', 'broken', 'skewed'),
      restarts: fc.boolean(),
    });
    const last = { bytes: 4000, chunk: 999, fate: 'whole', restarts: false };
    const cuts = fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 4000 }), fc.array(part, { maxLength: 12 }));
    await fc.assert(
      fc.asyncProperty(cuts, async ([file, parts]) => {
        await store.begin({ uploadId, expectedBytes: file.length });
        let offset = 0;
        for (const part of [...parts, last]) {
          if (part.restarts) store = await UploadStore.open(folder, limits);
          offset = await sendPart(file, { ...part, offset });
        }
        const finished = await store.finish({ uploadId });
        expect(finished).toMatchObject({ bytes: file.length, sha256: sha256(file) });
        expect(new Uint8Array(await readFile(finished.path))).toEqual(file);
        await store.abandon(uploadId);
        expect(await readdir(folder)).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });
});

describe('a refusal', () => {
  test.each(['', '../escape', 'a/b', 'A', '.', 'a.b', `${'a'.repeat(65)}`, 'a\0', 'ä'])('of the id %j', async (id) => {
    await expect(store.begin({ uploadId: id, expectedBytes: 1 })).rejects.toMatchObject({ code: 'invalid_input' });
    await expect(store.append({ uploadId: id, offset: 0, bytes: chunks(content) })).rejects.toMatchObject({ code: 'not_found' });
    await store.abandon(id);
    expect(await readdir(base)).toEqual(['uploads']);
  });

  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])('of the length %d', async (expectedBytes) => {
    await expect(store.begin({ uploadId, expectedBytes })).rejects.toMatchObject({ code: 'invalid_input' });
  });

  test('of an upload over the size; one of just the size may begin', async () => {
    await expect(store.begin({ uploadId, expectedBytes: 50_001 })).rejects.toMatchObject({ code: 'payload_too_large' });
    expect(await store.begin({ uploadId, expectedBytes: 50_000 })).toEqual({ offset: 0 });
  });

  test('of what goes over the quota, also after a restart, until something is abandoned', async () => {
    await Promise.all([store.begin({ uploadId, expectedBytes: 50_000 }), store.begin({ uploadId: other, expectedBytes: 50_000 })]);
    const third = { uploadId: 'third', expectedBytes: 1 };
    await expect(store.begin(third)).rejects.toMatchObject({ code: 'quota_exceeded' });
    store = await UploadStore.open(folder, limits);
    await expect(store.begin(third)).rejects.toMatchObject({ code: 'quota_exceeded' });
    await store.abandon(other);
    expect(await store.begin(third)).toEqual({ offset: 0 });
  });

  test('of twenty that begin at once, those over the quota', async () => {
    const begun = Array.from({ length: 20 }, (_, index) => store.begin({ uploadId: `upload-${index}`, expectedBytes: 20_000 }));
    const outcomes = await Promise.allSettled(begun);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(5);
    expect(await readdir(folder)).toHaveLength(5);
  });

  test('of an upload for which the disk has no room', async () => {
    store = await UploadStore.open(folder, { ...limits, keepFreeBytes: Number.MAX_SAFE_INTEGER });
    await expect(store.begin({ uploadId, expectedBytes: 1 })).rejects.toMatchObject({ code: 'disk_full' });
    await expect(store.begin({ uploadId, expectedBytes: 2 })).rejects.toMatchObject({ code: 'disk_full' });
    expect(await readdir(folder)).toEqual([]);
  });

  test('of another offset than the one on disk: says where to go on and writes nothing', async () => {
    await store.begin({ uploadId, expectedBytes: content.length });
    await store.append({ uploadId, offset: 0, bytes: chunks(content.subarray(0, 1000)) });
    for (const offset of [0, 999, 1001, -1, Number.NaN]) {
      await expect(store.append({ uploadId, offset, bytes: chunks(content) })).rejects.toMatchObject({
        code: 'wrong_offset',
        resumeAt: 1000,
      });
    }
    expect(await onDisk()).toEqual(content.subarray(0, 1000));
  });

  test('of more bytes than were announced: those announced are kept', async () => {
    await store.begin({ uploadId, expectedBytes: content.length });
    const more = Buffer.concat([content, Buffer.from('more')]);
    await expect(store.append({ uploadId, offset: 0, bytes: chunks(more, 1500) })).rejects.toMatchObject({ code: 'payload_too_large' });
    expect(await onDisk()).toEqual(content);
  });

  test('of another length for an upload that has begun', async () => {
    await store.begin({ uploadId, expectedBytes: 10 });
    await expect(store.begin({ uploadId, expectedBytes: 11 })).rejects.toMatchObject({ code: 'conflict' });
  });

  test('of an end before the end: says where to go on', async () => {
    await store.begin({ uploadId, expectedBytes: content.length });
    await store.append({ uploadId, offset: 0, bytes: chunks(content.subarray(0, 1000)) });
    await expect(store.finish({ uploadId })).rejects.toMatchObject({ code: 'wrong_offset', resumeAt: 1000 });
  });

  test('of a file with another hash, which leaves nothing behind; a malformed hash discards nothing', async () => {
    await store.begin({ uploadId, expectedBytes: content.length });
    await store.append({ uploadId, offset: 0, bytes: chunks(content) });
    await expect(store.finish({ uploadId, sha256: 'abc' })).rejects.toMatchObject({ code: 'invalid_input' });
    await expect(store.finish({ uploadId, sha256: sha256(Buffer.from('other')) })).rejects.toMatchObject({
      code: 'wrong_hash',
      resumeAt: null,
    });
    expect(await readdir(folder)).toEqual([]);
    await expect(store.finish({ uploadId })).rejects.toMatchObject({ code: 'not_found' });
  });

  test('of the second of two appends at once, and of an end meanwhile', async () => {
    await store.begin({ uploadId, expectedBytes: content.length });
    const connection = pipe();
    const first = store.append({ uploadId, offset: 0, bytes: connection.source });
    for (const second of [
      store.append({ uploadId, offset: 0, bytes: chunks(content) }),
      store.finish({ uploadId }),
      store.begin({ uploadId, expectedBytes: content.length }),
    ]) {
      await expect(second).rejects.toMatchObject({ code: 'busy' });
    }
    connection.send(content);
    connection.end();
    expect(await first).toEqual({ offset: content.length });
    expect((await store.finish({ uploadId })).sha256).toBe(hash);
  });

  test('to two begins at once: one of them waits its turn, and one file is made', async () => {
    const outcomes = await Promise.allSettled([store.begin({ uploadId, expectedBytes: 9 }), store.begin({ uploadId, expectedBytes: 9 })]);
    expect(outcomes).toMatchObject([{ status: 'fulfilled' }, { reason: { code: 'busy' } }]);
    expect(await readdir(folder)).toEqual([`${uploadId}.9`]);
  });

  test('of a link in the place of the file: what it leads to is untouched', async () => {
    await writeFile(join(base, 'victim'), 'untouched');
    await symlink(join(base, 'victim'), join(folder, `${uploadId}.9`));
    await expect(store.begin({ uploadId, expectedBytes: 9 })).rejects.toMatchObject({ code: 'conflict' });
    const reopened = await UploadStore.open(folder, limits);
    await expect(reopened.begin({ uploadId, expectedBytes: 9 })).rejects.toMatchObject({ code: 'conflict' });
    await store.begin({ uploadId: other, expectedBytes: 9 });
    await rm(join(folder, `${other}.9`));
    await symlink(join(base, 'victim'), join(folder, `${other}.9`));
    await expect(store.append({ uploadId: other, offset: 0, bytes: chunks(content) })).rejects.toMatchObject({ code: 'not_found' });
    expect(await readFile(join(base, 'victim'), 'utf8')).toBe('untouched');
  });
});

describe('a sender that falls silent', () => {
  test('counts as gone: what it sent is kept, and another connection goes on', async () => {
    store = await UploadStore.open(folder, { ...limits, silentAfterMs: 50 });
    await store.begin({ uploadId, expectedBytes: content.length });
    const connection = pipe();
    const first = store.append({ uploadId, offset: 0, bytes: connection.source });
    connection.send(content.subarray(0, 1000));
    await expect(first).rejects.toMatchObject({ code: 'interrupted', resumeAt: 1000 });
    await store.append({ uploadId, offset: 1000, bytes: chunks(content.subarray(1000)) });
    expect((await store.finish({ uploadId })).sha256).toBe(hash);
  });
});

describe('an upload nobody wants any more', () => {
  test('is abandoned in the middle of an append: the sender is cut off and nothing is left', async () => {
    await store.begin({ uploadId, expectedBytes: content.length });
    const connection = pipe();
    const append = store.append({ uploadId, offset: 0, bytes: connection.source });
    connection.send(content.subarray(0, 1000));
    await expect.poll(async () => (await onDisk()).length).toBe(1000);
    const ends: string[] = [];
    const cutOff = append.catch((error: unknown) => ends.push(error instanceof UploadRefused ? error.code : 'unknown'));
    const abandoned = [store.abandon(uploadId), store.abandon(uploadId)].map((abandon) => abandon.then(() => ends.push('abandoned')));
    await Promise.all([...abandoned, cutOff]);
    expect(ends).toEqual(['not_found', 'abandoned', 'abandoned']);
    expect(await readdir(folder)).toEqual([]);
    expect(await store.begin({ uploadId, expectedBytes: 9 })).toEqual({ offset: 0 });
  });

  test('is swept when nobody wrote to it for long; others and those under way stay', async () => {
    const nowMs = Date.now();
    const hourMs = 3_600_000;
    for (const id of ['old', 'new', 'busy']) {
      await store.begin({ uploadId: id, expectedBytes: content.length });
      const touched = new Date(nowMs - (id === 'new' ? 1 : 3) * hourMs);
      await utimes(join(folder, `${id}.3000`), touched, touched);
    }
    const connection = pipe();
    const append = store.append({ uploadId: 'busy', offset: 0, bytes: connection.source });
    expect(await store.sweep({ untouchedMs: 2 * hourMs, nowMs })).toBe(1);
    expect((await readdir(folder)).toSorted()).toEqual(['busy.3000', 'new.3000']);
    await expect(store.finish({ uploadId: 'old' })).rejects.toMatchObject({ code: 'not_found' });
    connection.send(content);
    connection.end();
    expect(await append).toEqual({ offset: content.length });
  });

  test('is not swept when somebody goes on with it at that moment', async () => {
    await store.begin({ uploadId, expectedBytes: content.length });
    const sweep = store.sweep({ untouchedMs: 0, nowMs: Date.now() + 1000 });
    const append = store.append({ uploadId, offset: 0, bytes: chunks(content) });
    expect([await sweep, await append]).toEqual([0, { offset: content.length }]);
  });

  test('whose file was taken away is forgotten by the next sweep', async () => {
    await store.begin({ uploadId, expectedBytes: 50_000 });
    await rm(join(folder, `${uploadId}.50000`));
    expect(await store.sweep({ untouchedMs: 1_000_000, nowMs: Date.now() })).toBe(1);
    await store.begin({ uploadId: other, expectedBytes: 50_000 });
    expect(await store.begin({ uploadId: 'third', expectedBytes: 50_000 })).toEqual({ offset: 0 });
  });
});

test('files of others in the folder are left alone', async () => {
  await writeFile(join(folder, 'README'), 'hello');
  store = await UploadStore.open(folder, limits);
  expect(await store.sweep({ untouchedMs: 0, nowMs: Date.now() + 1 })).toBe(0);
  expect(await readdir(folder)).toEqual(['README']);
});

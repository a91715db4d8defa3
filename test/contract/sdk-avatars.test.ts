import { createHash } from 'node:crypto';
import { openAsBlob } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { avatarEvents, api as schemas } from '@virtual-tutor/schemas';
import { createTutorClient, type NewAvatar } from '@virtual-tutor/sdk';
import { describe, expect, test } from 'vitest';
import { longest } from '../../packages/sdk/src/avatar-upload.ts';
import { startClipEngine } from '../support/clip-engine.ts';
import { uploadContent } from '../support/upload-content.ts';

const apiKey = 'vt_key_secret';
const avatar: NewAvatar = { name: 'Ms Li', fileName: 'li-at-home.mp4', consent: { by: 'Li Na', statement: 'You may use my face.' } };
const clip = Uint8Array.from(uploadContent(10_000));
const maxChunkBytes = 3_000;
const atOnce = { nextDelayMs: () => 0 };
const never = { nextDelayMs: () => null };
const idempotencyKey = '0198a5c0-0000-7000-8000-000000000001';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const clientOf = (engine: { readonly url: string }) => createTutorClient({ url: engine.url, apiKey, maxRetries: 0 });

describe('an upload', () => {
  test.each([
    ['a blob', new Blob([clip])],
    ['bytes', clip],
  ])('of %s is sent in pieces, one after the other, and registered with the hash of the whole', async (_what, given) => {
    await using engine = await startClipEngine({ maxChunkBytes });
    const progress: (readonly [number, number])[] = [];
    const made = await clientOf(engine).avatars.upload(
      given,
      { ...avatar, tutorId: 'ada' },
      { onProgress: (...now) => progress.push(now) },
    );
    expect(made).toMatchObject({ id: 'avatar-1', status: 'queued' });
    const input = engine.inputOf('create');
    const uploadId = engine.inputOf('beginUpload')?.['uploadId'];
    expect(input).toEqual({
      ...avatar,
      tutorId: 'ada',
      source: { type: 'upload', uploadId, sha256: sha256(clip) },
      idempotencyKey: uploadId,
    });
    expect(schemas.avatars.create.input.safeParse({ ...input, tutorId: 'ada' }).success).toBe(true);
    expect([...engine.uploads.values()].map((bytes) => Buffer.compare(bytes, clip))).toEqual([0]);
    expect(engine.pieceBytes).toEqual([3_000, 3_000, 3_000, 1_000]);
    expect(progress).toEqual([0, 3_000, 6_000, 9_000, 10_000].map((sent) => [sent, 10_000]));
    expect(engine.calls.map(({ path }) => path)).toEqual(['beginUpload', 'upload', 'upload', 'upload', 'upload', 'create']);
  });

  test('says in headers what it is of, and tells nothing of the clip in an address or a header', async () => {
    await using engine = await startClipEngine({ maxChunkBytes });
    await clientOf(engine).avatars.upload(clip, avatar, { idempotencyKey });
    const pieces = engine.calls.filter(({ path }) => path === 'upload');
    expect(pieces.map(({ headers }) => [headers['x-vt-upload-id'], headers['x-vt-upload-offset']])).toEqual(
      ['0', '3000', '6000', '9000'].map((offset) => [idempotencyKey, offset]),
    );
    expect(pieces[0]?.headers).toMatchObject({ 'content-type': 'application/octet-stream', authorization: `Bearer ${apiKey}` });
    const outside = JSON.stringify(engine.calls.map(({ url, headers }) => [url, headers]));
    for (const secret of ['Li', 'li-at-home', 'face']) expect(outside).not.toContain(secret);
    expect(engine.calls.map(({ url }) => url).join()).not.toContain('key');
  });

  test('goes on where the engine says when connections break, in the middle of a piece or before its answer', async () => {
    await using engine = await startClipEngine({ maxChunkBytes });
    engine.faults.push({ keepBytes: 1_234 }, 'cutBeforeAnswer', { keepBytes: 0 }, { keepBytes: 2_999 });
    const progress: number[] = [];
    await clientOf(engine).avatars.upload(new Blob([clip]), avatar, { onProgress: (sent) => progress.push(sent), reconnect: atOnce });
    expect([...engine.uploads.values()].map((bytes) => Buffer.compare(bytes, clip))).toEqual([0]);
    expect(engine.inputOf('create')).toMatchObject({ source: { sha256: sha256(clip) } });
    expect(progress).toEqual([0, 1_234, 4_234, 7_233, 10_000]);
    expect(engine.pieceBytes).toEqual([3_000, 3_000, 3_000, 3_000, 2_767]);
  });

  test('sends again what the engine lost of it', async () => {
    await using engine = await startClipEngine({ maxChunkBytes });
    const lost = () => engine.uploads.set(idempotencyKey, Buffer.from(clip.subarray(0, 2_500)));
    const onProgress = (sent: number) => {
      if (sent === 6_000) lost();
    };
    await clientOf(engine).avatars.upload(new Blob([clip]), avatar, { onProgress, idempotencyKey, reconnect: atOnce });
    expect(engine.inputOf('create')).toMatchObject({ source: { sha256: sha256(clip) } });
    expect(Buffer.compare(engine.uploads.get(idempotencyKey) ?? Buffer.alloc(0), clip)).toBe(0);
  });

  test('gives up with a typed error when no byte gets through, and goes on later under the same key', async () => {
    await using engine = await startClipEngine({ maxChunkBytes });
    const waits: number[] = [];
    const reconnect = { nextDelayMs: ({ attempt }: { readonly attempt: number }) => (waits.push(attempt) === 4 ? null : 0) };
    engine.faults.push({ keepBytes: 0 }, { keepBytes: 2_000 }, { keepBytes: 0 }, { keepBytes: 0 });
    const { avatars } = clientOf(engine);
    const stopped = avatars.upload(clip, avatar, { idempotencyKey, reconnect });
    await expect(stopped).rejects.toMatchObject({ name: 'TutorError', code: 'unavailable', retryable: true });
    // Counted anew after each byte that got through.
    expect(waits).toEqual([0, 1, 0, 1]);
    expect(engine.uploads.get(idempotencyKey)).toHaveLength(2_000);
    const sentBefore = engine.pieceBytes.length;
    await avatars.upload(clip, avatar, { idempotencyKey });
    expect(engine.pieceBytes.slice(sentBefore)).toEqual([3_000, 3_000, 2_000]);
    expect(engine.inputOf('create')).toMatchObject({ source: { uploadId: idempotencyKey, sha256: sha256(clip) } });
  });

  test('of which all bytes are there already is only registered', async () => {
    await using engine = await startClipEngine({ maxChunkBytes });
    engine.uploads.set(idempotencyKey, Buffer.from(clip));
    await clientOf(engine).avatars.upload(new Blob([clip]), avatar, { idempotencyKey });
    expect(engine.pieceBytes).toEqual([]);
    expect(engine.inputOf('create')).toMatchObject({ source: { sha256: sha256(clip) } });
  });

  test('stopped by its caller is abandoned, its key kept or not', async () => {
    await using engine = await startClipEngine({ maxChunkBytes });
    const controller = new AbortController();
    const onProgress = (sent: number) => {
      if (sent > 0) controller.abort();
    };
    const stopped = clientOf(engine).avatars.upload(clip, avatar, { onProgress, signal: controller.signal, idempotencyKey });
    await expect(stopped).rejects.toMatchObject({ code: 'aborted' });
    expect(engine.calls.at(-1)).toMatchObject({ path: 'abandonUpload', input: { uploadId: idempotencyKey } });
    expect(engine.uploads.size).toBe(0);
    const before = engine.calls.length;
    await expect(clientOf(engine).avatars.upload(clip, avatar, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'aborted' });
    expect(engine.calls).toHaveLength(before);
  });

  test('is stopped while it waits for the network', async () => {
    await using engine = await startClipEngine({ maxChunkBytes });
    engine.faults.push({ keepBytes: 10 });
    const controller = new AbortController();
    const reconnect = {
      nextDelayMs() {
        setTimeout(() => controller.abort());
        return 60_000;
      },
    };
    const stopped = clientOf(engine).avatars.upload(clip, avatar, { signal: controller.signal, reconnect });
    await expect(stopped).rejects.toMatchObject({ code: 'aborted' });
    expect(engine.uploads.size).toBe(0);
  });

  test('refused for good ends at once with the reason, and leaves nothing unless its caller has the key', async () => {
    await using engine = await startClipEngine({ maxChunkBytes });
    const { avatars } = clientOf(engine);
    engine.refusals.set('create', { code: 'invalid_input', message: 'no', retryable: false });
    await expect(avatars.upload(clip, avatar)).rejects.toMatchObject({ code: 'invalid_input', message: 'no' });
    expect(engine.uploads.size).toBe(0);
    await expect(avatars.upload(clip, avatar, { idempotencyKey })).rejects.toMatchObject({ code: 'invalid_input' });
    expect(engine.uploads.get(idempotencyKey)).toHaveLength(clip.length);
    engine.refusals.set('beginUpload', { code: 'payload_too_large', message: 'too long', retryable: false });
    await expect(avatars.upload(clip, avatar)).rejects.toMatchObject({ code: 'payload_too_large', message: 'too long' });
  });

  test('waits as long as the engine asks for', async () => {
    await using engine = await startClipEngine({ maxChunkBytes });
    engine.faults.push({ refuse: { code: 'rate_limited', message: 'slow down', retryable: true, retryAfterMs: 150 } });
    const startedAt = performance.now();
    await clientOf(engine).avatars.upload(clip, avatar, { reconnect: atOnce });
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(145);
  });

  test('a listener that throws ends it with what it threw', async () => {
    await using engine = await startClipEngine({ maxChunkBytes });
    const broken = new Error('broken listener');
    const onProgress = () => {
      throw broken;
    };
    await expect(clientOf(engine).avatars.upload(clip, avatar, { onProgress })).rejects.toBe(broken);
  });

  test('a file that changes while it is sent is told, without its name', async () => {
    await using engine = await startClipEngine({ maxChunkBytes });
    const folder = await mkdtemp(join(tmpdir(), 'clip-'));
    try {
      const path = join(folder, 'li-at-home.mp4');
      await writeFile(path, clip);
      const blob = await openAsBlob(path);
      await writeFile(path, clip.subarray(0, 5_000));
      const error: unknown = await clientOf(engine)
        .avatars.upload(blob, avatar, { reconnect: never })
        .catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'invalid_input', message: expect.stringMatching(/choose it again/) });
      expect(String(error)).not.toContain('li-at-home');
      expect(engine.uploads.size).toBe(0);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test.each<[string, Uint8Array, NewAvatar]>([
    ['an empty clip', new Uint8Array(), avatar],
    ['no name', clip, { ...avatar, name: ' ' }],
    ['a name that is too long', clip, { ...avatar, name: 'x'.repeat(longest.name + 1) }],
    ['a file name that is too long', clip, { ...avatar, fileName: 'x'.repeat(longest.fileName + 1) }],
    ['nobody who consents', clip, { ...avatar, consent: { ...avatar.consent, by: '' } }],
    ['somebody of too long a name', clip, { ...avatar, consent: { ...avatar.consent, by: 'x'.repeat(longest.by + 1) } }],
    ['no consent', clip, { ...avatar, consent: { ...avatar.consent, statement: '' } }],
    ['a consent that is too long', clip, { ...avatar, consent: { ...avatar.consent, statement: 'x'.repeat(longest.statement + 1) } }],
  ])('with %s is refused before a byte is sent', async (_what, bytes, wrong) => {
    await using engine = await startClipEngine({ maxChunkBytes });
    await expect(clientOf(engine).avatars.upload(bytes, wrong)).rejects.toMatchObject({ code: 'invalid_input' });
    expect(engine.calls).toEqual([]);
  });

  test('is held to the lengths that the engine takes', () => {
    const takes = (more: number) => {
      const { consent } = avatarEvents.AvatarRegistered.personal.shape;
      const { shape } = schemas.avatars.create.input;
      const text = (length: number) => 'x'.repeat(length + more);
      return [
        shape.name.safeParse(text(longest.name)).success,
        shape.fileName.safeParse(text(longest.fileName)).success,
        consent.shape.by.safeParse(text(longest.by)).success,
        consent.shape.statement.safeParse(text(longest.statement)).success,
      ];
    };
    expect([takes(0), takes(1)]).toEqual([
      [true, true, true, true],
      [false, false, false, false],
    ]);
  });
});

/** One connection of `avatars.watch` after the other: what each says, and whether it then stays open. */
async function serveWatch(...connections: readonly { readonly says: readonly object[]; readonly ends: 'stay' | 'cut' | 'return' }[]) {
  const seen: string[] = [];
  const server = createServer((request, response: ServerResponse) => {
    seen.push(request.url ?? '');
    const { says, ends } = connections[Math.min(seen.length, connections.length) - 1] ?? { says: [], ends: 'cut' };
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('event: connected\ndata: {}\n\n');
    for (const item of says) response.write(`data: ${JSON.stringify(item)}\n\n`);
    if (ends === 'return') response.end('event: return\ndata: {}\n\n');
    if (ends === 'cut') setTimeout(() => response.destroy(), 10);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    seen,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe('watching', () => {
  const queued = (position: number) => ({ id: 'a', status: 'queued', revision: 1, position });
  const building = (revision: number) => ({ id: 'a', status: 'building', revision });
  const ready = { id: 'a', status: 'ready', revision: 4 };

  test('tells each change once and never an older one, over broken connections, and ends when the build has', async () => {
    await using engine = await serveWatch(
      { says: [queued(2), queued(1), building(2)], ends: 'cut' },
      { says: [building(2), building(3)], ends: 'return' },
      { says: [building(2), building(3), ready], ends: 'stay' },
    );
    const seen: object[] = [];
    for await (const one of clientOf(engine).avatars.watch('a')) seen.push(one);
    expect(seen).toEqual([queued(2), queued(1), building(2), building(3), ready]);
    expect(engine.seen).toHaveLength(3);
    expect(engine.seen[0]).toBe(`/trpc/avatars.watch?input=${encodeURIComponent('{"avatarId":"a"}')}`);
  });

  test('goes on after a failure for as long as the engine does', async () => {
    const failed = (revision: number) => ({ id: 'a', status: 'failed', revision });
    await using engine = await serveWatch(
      { says: [failed(3)], ends: 'cut' },
      { says: [failed(3), building(4), failed(5)], ends: 'return' },
      { says: [building(6)], ends: 'stay' },
    );
    const seen: object[] = [];
    for await (const one of clientOf(engine).avatars.watch('a')) seen.push(one);
    expect(seen).toEqual([failed(3), building(4), failed(5)]);
    expect(engine.seen).toHaveLength(2);
  });

  test('ends with code aborted at a signal', async () => {
    await using engine = await serveWatch({ says: [building(2)], ends: 'stay' });
    const controller = new AbortController();
    const watch = clientOf(engine).avatars.watch('a', { signal: controller.signal })[Symbol.asyncIterator]();
    expect((await watch.next()).value).toEqual(building(2));
    const next = watch.next();
    controller.abort();
    await expect(next).rejects.toMatchObject({ code: 'aborted' });
  });

  test('throws a refusal that will not pass', async () => {
    await using engine = await startClipEngine({ maxChunkBytes });
    engine.refusals.set('watch', { code: 'not_found', message: 'there is no such avatar', retryable: false });
    const watch = clientOf(engine).avatars.watch('a')[Symbol.asyncIterator]();
    await expect(watch.next()).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('the other calls', () => {
  test('name what they are about, and commands have a key', async () => {
    await using engine = await startClipEngine({ maxChunkBytes });
    const { avatars } = clientOf(engine);
    await avatars.create({ ...avatar, path: 'li.mp4' });
    await avatars.revoke({ avatarId: 'a', reason: 'consent_withdrawn' });
    await avatars.remove('a');
    await avatars.remove('a', { idempotencyKey });
    expect(engine.inputOf('create')).toMatchObject({ ...avatar, source: { type: 'path', path: 'li.mp4' } });
    expect(engine.inputOf('create')).not.toHaveProperty('path');
    expect(engine.inputOf('revoke')).toMatchObject({ avatarId: 'a', reason: 'consent_withdrawn' });
    const keys = engine.calls.map(({ input }) => input?.['idempotencyKey']);
    expect(new Set(keys).size).toBe(4);
    expect(keys.slice(0, 3).every((key) => /^[0-9a-f-]{14}7/.test(String(key)))).toBe(true);
    expect(keys[3]).toBe(idempotencyKey);
  });

  test('a file comes as its bytes', async () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, at) => at);
    const server = createServer((_request, response) =>
      response.end(JSON.stringify({ result: { data: { mime: 'image/jpeg', base64: Buffer.from(bytes).toString('base64') } } })),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    expect(await clientOf({ url: `http://127.0.0.1:${address.port}` }).avatars.file('a', 'thumbnail.jpg')).toEqual({
      mime: 'image/jpeg',
      bytes,
    });
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
});

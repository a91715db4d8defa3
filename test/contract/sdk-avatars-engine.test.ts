import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Avatar, createTutorClient, type NewAvatar, type TutorClient } from '@virtual-tutor/sdk';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AvatarOptions, avatars } from '../../packages/server/src/cli/avatars.ts';
import { withRunningEngine } from '../../packages/server/src/cli/engine-client.ts';
import { UsageError } from '../../packages/server/src/cli/usage-error.ts';
import { parseConfig } from '../../packages/server/src/config.ts';
import { type RunningEngine, startEngine } from '../support/engine.ts';
import { FaultyProxy } from '../support/faulty-proxy.ts';
import { film } from '../support/filmed-clip.ts';
import { legacyFiles, packedArchive, pngOf, writeLegacyFolder } from '../support/legacy-avatar.ts';
import { uploadContent } from '../support/upload-content.ts';
import { wire } from '../support/wire.ts';

const program = fileURLToPath(new URL('../../packages/server/src/cli/vtutor.ts', import.meta.url));
const avatar: NewAvatar = { name: 'Ms Li', fileName: 'li-at-home.mp4', consent: { by: 'Li Na', statement: 'You may use my face.' } };
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const atOnce = { nextDelayMs: ({ elapsedMs }: { readonly elapsedMs: number }) => (elapsedMs > 20_000 ? null : 20) };
/** A piece and a bit. */
const clip = Uint8Array.from(uploadContent(5_000_000));

let engine: RunningEngine;
let client: TutorClient;
let folder: string;
let path: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'clips-'));
  path = join(folder, 'li-at-home.mp4');
  await writeFile(path, clip);
  engine = await startEngine({ ENABLE_AVATAR: 'true' });
  client = createTutorClient({ url: engine.url, apiKey: engine.apiKey });
});
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

describe('clips on their way into a real engine', () => {
  test('a connection that is cut in the middle of a piece, again and again, costs nothing that had arrived', async () => {
    await using proxy = await FaultyProxy.to(engine.port);
    const throughProxy = createTutorClient({ url: proxy.url, apiKey: engine.apiKey });
    const progress: number[] = [];
    proxy.cutAfter(2_000_000, 1_000_000, 1_500_000);
    const made = await throughProxy.avatars.upload(new Blob([clip]), avatar, {
      reconnect: atOnce,
      onProgress: (sent) => progress.push(sent),
    });
    expect(proxy.cutsMade).toBe(3);
    expect(made).toMatchObject({ name: 'Ms Li', bytes: clip.length, sha256: sha256(clip) });
    // Offsets that are no multiple of a piece: the engine kept the beginnings of those that were cut.
    expect(progress.some((sent) => sent > 0 && sent < 4 * 1024 * 1024)).toBe(true);
    expect(progress).toEqual(progress.toSorted((a, b) => a - b));
    expect(progress.at(-1)).toBe(clip.length);
    expect(await client.avatars.get(made.id)).toMatchObject({ id: made.id, sha256: sha256(clip) });
  });

  test('two at once do not mix', async () => {
    const clips = [clip.subarray(1), clip.subarray(2)];
    const made = await Promise.all(clips.map((bytes, at) => client.avatars.upload(bytes, { ...avatar, name: `Teacher ${at}` })));
    expect(made.map(({ name, sha256: hash }) => [name, hash])).toEqual(clips.map((bytes, at) => [`Teacher ${at}`, sha256(bytes)]));
    const listed: Avatar[] = [];
    for await (const one of client.avatars.list()) listed.push(one);
    expect(listed.map(({ id }) => id)).toEqual(expect.arrayContaining(made.map(({ id }) => id)));
  });

  test('one that is stopped leaves nothing, and its key begins from nothing', async () => {
    const idempotencyKey = '0198a5c0-0000-7000-8000-000000000007';
    const controller = new AbortController();
    const onProgress = (sent: number) => {
      if (sent > 0) controller.abort();
    };
    const stopped = client.avatars.upload(clip, avatar, { idempotencyKey, signal: controller.signal, onProgress });
    await expect(stopped).rejects.toMatchObject({ code: 'aborted' });
    const begun = await wire(engine.url, engine.apiKey).mutate('avatars.beginUpload', { uploadId: idempotencyKey, bytes: clip.length });
    expect(begun).toMatchObject({ ok: true, data: { offset: 0 } });
  });

  test('one that was given up goes on under its key, and registers one avatar however often its answer is lost', async () => {
    await using proxy = await FaultyProxy.to(engine.port);
    const throughProxy = createTutorClient({ url: proxy.url, apiKey: engine.apiKey }).avatars;
    const idempotencyKey = '0198a5c0-0000-7000-8000-000000000008';
    proxy.cutAfter(3_000_000);
    const never = { nextDelayMs: () => null };
    await expect(throughProxy.upload(clip, avatar, { idempotencyKey, reconnect: never })).rejects.toMatchObject({ code: 'unavailable' });
    const progress: number[] = [];
    const made = await client.avatars.upload(clip, avatar, {
      idempotencyKey,
      onProgress: (sent) => progress.push(sent),
      reconnect: atOnce,
    });
    expect(progress[0]).toBeGreaterThan(0);
    expect(made.sha256).toBe(sha256(clip));
    const input = { ...avatar, source: { type: 'upload', uploadId: idempotencyKey, sha256: sha256(clip) }, idempotencyKey };
    const again = await wire(engine.url, engine.apiKey).mutate('avatars.create', input);
    expect(again).toMatchObject({ ok: true, data: { id: made.id } });
  });

  test('a clip that arrived as another than was sent is refused, and its upload is gone', async () => {
    const uploadId = '0198a5c0-0000-7000-8000-000000000009';
    const bytes = clip.subarray(0, 1_000);
    const caller = wire(engine.url, engine.apiKey);
    await caller.mutate('avatars.beginUpload', { uploadId, bytes: bytes.length });
    const headers = { 'x-vt-upload-id': uploadId, 'x-vt-upload-offset': '0', 'content-type': 'application/octet-stream' };
    const authorization = `Bearer ${engine.apiKey}`;
    const sent = await fetch(`${engine.url}/trpc/avatars.upload`, { method: 'POST', body: bytes, headers: { ...headers, authorization } });
    expect(await sent.json()).toEqual({ result: { data: { offset: 1_000 } } });
    const source = { type: 'upload', uploadId, sha256: '0'.repeat(64) };
    expect(await caller.mutate('avatars.create', { ...avatar, source })).toMatchObject({ ok: false });
    expect(await caller.mutate('avatars.create', { ...avatar, source })).toMatchObject({ ok: false, error: { code: 'not_found' } });
  });
});

describe('vtutor avatars', () => {
  const environment = () => ({ DATA_DIR: engine.dataDir, MANAGEMENT_API_PORT: String(engine.port), ENABLE_LLM: 'false' });

  function inProcess(words: readonly string[], options: AvatarOptions = {}): Promise<number> {
    return withRunningEngine(parseConfig(environment()), (engineClient) => avatars(engineClient, words, options));
  }

  async function vtutor(...words: readonly string[]) {
    const { promise, resolve } = Promise.withResolvers<{
      readonly code: number | null;
      readonly said: string;
      readonly complained: string;
    }>();
    const env = { PATH: process.env['PATH'], ...environment() };
    const child = execFile(process.execPath, [program, 'avatars', ...words], { env }, (_error, said, complained) =>
      resolve({ code: child.exitCode, said, complained }),
    );
    return promise;
  }

  test('takes a clip with its consent, follows the build, withdraws the face and deletes it', async () => {
    const given = ['--name', 'Ms Li', '--consent-by', 'Li Na', '--statement', 'You may use my face.'];
    const uploaded = await vtutor('upload', path, ...given);
    expect(uploaded).toMatchObject({ code: 0, complained: '' });
    const [id = ''] = uploaded.said.split('\n');
    expect(await client.avatars.get(id)).toMatchObject({ name: 'Ms Li', bytes: clip.length, sha256: sha256(clip) });
    // No video at all.
    expect(await vtutor('watch', id)).toEqual({ code: 1, said: 'rejected: not_a_video\n', complained: '' });
    expect(await inProcess(['revoke', id], { reason: 'consent_withdrawn' })).toBe(0);
    expect(await client.avatars.get(id)).toMatchObject({ status: 'revoked' });
    expect((await vtutor('list')).said).toMatch(new RegExp(`${id}  .*  revoked  Ms Li`));
    expect(await inProcess(['remove', id])).toBe(0);
    expect(await client.avatars.get(id)).toMatchObject({ status: 'deleted', name: null });
  });

  test('makes a face of an avatar’s folder of the predecessor', async () => {
    const place = join(folder, 'ms-hopper');
    const files = legacyFiles({ frames: (await film({ frames: 1 })).map(pngOf) });
    await writeLegacyFolder(place, files);
    const imported = await vtutor('import', place, '--name', 'Ms Hopper', '--consent-by', 'Grace Hopper', '--statement', 'Yes.');
    expect(imported).toMatchObject({ code: 0, complained: '' });
    const [id = ''] = imported.said.split('\n');
    const archive = packedArchive(files);
    expect(await client.avatars.get(id)).toMatchObject({ name: 'Ms Hopper', bytes: archive.length, sha256: sha256(archive) });
    expect(await inProcess(['watch', id])).toBe(0);
    expect(await client.avatars.get(id)).toMatchObject({ status: 'ready', reasons: [], renderer: expect.any(String) });
  }, 60_000);

  test('says by its exit code and a sentence what is missing', async () => {
    const id = '0198a5c0-0000-7000-8000-000000000001';
    expect(await vtutor('revoke', id)).toMatchObject({ code: 2, complained: expect.stringMatching(/--reason/) });
    await expect(inProcess(['watch', id])).rejects.toMatchObject({ data: { tutor: { code: 'not_found' } } });
  });

  const whole = { name: 'L', 'consent-by': 'L', statement: 'L' };
  test.each([
    ['no file', ['upload'], whole],
    ['no consent', ['upload', 'li-at-home.mp4'], { name: 'L' }],
    ['a file that is not there', ['upload', 'li-at-home.mp4'], whole],
    ['a tutor that cannot be', ['upload', 'li-at-home.mp4'], { ...whole, tutor: 'no tutor' }],
    ['no folder', ['import'], whole],
    ['a folder that is none of the predecessor', ['import', '.'], whole],
    ['a file for a folder', ['import', fileURLToPath(import.meta.url)], whole],
    ['a folder for a file', ['upload', '.'], whole],
    ['no avatar', ['watch'], {}],
    ['a reason that is none', ['revoke', '0198a5c0-0000-7000-8000-000000000001'], { reason: 'boredom' }],
    ['no verb', [], {}],
  ])('refuses %s without the name of a file', async (_what, words, options) => {
    const refused: unknown = await inProcess(words, options).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(UsageError);
    expect(String(refused)).not.toContain('li-at-home');
  });
});

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Avatar, Health } from '@virtual-tutor/schemas';
import { createTutorClient } from '@virtual-tutor/sdk';
import { v7 as uuidv7 } from 'uuid';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { type RunningEngine, startEngine } from '../support/engine.ts';
import { wire } from '../support/wire.ts';

/* From the clip to its deletion, over HTTP, with the real builder: what is no video is soon refused. */

let engine: RunningEngine;
beforeAll(async () => {
  engine = await startEngine({ ENABLE_AVATAR: 'true' });
}, 60_000);
afterAll(() => engine[Symbol.asyncDispose]());

const about = { name: 'Ms Li', consent: { by: 'Li Na', statement: 'You may use my face.' } };
const inputOf = (avatarId: string, more: object = {}) => ({ avatarId, idempotencyKey: uuidv7(), ...more });
const Answer = z.object({ ok: z.literal(true), data: Avatar });

async function uploaded(): Promise<Avatar> {
  const { avatars } = createTutorClient({ url: engine.url, apiKey: engine.apiKey });
  const { id } = await avatars.upload(new Blob(['this is no video']), { ...about, fileName: 'li.mp4' });
  return Answer.parse(await wire(engine.url, engine.apiKey).query('avatars.get', { avatarId: id })).data;
}

const foldersOf = () => readdir(join(engine.dataDir, 'avatars'));

test('a clip goes from upload to verdict, and its face from revocation to deletion', async () => {
  const { id } = await uploaded();
  const caller = wire(engine.url, engine.apiKey);
  const seen: string[] = [];
  const { avatars } = createTutorClient({ url: engine.url, apiKey: engine.apiKey });
  for await (const { status } of avatars.watch(id)) seen.push(status);
  expect(seen.at(-1)).toBe('rejected');
  expect(Answer.parse(await caller.query('avatars.get', { avatarId: id })).data).toMatchObject({
    ...{ name: 'Ms Li', status: 'rejected', position: null },
    reasons: [{ code: expect.stringMatching(/^(not_a_video|format_not_supported|damaged)$/), atMs: null, picture: null }],
  });
  for (const name of ['source', 'manifest.json', '../../master.key']) {
    expect(await caller.query('avatars.file', { avatarId: id, name })).toMatchObject({ ok: false });
  }
  expect(await caller.mutate('avatars.revoke', inputOf(id, { reason: 'consent_withdrawn' }))).toMatchObject({
    data: { status: 'revoked' },
  });
  const health = Health.parse(await (await fetch(`${engine.url}/health`)).json());
  expect(health.dependencies.find(({ name }) => name === 'filmed tutors')).toMatchObject({ status: 'ok' });

  expect(await foldersOf()).toContain(id);
  const removal = inputOf(id);
  expect(await caller.mutate('avatars.remove', removal)).toMatchObject({ data: { status: 'deleted', name: null } });
  expect(await caller.mutate('avatars.remove', removal)).toMatchObject({ data: { status: 'deleted', name: null } });
  expect(await foldersOf()).not.toContain(id);
}, 60_000);

test('a clip by path is refused where no folder is allowed', async () => {
  const source = { type: 'path', path: '/etc/hostname' };
  const answer = await wire(engine.url, engine.apiKey).mutate('avatars.create', { ...about, source, idempotencyKey: uuidv7() });
  expect(answer).toMatchObject({ ok: false, error: { code: 'invalid_input', message: expect.stringContaining('AVATAR_CLIPS_DIR') } });
  expect(JSON.stringify(answer)).not.toContain('hostname');
});

test.runIf(process.env['LONG'] === '1')(
  'what was uploaded is built after a kill -9, and what was deleted stays deleted',
  async () => {
    const [kept, gone] = [await uploaded(), await uploaded()];
    await wire(engine.url, engine.apiKey).mutate('avatars.remove', inputOf(gone.id));
    await engine.kill();
    await engine.restart();
    const { avatars } = createTutorClient({ url: engine.url, apiKey: engine.apiKey });
    const seen: string[] = [];
    for await (const { status } of avatars.watch(kept.id)) seen.push(status);
    expect(seen.at(-1)).toBe('rejected');
    expect(await avatars.get(gone.id)).toMatchObject({ status: 'deleted', name: null });
    expect(await foldersOf()).not.toContain(gone.id);
  },
  60_000,
);

test('a face that is not ready is given to no tutor', async () => {
  const { id } = await uploaded();
  const settings = {
    name: 'Ada',
    language: 'en',
    systemPrompt: '',
    llmModel: null,
    temperature: null,
    knowledgeBaseId: null,
    greeting: '',
  };
  const answer = await wire(engine.url, engine.apiKey).mutate('tutors.configure', {
    ...{ tutorId: 'ada', settings: { ...settings, avatarId: id }, idempotencyKey: uuidv7() },
  });
  expect(answer).toMatchObject({ ok: false, error: { code: 'avatar_not_ready', retryable: false } });
});

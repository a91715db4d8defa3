import { readFileSync, statSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AuditedEvent, SessionId } from '@virtual-tutor/schemas';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { describeVideo, type LoggedLesson, lessonVideo } from '../../packages/server/src/cli/lesson-video.ts';
import { playLesson } from '../support/lesson-file.ts';

const Written = z.array(
  z.strictObject({ type: z.string(), payload: z.record(z.string(), z.unknown()), personal: z.record(z.string(), z.unknown()).optional() }),
);
const sessionId = SessionId.parse('01900000-0000-7000-8000-000000000001');
const id = '00000000-0000-4000-8000-000000000000';

/** A lesson as version 1 of the engine wrote it, an event a second. */
const events = Written.parse(JSON.parse(readFileSync(new URL('../golden/lesson-v1.json', import.meta.url), 'utf8'))).map((event, nth) =>
  AuditedEvent.parse({
    ...{ ...event, id, schemaVersion: 1, stream: `session-${sessionId}`, revision: nth + 1, position: nth + 1, tenantId: 'default' },
    ...{ occurredAt: new Date(nth * 1_000).toISOString(), recordedAt: new Date(nth * 1_000).toISOString() },
    ...{ actor: { kind: 'system', id: 'node-1' }, causationId: id, correlationId: id, contentHash: '', hash: '' },
  }),
);
const lesson: LoggedLesson = { sessionId, events, seen: [] };
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lesson-video-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('a lesson of an older engine is shown with what was known then, in a file for its owner alone', async () => {
  const report = await lessonVideo(lesson, { path: join(folder, 'old.mp4'), avatarsFolder: folder });
  expect(report.sentences.length).toBeGreaterThan(0);
  expect(report.sentences.every(({ medium }) => medium === 'text')).toBe(true);
  expect(statSync(report.file).mode & 0o777).toBe(0o600);
  const { captions, pictureMs } = await playLesson(report.file);
  expect(pictureMs).toBe(report.durationMs);
  expect(captions.map(({ text }) => text)).toEqual(expect.arrayContaining(['Student: Why is the sky blue?', 'Air scatters blue light.']));
  expect(describeVideo(report)).toContain(report.sha256);
});

test('a lesson with events of a newer engine is refused: it would be shown wrong', async () => {
  const newer = events.map((event) => (event.type === 'SentenceHeard' ? { ...event, schemaVersion: 9 } : event));
  const shown = lessonVideo({ ...lesson, events: newer }, { path: join(folder, 'new.mp4'), avatarsFolder: folder });
  await expect(shown).rejects.toThrow(/SentenceHeard v9.*upgrade/);
});

test('a file that cannot be written, or a session in which nothing happened, is said so and leaves nothing', async () => {
  const nowhere = lessonVideo(lesson, { path: join(folder, 'no', 'where.mp4'), avatarsFolder: folder });
  await expect(nowhere).rejects.toMatchObject({ name: 'UsageError', message: expect.stringContaining('--video') });
  const begun = lessonVideo({ ...lesson, events: events.slice(0, 1) }, { path: join(folder, 'begun.mp4'), avatarsFolder: folder });
  await expect(begun).rejects.toMatchObject({ name: 'UsageError' });
  expect(await readdir(folder)).toEqual(['old.mp4']);
});

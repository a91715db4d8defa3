import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createScriptedLlm } from '@virtual-tutor/engine/fakes';
import { AvatarId, sessionEvents, type TurnId } from '@virtual-tutor/schemas';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Student } from '../../packages/engine/src/adapters/werift-student.ts';
import { readManifest } from '../../packages/engine/src/avatar/artifact/open-avatar.ts';
import { listeningRate, playoutRate } from '../../packages/engine/src/media/ports.ts';
import { asFloats, resample } from '../../packages/engine/src/media/resample.ts';
import { createSpeaker, type Speaker } from '../../packages/engine/src/speech/speaker.ts';
import { Audit } from '../../packages/server/src/app/audit.ts';
import { createEventCodec } from '../../packages/server/src/app/event-codec.ts';
import { Tail } from '../../packages/server/src/app/tail.ts';
import { type LoggedLesson, lessonVideo, type VideoReport } from '../../packages/server/src/cli/lesson-video.ts';
import { type MediaWorkers, startMediaWorkers } from '../../packages/server/src/workers/media-workers.ts';
import { correlation, lagOf, openingOfPhones } from '../support/av-sync.ts';
import { madeReady, toAvatar } from '../support/avatars-in-log.ts';
import { levelOf, type PlayedLesson, playLesson } from '../support/lesson-file.ts';
import { plainVault } from '../support/plain-vault.ts';
import { isTinted, type Tint, writeTintedAvatar } from '../support/tinted-film.ts';
import { type NodeLesson, openLessonOn, student, tenantId } from '../support/voice-lesson.ts';

/*
 * A lesson as it is held - written, spoken, listened to, cut, with a filmed face over WebRTC - and then shown again as a video from its log: what
 * a player decodes is compared with what the log says.
 */

const avatarId = AvatarId.parse('0193c5a0-0000-7000-8000-00000000000a');
/** Violet: no picture of the drawn tutors is. */
const tint: Tint = { u: 170, v: 170 };
const replies: readonly (readonly string[])[] = [
  ['Hello there. ', 'Ask me **anything**.'],
  ['Plants need light. ', 'And water.'],
  ['This is a very long story about plants and water and light and air and sugar and leaves.'],
];
const question = 'Why do plants need light?';

/** As a microphone sends it. */
async function spokenQuestion(speaker: Speaker): Promise<Uint8Array> {
  const { samples } = await said(speaker, question);
  const floats = resample(asFloats(samples), playoutRate, listeningRate);
  const pcm = Int16Array.from([...new Float32Array(listeningRate / 4), ...floats], (sample) => Math.round(sample * 32_767));
  return new Uint8Array(pcm.buffer);
}

function said(speaker: Speaker, text: string) {
  return speaker.say({ text, language: 'en', voice: null, signal: new AbortController().signal });
}

describe('a lesson as video', () => {
  let folder: string;
  let speaker: Speaker;
  let workers: MediaWorkers;
  let node: NodeLesson;
  let lesson: LoggedLesson;
  let first: VideoReport;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lesson-video-'));
    await writeTintedAvatar(join(folder, avatarId), tint);
    workers = startMediaWorkers({
      workers: 1,
      onFault: () => undefined,
      config: {
        mediaAddress: '127.0.0.1',
        mediaPorts: [41_200, 41_299],
        relayAddresses: ['127.0.0.1'],
        relayPorts: [1_024, 65_535],
        engineRelay: null,
        tts: { enabled: true, edgeVoice: null },
        asr: { enabled: true, modelsFolder: null, model: 'base', device: 'cpu', language: null },
        avatar: { enabled: true, folder, museTalkFolder: null },
        capacity: { sessions: 2, speaking: 2 },
      },
    });
    speaker = createSpeaker({ enabled: true, edgeVoice: null });
    await workers.ready;
    node = await openLessonOn(workers, { llm: createScriptedLlm({ play: (_, attempt) => replies[attempt - 1] ?? [] }), avatarId });
    await makeReady(node, join(folder, avatarId));
    await hold(node, { workers, speaker });
    lesson = await logged(node);
    first = await lessonVideo(lesson, { path: join(folder, 'first.mp4'), avatarsFolder: folder });
  });
  afterAll(async () => {
    await node?.[Symbol.asyncDispose]();
    await workers?.[Symbol.asyncDispose]();
    await speaker?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  test('lasts as long as the lesson, and says exactly what was heard, sentence by sentence', () => {
    const at = (nth: number) => Date.parse(lesson.events.at(nth)?.occurredAt ?? '');
    expect(first.durationMs).toBe(at(-1) - at(0));
    expect(first.sentences.map(({ turnId, index, medium, heardMs, durationMs }) => [turnId, index, medium, heardMs, durationMs])).toEqual(
      heardIn(lesson),
    );
    expect(first.sentences.map(({ fit }) => fit)).toEqual([null, null, 'as_then', 'as_then', 'interrupted']);
    expect(first).toMatchObject({ silent: [], otherVoice: 0, films: [] });
    // The first sound of the second reply left the engine when its own clock says, give or take what a busy machine adds.
    const replied = lesson.events.findLast(({ type }) => type === 'ReplyCompleted');
    const { turnId, timings } = sessionEvents.ReplyCompleted.payload.parse(replied?.payload);
    const askedAt = lesson.events.find(({ type, payload }) => type === 'MessageReceived' && payload['turnId'] === turnId)?.occurredAt ?? '';
    const firstSoundMs = Date.parse(askedAt) - at(0) + (timings.firstAudioMs ?? Number.NaN);
    expect(Math.abs((first.sentences.find((sentence) => sentence.turnId === turnId)?.startMs ?? 0) - firstSoundMs)).toBeLessThan(2_000);
  });

  test('is what a player plays: picture, sound and captions, each in its time', async () => {
    const pictures: { readonly atMs: number; readonly filmed: boolean; readonly inside: number }[] = [];
    const played = await playLesson(first.file, (picture, atMs) =>
      pictures.push({ atMs, filmed: isTinted(picture, tint), inside: insideMouth(picture) }),
    );
    expect(played).toMatchObject({ tracks: ['h264', 'aac', 'mov_text'], language: 'eng', pictureMs: first.durationMs });
    expect(played.soundMs).toBeCloseTo(first.durationMs, 0);
    expect(played.samples.length / playoutRate).toBeCloseTo(first.durationMs / 1_000, 4);
    expect(pictures).toHaveLength(Math.ceil(first.durationMs / 40));
    expectSoundOnlyInWords(played, first);
    for (const { startMs, heardMs, text } of spokenIn(lesson, first)) {
      const { samples, visemes } = await said(speaker, text);
      expect(likeness(played, { startMs, heardMs }, samples), text).toBeGreaterThan(0.95);
      const mouth = pictures.filter(({ atMs }) => atMs >= startMs && atMs < startMs + heardMs);
      const points = mouth.map(({ atMs, inside }) => ({ atMs: atMs - startMs, value: inside }));
      const lag = lagOf(points, openingOfPhones(visemes), { fromMs: -200, toMs: 200, stepMs: 10 });
      // A mouth leads its sound by some 45 ms.
      expect(lag?.lagMs, text).toBeGreaterThan(-90);
      expect(lag?.lagMs, text).toBeLessThan(20);
      expect(lag?.fit, text).toBeGreaterThan(0.5);
    }
    expect(played.captions).toHaveLength(3 + 5);
    expect(played.captions).toEqual(expect.arrayContaining([...captionsWanted(lesson, first)]));

    const opened = Date.parse(lesson.events.find(({ type }) => type === 'QualityChanged')?.occurredAt ?? '');
    const openedMs = opened - Date.parse(lesson.events[0]?.occurredAt ?? '');
    for (const { atMs, filmed } of pictures) expect(filmed, `at ${atMs}`).toBe(atMs >= openedMs);
    const spoken = first.sentences.filter(({ medium }) => medium === 'voice');
    const isSaid = (atMs: number, marginMs: number) =>
      spoken.some(({ startMs, heardMs }) => atMs >= startMs - marginMs && atMs < startMs + heardMs + marginMs);
    for (const { atMs, inside } of pictures.filter(({ filmed }) => filmed)) if (!isSaid(atMs, 200)) expect(inside, `at ${atMs}`).toBe(0);
  });

  test('has the same bytes when it is rendered again', async () => {
    const again = await lessonVideo(lesson, { path: join(folder, 'again.mp4'), avatarsFolder: folder });
    expect(again.sha256).toBe(first.sha256);
    const bytes = await readFile(again.file);
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(first.sha256);
    // FFmpeg would sign with its version.
    expect(bytes.includes('Lavf') || bytes.includes('Lavc')).toBe(false);
  });

  test('shows the drawn tutor once the face was withdrawn, and placeholders once the words were erased', async () => {
    await toAvatar(node.handle, { tenantId, avatarId }, { type: 'RevokeAvatar', reason: 'consent_withdrawn' });
    const { seen } = await logged(node);
    const erased = lesson.events.map((event) => (event.personal === undefined ? event : { ...event, personal: null }));
    const report = await lessonVideo({ ...lesson, events: erased, seen }, { path: join(folder, 'after.mp4'), avatarsFolder: folder });
    expect(report.films).toEqual([{ avatarId, why: 'revoked' }]);
    expect(report.durationMs).toBe(first.durationMs);
    expect(report.silent).toEqual(
      report.sentences.filter(({ medium }) => medium === 'voice').map(({ turnId, index }) => ({ turnId, index, why: 'erased' })),
    );
    let filmed = 0;
    const played = await playLesson(report.file, (picture) => {
      if (isTinted(picture, tint)) filmed += 1;
    });
    expect(filmed).toBe(0);
    expect(levelOf(played, 0, report.durationMs)).toBeLessThan(-90);
    expect(new Set(played.captions.map(({ text }) => text))).toEqual(new Set(['[erased]', 'Student: [erased]']));
  });
});

/** What the log would hold of the build that made these files. */
async function makeReady({ handle }: NodeLesson, folder: string): Promise<void> {
  const { artifacts } = await readManifest(folder);
  const commands = madeReady.map((command) =>
    command.type === 'CompleteBuild' ? { ...command, result: { ...command.result, artifacts } } : command,
  );
  await toAvatar(handle, { tenantId, avatarId }, ...commands);
}

/** Greeted in writing; answered aloud once voice and picture are there; a spoken question whose answer is cut. */
async function hold(node: NodeLesson, { workers, speaker }: { workers: MediaWorkers; speaker: Speaker }): Promise<void> {
  const { sessionId, media, lessons } = node;
  using _page = node.read();
  await node.ask('Hello!');
  await untilLogged(node, (types) => types.includes('ReplyCompleted'));
  await using browser = new Student('VP8');
  const answer = await media.negotiate(tenantId, { sessionId, peerId: randomUUID(), offer: await browser.offer() });
  if ('refused' in answer) throw new Error(answer.refused.message);
  await browser.take(answer.answer);
  await untilLogged(node, (types) => types.includes('QualityChanged'));
  await node.ask('What do plants do?');
  await untilLogged(node, (types) => count(types, 'ReplyCompleted') === 2);
  await media.appendAudio(tenantId, sessionId, await spokenQuestion(speaker));
  media.commitAudio(sessionId);
  await untilLogged(node, (types) => count(types, 'SentenceGenerated') === 5);
  const { turnId } = (await node.events()).findLast((event) => event.type === 'SentenceGenerated')?.payload ?? {};
  if (turnId === undefined) throw new Error('no sentence was made');
  await heardOf(workers, turnId, 800);
  await node.interrupt(turnId);
  await lessons.end(sessionId, 'student', student);
}

/** Resolves when so much of a sentence has been heard. */
async function heardOf(workers: MediaWorkers, turnId: TurnId, leastMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = workers.onFact((fact) => {
    if (fact.type === 'progress' && fact.turnId === turnId && fact.heardMs >= leastMs) resolve();
  });
  await promise.finally(stop);
}

async function untilLogged(node: NodeLesson, isThere: (types: readonly string[]) => boolean): Promise<void> {
  for (let looks = 0; looks < 400; looks += 1) {
    if (isThere((await node.events()).map(({ type }) => type))) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`the lesson did not go on: ${(await node.events()).map(({ type }) => type).join(', ')}`);
}

function count(types: readonly string[], wanted: string): number {
  return types.filter((type) => type === wanted).length;
}

async function logged({ store, handle, sessionId }: NodeLesson): Promise<LoggedLesson> {
  const tail = await Tail.start(store, () => undefined);
  const audit = new Audit({ store, handle, codec: createEventCodec(plainVault), tail });
  const page = await audit.events(tenantId, { sessionId, after: 0, limit: 500 });
  const seen = await audit.appearances(tenantId, sessionId);
  await tail.close();
  if (page === null || seen === null) throw new Error('the lesson is not in the log');
  return { sessionId, events: page.items, seen };
}

/** Turn, index, medium and times of all that was heard, cut sentence included, as the log has it. */
function heardIn({ events }: LoggedLesson): readonly unknown[] {
  return events.flatMap(({ type, payload }) => {
    if (type === 'ReplyInterrupted') return [[payload['turnId'], payload['heardSentences'], 'voice', payload['heardMs'], null]];
    if (type !== 'SentenceHeard') return [];
    const playout: unknown = payload['playout'];
    if (typeof playout !== 'object' || playout === null) return [];
    const { medium, heardMs = 0, durationMs = null }: { medium?: unknown; heardMs?: unknown; durationMs?: unknown } = playout;
    return [[payload['turnId'], payload['index'], medium, heardMs, durationMs]];
  });
}

/** What the log says was to be read on the picture; how long what is written stays there is not the log's. */
function captionsWanted({ events }: LoggedLesson, { sentences }: VideoReport): readonly object[] {
  const startedAt = Date.parse(events[0]?.occurredAt ?? '');
  const generated = events.filter(({ type }) => type === 'SentenceGenerated');
  const asked = events.flatMap(({ type, payload, personal, occurredAt }) => {
    if (type !== 'MessageReceived') return [];
    const { asr } = sessionEvents.MessageReceived.payload.parse(payload);
    const endMs = Date.parse(occurredAt) - startedAt - (asr?.asrMs ?? 0);
    const span = asr === null ? { startMs: endMs } : { startMs: Math.round(endMs - asr.durationMs), endMs: Math.round(endMs) };
    return [{ text: `Student: ${String(personal?.['text'])}`, ...span }];
  });
  const answered = sentences.map(({ turnId, index, medium, startMs, heardMs, durationMs }) => {
    const text = generated.find(({ payload }) => payload['turnId'] === turnId && payload['index'] === index)?.personal?.['text'];
    const cut = events.find(({ type, payload }) => type === 'ReplyInterrupted' && payload['turnId'] === turnId)?.personal?.['heardText'];
    const said = medium === 'voice' && durationMs === null ? `${String(cut).trim()} —` : String(text).trim();
    return { text: said, startMs: Math.round(startMs), ...(heardMs === 0 ? {} : { endMs: Math.round(startMs + heardMs) }) };
  });
  return [...asked, ...answered].map((caption) => expect.objectContaining(caption));
}

function expectSoundOnlyInWords(played: PlayedLesson, { sentences, durationMs }: VideoReport): void {
  let silentFromMs = 0;
  for (const { startMs, heardMs, medium } of [...sentences, { startMs: durationMs, heardMs: 0, medium: 'voice' }]) {
    if (medium !== 'voice') continue;
    // A transform of 2048 samples spreads what is beside it (AAC): 43 ms.
    if (startMs - silentFromMs > 100) expect(levelOf(played, silentFromMs + 45, startMs - 45), `before ${startMs}`).toBeLessThan(-80);
    if (heardMs > 0) expect(levelOf(played, startMs, startMs + heardMs), `at ${startMs}`).toBeGreaterThan(-35);
    silentFromMs = startMs + heardMs;
  }
}

/** What was said aloud, with its words as they were generated. */
function spokenIn({ events }: LoggedLesson, { sentences }: VideoReport) {
  return sentences.flatMap(({ turnId, index, medium, startMs, heardMs }) => {
    const made = events.find(
      ({ type, payload }) => type === 'SentenceGenerated' && payload['turnId'] === turnId && payload['index'] === index,
    );
    return medium === 'voice' ? [{ startMs, heardMs, text: String(made?.personal?.['text']) }] : [];
  });
}

/** Of a stretch of the video's sound to the beginning of a speech, sample by sample: 1 when they are the same, near 0 when one is a few ms late. */
function likeness(played: PlayedLesson, { startMs, heardMs }: { startMs: number; heardMs: number }, speech: Int16Array): number {
  const from = Math.round((startMs * played.rate) / 1_000);
  const length = Math.min(speech.length, Math.round((heardMs * played.rate) / 1_000));
  return correlation([...played.samples.subarray(from, from + length)], [...speech.subarray(0, length)]);
}

/** Chroma samples between the lips: they alone have not the film's tint. */
function insideMouth(picture: Uint8Array): number {
  const half = Math.sqrt((picture.length * 2) / 3) / 2;
  const plane = picture.subarray(4 * half * half, 5 * half * half);
  let inside = 0;
  for (let y = half / 2; y < (7 * half) / 8; y += 1) {
    for (let x = half / 4; x < (3 * half) / 4; x += 1) if (Math.abs((plane[y * half + x] ?? 0) - tint.u) > 20) inside += 1;
  }
  return inside;
}

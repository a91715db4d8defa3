import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { WebrtcConfig } from '@virtual-tutor/schemas';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type RunningEngine, startEngine, untilVoiceIsReady, withVoice } from '../support/engine.ts';
import { levelOf, playLesson } from '../support/lesson-file.ts';
import { openWire, type wire as Wire, wire } from '../support/wire.ts';

const Created = z.object({
  ok: z.literal(true),
  data: z.object({ session: z.object({ id: z.string() }), grant: z.object({ token: z.string() }) }),
});

const program = fileURLToPath(new URL('../../packages/server/src/cli/vtutor.ts', import.meta.url));
const VideoReport = z.object({
  sha256: z.string(),
  durationMs: z.number(),
  sentences: z.array(z.object({ medium: z.string(), fit: z.string().nullable(), startMs: z.number(), heardMs: z.number() })),
  silent: z.array(z.unknown()),
});

/** An offer as a browser that gathers everything would make it. */
const offerWith = (...candidates: readonly string[]) =>
  [
    'v=0',
    'o=- 1 2 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    'a=group:BUNDLE 0',
    'm=audio 9 UDP/TLS/RTP/SAVPF 111',
    'c=IN IP4 0.0.0.0',
    'a=mid:0',
    'a=ice-ufrag:abcd',
    'a=ice-pwd:0123456789012345678901',
    `a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => 'AB').join(':')}`,
    'a=setup:actpass',
    'a=sendrecv',
    'a=rtcp-mux',
    'a=rtpmap:111 opus/48000/2',
    ...candidates.map((candidate) => `a=candidate:${candidate}`),
    '',
  ].join('\r\n');

describe('an engine with voice', () => {
  let engine: RunningEngine;
  let student: ReturnType<typeof Wire>;
  let token = '';
  let sessionId = '';
  beforeAll(async () => {
    engine = await startEngine(await withVoice());
    await untilVoiceIsReady(engine);
    const operator = wire(engine.url, engine.apiKey);
    // An answer that is soon spoken.
    const document = { title: 'Quokkas', mime: 'text/plain', text: 'A quokka is a small marsupial.' };
    const added = await operator.mutate('knowledge.addDocument', { knowledgeBaseId: 'light-water-sky-en', ...document });
    expect(added).toMatchObject({ ok: true });
    const created = await operator.mutate('sessions.create', { tutorId: 'ada', studentId: 's' });
    const { session, grant } = Created.parse(created).data;
    sessionId = session.id;
    token = grant.token;
    student = wire(engine.url, token);
  });
  afterAll(async () => {
    await engine[Symbol.asyncDispose]();
  });

  test('gives credentials for the relay alone, and says what works', async () => {
    const outcome = await student.query('webrtc.config', { sessionId });
    const config = z.object({ ok: z.literal(true), data: WebrtcConfig }).parse(outcome).data;
    expect(config.iceServers.flatMap(({ urls }) => urls).every((url) => /^turns?:/.test(url))).toBe(true);
    expect(config.iceTransportPolicy).toBe('relay');
    expect(config.iceServers[0]?.username).toContain(sessionId);
    expect(Date.parse(config.expiresAt)).toBeGreaterThan(Date.now());
  });

  test.each([
    ['a host candidate', '1 1 udp 2122260223 192.168.1.20 50000 typ host'],
    ['a server-reflexive candidate', '1 1 udp 1686052607 203.0.113.9 50000 typ srflx raddr 0.0.0.0 rport 9'],
    ['a name that only its network knows', '1 1 udp 2122260223 8c3d.local 50000 typ host'],
    ['a relay that is not ours', '1 1 udp 41885439 203.0.113.9 50000 typ relay raddr 0.0.0.0 rport 9'],
  ])('refuses an offer with %s by name', async (_, candidate) => {
    const outcome = await student.mutate('webrtc.negotiate', { sessionId, peerId: randomUUID(), offer: offerWith(candidate) });
    expect(outcome).toMatchObject({ ok: false, error: { code: 'media_blocked', retryable: false } });
  });

  test('refuses an offer that is none', async () => {
    const outcome = await student.mutate('webrtc.negotiate', { sessionId, peerId: randomUUID(), offer: 'hello' });
    expect(outcome).toMatchObject({ ok: false, error: { code: 'media_blocked' } });
  });

  test('lets a student connect so often, and then asks her to wait', async () => {
    let code = '';
    for (let nth = 0; nth < 40 && code !== 'rate_limited'; nth += 1) {
      const outcome = await student.mutate('webrtc.negotiate', { sessionId, peerId: randomUUID(), offer: 'hello' });
      code = outcome.ok ? 'answered' : outcome.error.code;
    }
    expect(code).toBe('rate_limited');
  });

  test('takes microphone audio, and speaks to a client without WebRTC', async () => {
    expect(await student.mutate('audio.append', { sessionId, pcm: Buffer.alloc(3_200).toString('base64') })).toMatchObject({ ok: true });
    expect(await student.mutate('audio.commit', { sessionId })).toMatchObject({ ok: true });
    const socket = await openWire(engine.url, token);
    const feed = socket.call('subscription', 'session.events', { sessionId });
    const media = socket.call('subscription', 'session.media', { sessionId });
    await socket.until((frame) => frame.id === feed && frame.result?.type === 'data');
    const signals = socket.call('subscription', 'webrtc.signals', { sessionId });
    const heard = socket.until((frame) => frame.id === media && frame.result?.type === 'data');
    await socket.until((frame) => frame.id === signals && JSON.stringify(frame.result ?? '').includes('voice'));
    await student.mutate('chat.send', { sessionId, clientMessageId: randomUUID(), text: 'What is a quokka?' });
    const chunk = z.object({ packets: z.array(z.base64()).min(1), index: z.literal(0) }).parse((await heard).result?.data);
    expect(chunk.packets.length).toBeGreaterThan(0);
    await socket.until((frame) => frame.id === feed && JSON.stringify(frame.result ?? '').includes('replyCompleted'));
    expect(JSON.stringify(socket.frames)).toContain('marsupial');
    socket.socket.close();
    const metrics = await (await fetch(`${engine.url}/metrics`)).text();
    expect(metrics).toMatch(/tutor_turn_stage_seconds_count\{stage="first_audio"\} 1/);
  });

  test('shows the lesson again as a video, from its log alone', async () => {
    const env = { PATH: process.env['PATH'], DATA_DIR: engine.dataDir, MANAGEMENT_API_PORT: String(engine.port), ENABLE_LLM: 'false' };
    const file = join(engine.dataDir, 'lesson.mp4');
    const { stdout } = await promisify(execFile)(process.execPath, [program, 'replay', sessionId, '--video', file, '--json'], { env });
    const report = VideoReport.parse(JSON.parse(stdout));
    expect(report.sentences.map(({ medium, fit }) => [medium, fit])).toContainEqual(['voice', 'as_then']);
    expect(report.silent).toEqual([]);
    expect(
      createHash('sha256')
        .update(await readFile(file))
        .digest('hex'),
    ).toBe(report.sha256);
    const played = await playLesson(file);
    expect(played.pictureMs).toBe(report.durationMs);
    for (const { startMs, heardMs } of report.sentences.filter(({ medium }) => medium === 'voice')) {
      expect(levelOf(played, startMs, startMs + heardMs)).toBeGreaterThan(-35);
    }
    expect(played.captions.map(({ text }) => text)).toContain('Student: What is a quokka?');
  });

  test('wrote no word of it to its log', () => {
    expect(engine.output()).not.toMatch(/a defect|marsupial/);
  });
});

import { randomUUID } from 'node:crypto';
import { createScriptedLlm } from '@virtual-tutor/engine/fakes';
import type { MediaChunk, Signal } from '@virtual-tutor/schemas';
import { AvatarId, TenantId, TurnId } from '@virtual-tutor/schemas';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { madeReady, toAvatar } from '../../../../test/support/avatars-in-log.ts';
import { openVoiceLesson, relay, student, tenantId } from '../../../../test/support/voice-lesson.ts';

const llm = createScriptedLlm({ play: () => ['Hello there. '] });
const turnId = TurnId.parse('11111111-1111-5111-8111-111111111111');
const avatarId = AvatarId.parse('0193c5a0-0000-7000-8000-00000000000a');
const lin = { tenantId, avatarId };
const drawn = { kind: 'drawn', character: 'ada' } as const;
const filmed = { kind: 'filmed', avatarId, character: 'ada' } as const;
const partial = (text: string): Signal => ({ type: 'partial', text });

afterEach(() => {
  vi.useRealTimers();
});

async function take<T>(items: AsyncIterator<T>, count: number): Promise<readonly T[]> {
  const taken: T[] = [];
  while (taken.length < count) {
    const { value, done } = await items.next();
    if (done === true) return taken;
    taken.push(value);
  }
  return taken;
}

describe('signals', () => {
  test('begin with how the tutor reaches the student, and go to every subscriber', async () => {
    await using lesson = await openVoiceLesson({ llm });
    await lesson.connect('voice');
    const stop = new AbortController();
    const readers = [1, 2].map(() => lesson.media.signals(lesson.sessionId, stop.signal));
    expect(await Promise.all(readers.map((reader) => take(reader, 1)))).toEqual([
      [{ type: 'hello', quality: 'voice' }],
      [{ type: 'hello', quality: 'voice' }],
    ]);
    const next = readers.map((reader) => take(reader, 1));
    lesson.plane.signal(lesson.sessionId, partial('why'));
    expect(await Promise.all(next)).toEqual([[partial('why')], [partial('why')]]);
    stop.abort();
    expect(await Promise.all(readers.map((reader) => take(reader, 1)))).toEqual([[], []]);
  });

  test('that a slow reader misses are partial ones first, and only its own', async () => {
    await using lesson = await openVoiceLesson({ llm });
    await lesson.connect();
    const slow = lesson.media.signals(lesson.sessionId, new AbortController().signal);
    await take(slow, 1);
    const silent: Signal = { type: 'silent', turnId, reason: 'finished' };
    lesson.plane.signal(lesson.sessionId, silent);
    for (let nth = 0; nth < 1_000; nth += 1) lesson.plane.signal(lesson.sessionId, partial(String(nth)));
    const got = await take(slow, 256);
    expect(got[0]).toEqual(silent);
    expect(got.at(-1)).toEqual(partial('999'));
  });

  test('tell a step on the ladder as the log has it', async () => {
    await using lesson = await openVoiceLesson({ llm });
    await lesson.connect();
    const reader = lesson.media.signals(lesson.sessionId, new AbortController().signal);
    await take(reader, 1);
    lesson.plane.reach(lesson.sessionId, 'voice', 'renderer_late');
    expect((await take(reader, 2)).at(-1)).toEqual({ type: 'quality', from: 'video', to: 'voice', reason: 'renderer_late' });
    const changes = (await lesson.events()).filter(({ type }) => type === 'QualityChanged').map(({ payload }) => payload);
    expect(changes).toEqual([
      { from: 'text', to: 'video', reason: 'connected' },
      { from: 'video', to: 'voice', reason: 'renderer_late' },
    ]);
  });

  test('end with the session', async () => {
    await using lesson = await openVoiceLesson({ llm });
    await lesson.connect();
    const reader = lesson.media.signals(lesson.sessionId, new AbortController().signal);
    await take(reader, 1);
    const rest = take(reader, 100);
    await lesson.lessons.end(lesson.sessionId, 'student', student);
    await rest;
    expect(lesson.plane.isOpen(lesson.sessionId)).toBe(false);
  });
});

describe('connections', () => {
  test('open media with the voice and face of the tutor, when they are first needed', async () => {
    await using lesson = await openVoiceLesson({ llm, voice: 'en-GB-SoniaNeural' });
    expect(lesson.plane.opened).toEqual([]);
    await lesson.connect();
    expect(lesson.plane.opened).toEqual([
      { sessionId: lesson.sessionId, locale: 'en', voice: 'en-GB-SoniaNeural', face: { kind: 'drawn', character: 'ada' } },
    ]);
  });

  test('are in the log from beginning to end, without an address', async () => {
    await using lesson = await openVoiceLesson({ llm });
    await lesson.connect();
    lesson.plane.lose(lesson.sessionId);
    const events = await lesson.until((all) => all.some(({ type, payload }) => type === 'QualityChanged' && payload.to === 'text'));
    expect(events.slice(2).map(({ type }) => type)).toEqual(['MediaConnected', 'QualityChanged', 'MediaDisconnected', 'QualityChanged']);
    expect(events[4]?.payload).toMatchObject({ reason: 'lost', connectedMs: 1_000, bytesSent: 2_000 });
    expect(JSON.stringify(events.map(({ payload }) => payload))).not.toMatch(/\d+\.\d+\.\d+\.\d+/);
  });

  test('replace one another, and the one that is replaced is told', async () => {
    await using lesson = await openVoiceLesson({ llm });
    await lesson.connect();
    const first = lesson.plane.requests.flatMap((request) => (request.type === 'negotiate' ? [request.peerId] : []))[0];
    const reader = lesson.media.signals(lesson.sessionId, new AbortController().signal);
    await take(reader, 1);
    await lesson.connect();
    expect(await take(reader, 1)).toEqual([{ type: 'replaced', peerId: first }]);
    lesson.media.sweep();
    expect(lesson.plane.isOpen(lesson.sessionId)).toBe(true);
  });

  test.each([
    ['an offer of another candidate', { code: 'candidate_not_relay', reason: 'host candidates are refused' }, 'media_blocked'],
    ['no free port', { code: 'no_free_port', reason: 'all ports are taken' }, 'capacity_exceeded'],
    ['a worker that is gone', { code: 'internal', reason: 'gone' }, 'unavailable'],
  ] as const)('that fail for %s say so', async (_, refused, code) => {
    await using lesson = await openVoiceLesson({ llm });
    lesson.plane.answers.push({ type: 'refused', requestId: '1', ...refused });
    const outcome = await lesson.media.negotiate(tenantId, { sessionId: lesson.sessionId, peerId: randomUUID(), offer: 'v=0' });
    expect(outcome).toMatchObject({ refused: { code, message: refused.reason } });
  });

  test('need a relay that works', async () => {
    const broken = { ...relay, health: () => ({ name: 'media relay', runsOn: 'x', status: 'degraded', reason: 'port taken' }) as const };
    for (const [turn, code] of [
      [broken, 'relay_unavailable'],
      [null, 'media_unavailable'],
    ] as const) {
      await using lesson = await openVoiceLesson({ llm, turn });
      expect(await lesson.media.config(tenantId, lesson.sessionId)).toMatchObject({ refused: { code } });
      const request = { sessionId: lesson.sessionId, peerId: randomUUID(), offer: 'v=0' };
      expect(await lesson.media.negotiate(tenantId, request)).toMatchObject({ refused: { code } });
      expect(lesson.plane.opened).toEqual([]);
    }
  });
});

describe('the face of a lesson', () => {
  const faces = (opened: readonly { readonly face: unknown }[]) => opened.map(({ face }) => face);

  test('is the filmed one of its tutor once that is ready', async () => {
    await using lesson = await openVoiceLesson({ llm, avatarId });
    await toAvatar(lesson.handle, lin, ...madeReady);
    await lesson.connect();
    expect(faces(lesson.plane.opened)).toEqual([filmed]);
  });

  test.each([
    ['is still to be built', madeReady.slice(0, 2)],
    ['never was', []],
    ['was revoked', [...madeReady, { type: 'RevokeAvatar', reason: 'misuse' } as const]],
    ['was deleted', [...madeReady, { type: 'DeleteAvatar' } as const]],
  ])('is a drawn one while the filmed one %s', async (_, commands) => {
    await using lesson = await openVoiceLesson({ llm, avatarId });
    await toAvatar(lesson.handle, lin, ...commands);
    await lesson.connect();
    expect(faces(lesson.plane.opened)).toEqual([drawn]);
  });

  test('is a drawn one when the filmed one belongs to another school', async () => {
    await using lesson = await openVoiceLesson({ llm, avatarId });
    await toAvatar(lesson.handle, { tenantId: TenantId.parse('elsewhere'), avatarId }, ...madeReady);
    await lesson.connect();
    expect(faces(lesson.plane.opened)).toEqual([drawn]);
  });

  test.each([{ type: 'RevokeAvatar', reason: 'consent_withdrawn' }, { type: 'DeleteAvatar' }] as const)(
    'is taken off at once by $type, in the middle of a reply, and nothing else happens',
    async (withdrawal) => {
      await using lesson = await openVoiceLesson({ llm, avatarId });
      await toAvatar(lesson.handle, lin, ...madeReady);
      await lesson.connect();
      const asked = await lesson.ask('Why?');
      await expect.poll(() => lesson.plane.said(asked)).toEqual(['Hello there. ']);
      lesson.plane.play(lesson.sessionId, 3);
      await toAvatar(lesson.handle, lin, withdrawal);
      const worn = () => lesson.plane.orders.filter(({ type }) => type === 'wear');
      await expect.poll(worn, { interval: 5, timeout: 1_000 }).toEqual([{ type: 'wear', sessionId: lesson.sessionId, face: drawn }]);
      lesson.plane.playAll(lesson.sessionId);
      const events = await lesson.until((all) => all.some(({ type }) => type === 'ReplyCompleted'));
      expect(events.filter(({ type }) => type === 'QualityChanged')).toHaveLength(1);
      expect(worn()).toHaveLength(1);
    },
  );

  test('stays when another one is revoked', async () => {
    await using lesson = await openVoiceLesson({ llm, avatarId });
    await toAvatar(lesson.handle, lin, ...madeReady);
    await lesson.connect();
    const another = { tenantId, avatarId: AvatarId.parse('0193c5a0-0000-7000-8000-00000000000b') };
    await toAvatar(lesson.handle, another, ...madeReady, { type: 'RevokeAvatar', reason: 'other' });
    await toAvatar(lesson.handle, lin, { type: 'RevokeAvatar', reason: 'other' });
    await expect.poll(() => lesson.plane.orders).toHaveLength(1);
  });

  test('that gets ready during the lesson is seen in the next one', async () => {
    await using lesson = await openVoiceLesson({ llm, avatarId });
    await lesson.connect();
    await toAvatar(lesson.handle, lin, ...madeReady);
    await lesson.connect();
    expect(faces(lesson.plane.opened)).toEqual([drawn]);
    expect(lesson.plane.orders).toEqual([]);
  });

  test('is chosen from the log again after a worker crashed', async () => {
    await using lesson = await openVoiceLesson({ llm, avatarId });
    await toAvatar(lesson.handle, lin, ...madeReady);
    await lesson.connect();
    lesson.plane.crash();
    await lesson.connect();
    lesson.plane.crash();
    // Nobody can be told: there is no worker.
    await toAvatar(lesson.handle, lin, { type: 'RevokeAvatar', reason: 'other' });
    await lesson.connect();
    expect(faces(lesson.plane.opened)).toEqual([filmed, filmed, drawn]);
  });

  test('is never one that was withdrawn while the place was being taken', async () => {
    for (let nth = 0; nth < 20; nth += 1) {
      await using lesson = await openVoiceLesson({ llm, avatarId });
      await toAvatar(lesson.handle, lin, ...madeReady);
      const connecting = lesson.connect();
      for (let turns = 0; turns < nth; turns += 1) await Promise.resolve();
      await toAvatar(lesson.handle, lin, { type: 'RevokeAvatar', reason: 'other' });
      await connecting;
      const worn = () => [
        ...faces(lesson.plane.opened),
        ...lesson.plane.orders.flatMap((order) => (order.type === 'wear' ? [order.face] : [])),
      ];
      await expect.poll(() => worn().at(-1), { interval: 1 }).toEqual(drawn);
    }
  });
});

describe('places', () => {
  test('that are all taken are refused at once, with when to try again, and nobody inside is disturbed', async () => {
    await using lesson = await openVoiceLesson({ llm });
    await lesson.connect();
    lesson.plane.maxSessions = 1;
    expect(await lesson.media.config(tenantId, lesson.sessionId)).not.toHaveProperty('refused');
    await using other = await openVoiceLesson({ llm });
    other.plane.maxSessions = 1;
    other.plane.open({ sessionId: lesson.sessionId, locale: 'en', voice: null, face: drawn });
    for (const outcome of [
      await other.media.config(tenantId, other.sessionId),
      await other.media.negotiate(tenantId, { sessionId: other.sessionId, peerId: randomUUID(), offer: 'v=0' }),
      await other.media.appendAudio(tenantId, other.sessionId, new Uint8Array(2)),
    ]) {
      expect(outcome).toMatchObject({ refused: { code: 'capacity_exceeded', retryAfterMs: expect.any(Number) } });
    }
  });

  test('that nobody connects to, speaks into or listens at are given back', async () => {
    await using lesson = await openVoiceLesson({ llm });
    vi.useFakeTimers({ toFake: ['Date'] });
    await lesson.media.appendAudio(tenantId, lesson.sessionId, new Uint8Array(3_200));
    vi.setSystemTime(Date.now() + 29_000);
    lesson.media.sweep();
    expect(lesson.plane.isOpen(lesson.sessionId)).toBe(true);
    vi.setSystemTime(Date.now() + 2_000);
    lesson.media.sweep();
    expect(lesson.plane.isOpen(lesson.sessionId)).toBe(false);
    await lesson.connect();
    vi.setSystemTime(Date.now() + 3_600_000);
    lesson.media.sweep();
    expect(lesson.plane.isOpen(lesson.sessionId)).toBe(true);
  });

  test('of sessions that are over, or of another tenant, are not to be had', async () => {
    await using lesson = await openVoiceLesson({ llm });
    await lesson.lessons.end(lesson.sessionId, 'student', student);
    expect(await lesson.media.config(tenantId, lesson.sessionId)).toMatchObject({ refused: { code: 'session_ended' } });
    expect(await lesson.media.appendAudio(tenantId, lesson.sessionId, new Uint8Array(2))).toMatchObject({
      refused: { code: 'session_ended' },
    });
  });
});

describe('speech for a client without WebRTC', () => {
  test('is made while somebody listens, and the reply is then spoken', async () => {
    await using lesson = await openVoiceLesson({ llm });
    const stop = new AbortController();
    const reader = lesson.media.media(tenantId, lesson.sessionId, stop.signal);
    const first = take(reader, 1);
    await expect.poll(() => lesson.plane.orders).toEqual([{ type: 'stream', sessionId: lesson.sessionId, on: true }]);
    const visemes = [{ viseme: 'aa', startMs: 0, endMs: 40 }];
    lesson.plane.tell({
      type: 'chunk',
      sessionId: lesson.sessionId,
      chunk: { turnId, index: 0, atMs: 0, packets: [new Uint8Array([1, 2, 3])], visemes },
    });
    const chunk: MediaChunk = { turnId, index: 0, atMs: 0, packets: ['AQID'], visemes };
    expect(await first).toEqual([chunk]);
    const asked = await lesson.ask('Why?');
    await expect.poll(() => lesson.plane.said(asked)).toEqual(['Hello there. ']);
    const end = take(reader, 1);
    stop.abort();
    expect(await end).toEqual([]);
    expect(lesson.plane.orders.at(-1)).toMatchObject({ type: 'close' });
  });

  test('goes on after a worker crashed', async () => {
    await using lesson = await openVoiceLesson({ llm });
    const reader = lesson.media.media(tenantId, lesson.sessionId, new AbortController().signal);
    const first = take(reader, 1);
    await expect.poll(() => lesson.plane.orders.length).toBe(1);
    lesson.plane.crash();
    lesson.media.sweep();
    await expect.poll(() => lesson.plane.isOpen(lesson.sessionId)).toBe(true);
    const chunk = { turnId, index: 0, atMs: 0, packets: [], visemes: [] };
    lesson.plane.tell({ type: 'chunk', sessionId: lesson.sessionId, chunk });
    expect(await first).toEqual([chunk]);
  });
});

describe('what the student says', () => {
  test('is one message, however often the worker tells it', async () => {
    await using lesson = await openVoiceLesson({ llm });
    await lesson.connect();
    const utteranceId = randomUUID();
    for (let nth = 0; nth < 3; nth += 1) lesson.plane.utter(lesson.sessionId, { utteranceId, text: ' Why? ' });
    await lesson.until((all) => all.some(({ type }) => type === 'SentenceGenerated'));
    const received = (await lesson.events()).filter(({ type }) => type === 'MessageReceived');
    expect(received).toMatchObject([{ payload: { clientMessageId: utteranceId, modality: 'voice' }, personal: { text: 'Why?' } }]);
  });

  test('with nothing in it is nothing', async () => {
    await using lesson = await openVoiceLesson({ llm });
    await lesson.connect();
    lesson.plane.utter(lesson.sessionId, { utteranceId: randomUUID(), text: '  ' });
    lesson.plane.utter(lesson.sessionId, { utteranceId: randomUUID(), text: 'Why?' });
    const events = await lesson.until((all) => all.some(({ type }) => type === 'MessageReceived'));
    expect(events.filter(({ type }) => type === 'MessageReceived')).toHaveLength(1);
  });

  test('goes with its microphone audio and the end of it to the worker, unchanged', async () => {
    await using lesson = await openVoiceLesson({ llm });
    const pcm = new Uint8Array([1, 2, 3, 4]);
    expect(await lesson.media.appendAudio(tenantId, lesson.sessionId, pcm)).toEqual({});
    lesson.media.commitAudio(lesson.sessionId);
    const { sessionId } = lesson;
    expect(lesson.plane.orders).toEqual([
      { type: 'appendAudio', sessionId, pcm },
      { type: 'commitAudio', sessionId },
    ]);
  });

  test('a message sent again does not silence the reply to a later one', async () => {
    await using lesson = await openVoiceLesson({ llm });
    await lesson.connect();
    const clientMessageId = randomUUID();
    const message = { clientMessageId, text: 'First?', spoken: null };
    await lesson.lessons.receive(lesson.sessionId, message, student);
    await lesson.until((all) => all.some(({ type }) => type === 'SentenceGenerated'));
    const second = await lesson.ask('Second?');
    await expect.poll(() => lesson.plane.said(second)).toEqual(['Hello there. ']);
    await lesson.lessons.receive(lesson.sessionId, message, student);
    expect(lesson.plane.play(lesson.sessionId, 100)).toBe('Hello there. '.length);
    const events = await lesson.until((all) => all.some(({ type }) => type === 'ReplyCompleted'));
    expect(events.filter(({ type }) => type === 'ReplyInterrupted')).toHaveLength(1);
  });
});

test('what works in the language of the lesson is told, and what to install where it does not', async () => {
  await using lesson = await openVoiceLesson({ llm });
  expect(await lesson.media.config(tenantId, lesson.sessionId)).toMatchObject({
    iceTransportPolicy: 'relay',
    voice: { speaks: true, listens: true, face: true, missing: [] },
  });
  lesson.plane.components = lesson.plane.components.map((one) =>
    one.name === 'speech recognition (en)' ? { ...one, status: 'down' } : one,
  );
  expect(await lesson.media.config(tenantId, lesson.sessionId)).toMatchObject({
    voice: { speaks: true, listens: false, missing: ['speech_recognition'] },
  });
});

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { nextTurn, openScriptedSession, second, settle, turnId } from './scripted-live-session.ts';

describe('a live session', () => {
  let live: ReturnType<typeof openScriptedSession>;

  beforeEach(() => {
    live = openScriptedSession();
  });
  afterEach(() => live.session.close());

  test('speaks its sentences in order and says what was heard of them', async () => {
    await live.connect();
    await live.tell(0, 'word word');
    await live.tell(1, 'word');
    await live.run(4 * second);
    expect(live.of('heard').map(({ index, durationMs }) => ({ index, durationMs }))).toEqual([
      { index: 0, durationMs: 2_000 },
      { index: 1, durationMs: 1_000 },
    ]);
    expect(live.of('firstAudio')).toHaveLength(1);
    expect(live.of('firstFrame')).toHaveLength(1);
    expect(live.signals().filter(({ type }) => type === 'speech' || type === 'silent')).toMatchObject([
      { type: 'speech', index: 0, fromMs: 0 },
      { type: 'speech', index: 1, fromMs: 0 },
      { type: 'silent', reason: 'finished' },
    ]);
  });

  test('stops at once and for good, and knows the words that were heard', async () => {
    const peer = await live.connect();
    await live.tell(0, 'word word word word');
    await live.run(2.5 * second);
    expect(live.session.stop(turnId)).toMatchObject({ index: 0, chars: 9 });
    const before = peer.sounds.length;
    await live.run(3 * second);
    // The cut fades out in one packet.
    expect(peer.sounds.length - before).toBeLessThanOrEqual(1);
  });

  test('does not speak the sentence that was being synthesised when its turn was stopped', async () => {
    const peer = await live.connect();
    live.session.say({ turnId, index: 0, text: 'word', language: 'en' });
    live.session.stop(turnId);
    await settle();
    await live.run(second);
    expect(peer.sounds).toEqual([]);
  });

  test('does not speak sentences of a stopped turn that were on their way', async () => {
    const peer = await live.connect();
    await live.tell(0, 'word');
    await live.run(10);
    live.session.stop(turnId);
    await live.tell(1, 'word word');
    await live.run(1);
    const before = peer.sounds.length;
    await live.run(2 * second);
    expect(peer.sounds.length).toBe(before);
    await live.tell(0, 'word', nextTurn);
    await live.run(2 * second);
    expect(peer.sounds.length).toBeGreaterThan(before + 40);
  });

  test('is held by a voice, goes on after a false alarm, and yields to a real one', async () => {
    const peer = await live.connect();
    await live.tell(0, 'word word word word');
    await live.run(1.5 * second);
    live.ear.onEvent({ type: 'hold' });
    await live.run(1);
    const held = peer.sounds.length;
    await live.run(second);
    expect(peer.sounds.length).toBe(held);
    live.ear.onEvent({ type: 'release' });
    await live.run(second);
    expect(peer.sounds.length).toBeGreaterThan(held + 40);
    live.ear.onEvent({ type: 'hold' });
    live.ear.onEvent({ type: 'takeFloor' });
    await live.run(1);
    const yielded = peer.sounds.length;
    await live.run(2 * second);
    expect(peer.sounds.length).toBe(yielded);
    expect(live.of('bargeIn')).toMatchObject([{ turnId, index: 0 }]);
    expect(live.signals().map(({ type }) => type)).toEqual(['speech', 'paused', 'speech', 'paused', 'silent']);
    await live.tell(0, 'word', nextTurn);
    await live.run(second);
    expect(live.of('firstAudio').map((fact) => fact.turnId)).toEqual([turnId, nextTurn]);
  });

  test('leaves a sentence that cannot be spoken to the eyes', async () => {
    await live.connect();
    live.say.fails = true;
    await live.tell(0, 'word');
    expect(live.of('unspoken')).toMatchObject([{ index: 0, code: 'crashed' }]);
  });

  test('goes on in writing while no voice works, and speaks again when one does', async () => {
    await live.connect();
    live.say.fails = true;
    await live.tell(0, 'word');
    await live.tell(1, 'word');
    await live.run(6 * second);
    expect(live.of('quality').at(-1)).toMatchObject({ to: 'text', reason: 'speech_failed' });
    live.say.fails = false;
    await live.run(6 * second);
    expect(live.of('quality').at(-1)).toMatchObject({ to: 'video', reason: 'recovered' });
    await live.tell(0, 'word', nextTurn);
    await live.run(2 * second);
    expect(live.of('heard')).toHaveLength(1);
  });

  test('streams speech as chunks to a client without WebRTC', async () => {
    live.session.stream(true);
    await live.tell(0, 'word');
    await live.run(2 * second);
    expect(live.of('quality')).toMatchObject([{ to: 'voice', reason: 'connected' }]);
    const chunks = live.of('chunk').map(({ chunk }) => chunk);
    expect(chunks.flatMap(({ packets }) => packets)).toHaveLength(second);
    expect(chunks.map(({ atMs }) => atMs)).toEqual([0, 100, 200, 300, 400, 500, 600, 700, 800, 900]);
    expect(chunks[0]?.visemes).toHaveLength(1);
    expect(live.of('heard')).toHaveLength(1);
  });
});

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openScriptedSession, second } from './scripted-live-session.ts';

describe('the connections of a live session', () => {
  let live: ReturnType<typeof openScriptedSession>;

  beforeEach(() => {
    live = openScriptedSession();
  });
  afterEach(() => live.session.close());

  test('waits for a browser that is asleep, and counts nothing as heard meanwhile', async () => {
    const peer = await live.connect();
    await live.run(second);
    peer.awake = false;
    await live.tell(0, 'word word word word word word word word word word');
    await live.run(20 * second);
    expect(live.of('heard')).toEqual([]);
    peer.awake = true;
    await live.run(20 * second);
    expect(live.of('heard')).toMatchObject([{ index: 0 }]);
  });

  test('does not wait for a browser whose reports are rare', async () => {
    const peer = await live.connect();
    await live.run(second);
    peer.awake = false;
    peer.reportsWithinMs = 7_500;
    await live.tell(0, 'word word word word word word word word word word word word');
    const soundsWithin = async (ms: number) => {
      const before = peer.sounds.length;
      await live.run(ms);
      return peer.sounds.length - before;
    };
    await live.run(6 * second);
    expect(await soundsWithin(2 * second)).toBe(100);
    await live.run(3 * second);
    expect(await soundsWithin(2 * second)).toBeLessThan(20);
  });

  test('waits through a gap in the connection and goes on', async () => {
    const peer = await live.connect();
    await live.tell(0, 'word word');
    await live.run(0.5 * second);
    peer.become('disconnected');
    await live.run(5 * second);
    expect(live.of('heard')).toEqual([]);
    peer.become('connected');
    await live.run(3 * second);
    expect(live.of('heard')).toHaveLength(1);
    expect(live.of('disconnected')).toEqual([]);
  });

  test('gives a tab up that stays away, and falls back to text', async () => {
    const peer = await live.connect();
    await live.tell(0, 'word word');
    peer.become('disconnected');
    await live.run(31 * second);
    expect(live.of('disconnected')).toMatchObject([{ reason: 'lost' }]);
    expect(live.of('quality').at(-1)).toMatchObject({ to: 'text', reason: 'connection_lost' });
    expect(peer.state).toBe('closed');
  });

  test('lets a newer connection take the place of the one before', async () => {
    const first = await live.connect();
    await live.tell(0, 'word word');
    await live.run(0.5 * second);
    const newer = await live.connect('00000000-0000-4000-8000-0000000000bb');
    await live.run(3 * second);
    expect(first.state).toBe('closed');
    expect(newer.sounds.length).toBeGreaterThan(second);
    expect(live.of('disconnected')).toMatchObject([{ reason: 'replaced' }]);
    expect(live.of('heard')).toHaveLength(1);
    expect(live.of('quality')).toHaveLength(1);
  });
});

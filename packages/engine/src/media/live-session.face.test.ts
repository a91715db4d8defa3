import { AvatarId } from '@virtual-tutor/schemas';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Face } from './protocol.ts';
import { named, nextTurn, openScriptedSession, second, settle } from './scripted-live-session.ts';

describe('the face of a live session', () => {
  let live: ReturnType<typeof openScriptedSession>;

  beforeEach(() => {
    live = openScriptedSession();
  });
  afterEach(() => live.session.close());

  test('moves the mouth while it speaks and only then', async () => {
    const peer = await live.connect();
    await live.run(second);
    expect(live.face.moved).toBe(0);
    await live.tell(0, 'word');
    await live.run(3 * second);
    expect(live.face.moved).toBe(25);
    expect(peer.frames).toHaveLength(100);
  });

  test('goes on as a voice when the face fails, and shows it again later', async () => {
    const peer = await live.connect();
    live.face.fails = true;
    await live.tell(0, 'word');
    await live.run(2 * second);
    expect(live.of('heard')).toHaveLength(1);
    expect(peer.sounds.length).toBeGreaterThanOrEqual(second);
    live.face.fails = false;
    await live.run(30 * second);
    await live.tell(0, 'word', nextTurn);
    await live.run(2 * second);
    expect(live.of('quality').map(({ to, reason }) => ({ to, reason }))).toEqual([
      { to: 'video', reason: 'connected' },
      { to: 'voice', reason: 'renderer_failed' },
      { to: 'video', reason: 'recovered' },
    ]);
    expect(live.face.moved).toBeGreaterThan(20);
  });
});

describe('a filmed face', () => {
  const [lin, wang] = ['0193c5a0-0000-7000-8000-00000000000a', '0193c5a0-0000-7000-8000-00000000000b'].map((id) => AvatarId.parse(id));
  if (lin === undefined || wang === undefined) throw new Error('there are two avatars');
  const filmed = (avatarId: AvatarId): Face => ({ kind: 'filmed', avatarId, character: 'ada' });
  const drawn: Face = { kind: 'drawn', character: 'ada' };

  test('is worn from the opening on, shown once it is loaded, and let go at the end', async () => {
    const live = openScriptedSession(filmed(lin));
    expect(live.wardrobe.worn.get(lin)).toBe(1);
    const peer = await live.connect();
    await live.run(4);
    live.wardrobe.load(lin);
    await live.run(4);
    expect(peer.frames.map(named)).toEqual(['ada rests*', 'ada rests', `${lin} rests*`, `${lin} rests`]);
    await live.session.close();
    expect(live.wardrobe.worn.get(lin)).toBe(0);
    expect(live.wardrobe.streams.every(({ disposed }) => disposed)).toBe(true);
  });

  test('is exchanged in the middle of a sentence, with a key frame; voice, mouth and network go on', async () => {
    const live = openScriptedSession(filmed(lin));
    live.wardrobe.load(lin);
    const peer = await live.connect();
    peer.events.onBandwidth(250_000);
    await live.tell(0, 'word word');
    await live.run(second);
    live.session.wear(drawn);
    const before = { frames: peer.frames.length, sounds: peer.sounds.length };
    await live.run(second);
    expect(peer.frames.slice(before.frames, before.frames + 2).map(named)).toEqual(['ada speaks*', 'ada speaks']);
    expect(peer.frames.slice(before.frames).some((frame) => named(frame).startsWith(lin))).toBe(false);
    expect(peer.sounds.length - before.sounds).toBe(second);
    expect(live.wardrobe.streams.at(-1)?.bps).toBe(200_000);
    expect(live.of('quality').map(({ to }) => to)).toEqual(['video']);
    expect(live.of('firstFrame')).toHaveLength(1);
    expect(live.wardrobe.worn.get(lin)).toBe(0);
    await live.session.close();
  });

  test('that is exchanged while a frame of it is on its way sends no more frame, and the next one waits for nothing', async () => {
    const live = openScriptedSession(filmed(lin));
    live.wardrobe.load(lin);
    const peer = await live.connect();
    await live.run(4);
    const arrives = Promise.withResolvers<void>();
    live.wardrobe.late = arrives.promise;
    await live.run(2);
    live.session.wear(drawn);
    live.wardrobe.late = null;
    const before = peer.frames.length;
    await live.run(2);
    arrives.resolve();
    await settle();
    expect(peer.frames.slice(before).map(named)).toEqual(['ada rests*']);
    await live.session.close();
  });

  test('that is exchanged before it was loaded is not shown when it is', async () => {
    const live = openScriptedSession(filmed(lin));
    const peer = await live.connect();
    await live.run(2);
    live.session.wear(filmed(wang));
    live.wardrobe.load(lin);
    live.wardrobe.load(wang);
    await live.run(4);
    expect(peer.frames.map(named)).toEqual(['ada rests*', `${wang} rests*`, `${wang} rests`]);
    await live.session.close();
  });

  test('that is exchanged while it rests goes on resting', async () => {
    const live = openScriptedSession(filmed(lin));
    live.wardrobe.load(lin);
    const peer = await live.connect();
    live.face.fails = true;
    await live.tell(0, 'word');
    await live.run(2 * second);
    live.face.fails = false;
    live.session.wear(drawn);
    await live.tell(0, 'word', nextTurn);
    const before = peer.frames.length;
    await live.run(second);
    expect(new Set(peer.frames.slice(before).map(named))).toEqual(new Set(['ada rests*', 'ada rests']));
    expect(live.of('quality').map(({ to }) => to)).toEqual(['video', 'voice']);
    await live.session.close();
  });

  test('that is exchanged while nobody is connected is what the next connection shows', async () => {
    const live = openScriptedSession(filmed(lin));
    live.wardrobe.load(lin);
    live.session.wear(drawn);
    const peer = await live.connect();
    await live.run(2);
    expect(peer.frames.map(named)).toEqual(['ada rests*']);
    await live.session.close();
  });
});

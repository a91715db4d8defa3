import { expect, test, vi } from 'vitest';
import { completed, turnNumber } from '../support/scripted-engine.ts';
import { addedUp, allOf, connect, eventOf, replyHalf, sentences, startEngine } from '../support/scripted-tutor.ts';

test.each([
  [1001, 'the engine is going away', 'unavailable'],
  [1009, 'a frame was too large', 'payload_too_large'],
  [1012, 'a proxy restarts', 'unavailable'],
  [4408, 'the reader was too slow', 'unavailable'],
])('a socket closed with %i, %s, is replaced in the middle of the reply', async (closeCode, _meaning, code) => {
  await using engine = await startEngine();
  replyHalf(engine);
  await using session = await connect(engine);
  const losses: unknown[] = [];
  session.on('state', ({ state, error }) => {
    if (state === 'reconnecting') losses.push(error?.code);
  });
  const turn = session.chat.send('Why?');
  const reading = allOf(turn);
  await eventOf(session, 'text');
  engine.closeSockets(closeCode);
  await vi.waitFor(() => expect(engine.connections).toBe(2));
  const { lesson } = engine.script;
  lesson.append({ type: 'sentence', turnId: turnNumber(0), index: 0, text: sentences[0] ?? '', citations: [] });
  lesson.append(completed(turnNumber(0), 1));
  expect(addedUp(await reading)).toEqual({ text: sentences[0], rewrites: 0 });
  expect(losses).toEqual([code]);
});

test('a socket closed with 4410 is not replaced', async () => {
  await using engine = await startEngine();
  const session = await connect(engine);
  const closed = new Promise((resolve) => session.on('state', ({ state, error }) => state === 'closed' && resolve(error)));
  engine.closeSockets(4410);
  expect(await closed).toMatchObject({ code: 'session_ended' });
  expect(engine.connections).toBe(1);
});

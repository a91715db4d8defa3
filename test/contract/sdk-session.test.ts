import { getEventListeners } from 'node:events';
import { expect, test, vi } from 'vitest';
import { TutorError } from '../../packages/sdk/src/errors.ts';
import { opening, sessionId, turnNumber } from '../support/scripted-engine.ts';
import { addedUp, allOf, connect, eventOf, replyHalf, replyInPieces, startEngine, wholeReply } from '../support/scripted-tutor.ts';

for (const transport of ['ws', 'sse'] as const) {
  test(`a message sent over ${transport} is answered piece by piece, and the view says the same`, async () => {
    await using engine = await startEngine();
    replyInPieces(engine);
    await using session = await connect(engine, { transport });
    expect(session.state).toBe('connected');
    expect(session.view).toMatchObject({ tutorName: 'Newton', greeting: 'Hello!', caughtUp: true });
    const events = await allOf(session.chat.send('Why is the sky blue?'));
    expect(addedUp(events)).toEqual({ text: wholeReply, rewrites: 0 });
    expect(events.filter(({ type }) => type === 'text').length).toBeGreaterThan(3);
    expect(events.at(-1)).toMatchObject({ type: 'done', reason: 'completed', reply: wholeReply });
    expect(session.view.turns).toMatchObject([{ message: 'Why is the sky blue?', status: 'completed', reply: wholeReply }]);
  });

  test(`nothing is left of a session closed over ${transport}: no timer, no socket, no subscription`, async () => {
    await using engine = await startEngine();
    const before = process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const session = await connect(engine, { transport });
    replyHalf(engine);
    session.chat.send('Why?');
    await eventOf(session, 'text');
    await session.close();
    await session.close();
    expect(session.state).toBe('closed');
    expect(process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length).toBeLessThanOrEqual(before);
    await vi.waitFor(() => expect(engine.script.openFeeds).toBe(0));
    await vi.waitFor(() => expect(engine.openSockets).toBe(0));
  });
}

test('the reply can be read late, and as one text', async () => {
  await using engine = await startEngine();
  replyInPieces(engine);
  await using session = await connect(engine);
  const turn = session.chat.send('Why?');
  expect(await turn.id).toBe(turnNumber(0));
  expect(await turn.text()).toBe(wholeReply);
  expect(addedUp(await allOf(turn))).toEqual({ text: wholeReply, rewrites: 0 });
});

test('a reader who lags gets deltas joined and loses nothing', async () => {
  await using engine = await startEngine();
  replyInPieces(engine, 1);
  await using session = await connect(engine);
  const reading = session.events()[Symbol.asyncIterator]();
  const first = reading.next();
  const turn = session.chat.send('Why?');
  const events = [(await first).value].filter((event) => event !== undefined);
  await turn.text();
  while (events.at(-1)?.type !== 'done') {
    const { value } = await reading.next();
    if (value !== undefined) events.push(value);
  }
  expect(addedUp(events)).toEqual({ text: wholeReply, rewrites: 0 });
  expect(events.filter(({ type }) => type === 'text').length).toBeLessThanOrEqual(6);
});

test('leaving the loop interrupts the tutor', async () => {
  await using engine = await startEngine();
  replyHalf(engine);
  await using session = await connect(engine);
  for await (const event of session.chat.send('Why?')) if (event.type === 'text') break;
  await vi.waitFor(() => expect(session.view.turns[0]?.status).toBe('interrupted'));
  expect(engine.script.interrupts).toEqual([turnNumber(0)]);
});

test('a cancelled turn resolves when the log says so and keeps what was heard', async () => {
  await using engine = await startEngine();
  replyHalf(engine);
  await using session = await connect(engine);
  const turn = session.chat.send('Why?');
  await eventOf(session, 'text');
  await turn.cancel();
  expect(session.view.turns[0]).toMatchObject({ status: 'interrupted', reply: 'The sky is' });
  expect(await turn.text()).toBe('The sky is');
  await turn.cancel();
  expect(engine.script.interrupts).toHaveLength(1);
});

test('interrupting silence is refused by its code', async () => {
  await using engine = await startEngine();
  await using session = await connect(engine);
  await expect(session.interrupt()).rejects.toMatchObject({ code: 'nothing_to_interrupt', requestId: 'scripted' });
});

test('an abort before sending sends nothing', async () => {
  await using engine = await startEngine();
  await using session = await connect(engine);
  const turn = session.chat.send('Why?', { signal: AbortSignal.abort() });
  await expect(turn.text()).rejects.toMatchObject({ code: 'aborted' });
  await expect(turn.id).rejects.toMatchObject({ code: 'aborted' });
  expect(engine.script.sent).toEqual([]);
});

test('an abort during the reply stops reading at once and interrupts the tutor', async () => {
  await using engine = await startEngine();
  replyHalf(engine);
  await using session = await connect(engine);
  const controller = new AbortController();
  const turn = session.chat.send('Why?', { signal: controller.signal });
  const reading = allOf(turn);
  await eventOf(session, 'text');
  controller.abort();
  await expect(reading).rejects.toMatchObject({ code: 'aborted' });
  await vi.waitFor(() => expect(session.view.turns[0]?.status).toBe('interrupted'));
  expect(engine.script.interrupts).toEqual([turnNumber(0)]);
});

test('a signal of a finished turn is let go', async () => {
  await using engine = await startEngine();
  replyInPieces(engine);
  await using session = await connect(engine);
  const { signal } = new AbortController();
  await session.chat.send('Why?', { signal }).text();
  await vi.waitFor(() => expect(getEventListeners(signal, 'abort')).toEqual([]));
});

test('commands go one after the other, in the order they were given', async () => {
  await using engine = await startEngine();
  await using session = await connect(engine);
  const gate = Promise.withResolvers<void>();
  engine.script.gates.push(gate.promise);
  const turns = ['one', 'two', 'three'].map((text) => session.chat.send(text));
  await vi.waitFor(() => expect(engine.script.arrived).not.toEqual([]));
  // A round trip of another call: whatever was on its way has arrived.
  await (await connect(engine)).close();
  expect(engine.script.arrived).toEqual(['one']);
  gate.resolve();
  await Promise.all(turns.map(({ id }) => id));
  expect(engine.script.sent.map(({ text }) => text)).toEqual(['one', 'two', 'three']);
});

test('a refusal that may pass is tried again with the same id, another one is not', async () => {
  await using engine = await startEngine();
  engine.script.nextSends.push('rate_limited', 'unavailable');
  await using session = await connect(engine);
  const turn = session.chat.send('Why?');
  expect(await turn.id).toBe(turnNumber(0));
  expect(engine.script.sent).toHaveLength(1);
  engine.script.nextSends.push('student_forgotten');
  const errors: string[] = [];
  session.on('error', ({ code }) => errors.push(code));
  const refused = session.chat.send('Again?');
  await expect(refused.id).rejects.toMatchObject({ code: 'student_forgotten', retryable: false });
  await expect(refused.text()).rejects.toMatchObject({ code: 'student_forgotten' });
  await expect(allOf(refused)).rejects.toMatchObject({ code: 'student_forgotten' });
  expect(errors).toEqual(['student_forgotten']);
});

for (const [name, text] of [
  ['nothing', ' \n'],
  ['more than the engine takes', 'a'.repeat(4_001)],
] as const) {
  test(`a message of ${name} is refused before it costs the connection`, async () => {
    await using engine = await startEngine();
    await using session = await connect(engine);
    await expect(session.chat.send(text).id).rejects.toMatchObject({ code: 'invalid_input' });
    expect(session.state).toBe('connected');
    expect(engine.script.sent).toEqual([]);
  });
}

test('a failed reply fails its text by the code in the log', async () => {
  await using engine = await startEngine();
  engine.script.onSend = (turnId, message) => {
    replyHalf(engine);
    engine.script.onSend(turnId, message);
    engine.script.lesson.append({ type: 'replyFailed', turnId, code: 'model_unavailable', retryable: true });
  };
  await using session = await connect(engine);
  const turn = session.chat.send('Why?');
  await expect(turn.text()).rejects.toSatisfy((error) => TutorError.is(error) && error.code === 'model_unavailable' && error.retryable);
  expect((await allOf(turn)).at(-1)).toMatchObject({ type: 'done', reason: 'failed', failure: { code: 'model_unavailable' } });
});

test('a listener that throws is reported and disturbs nobody', async () => {
  await using engine = await startEngine();
  replyInPieces(engine);
  await using session = await connect(engine);
  const errors: unknown[] = [];
  const told: string[] = [];
  session.on('turn', () => {
    throw new Error('broken listener');
  });
  session.on('turn', ({ type }) => told.push(type));
  session.on('error', (error) => {
    errors.push(error.cause);
    throw new Error('broken, too');
  });
  await session.chat.send('Why?').text();
  expect(told).toContain('done');
  expect(errors[0]).toMatchObject({ message: 'broken listener' });
});

test('the view is told of in batches and is the same object until it changes', async () => {
  await using engine = await startEngine();
  replyInPieces(engine, 1);
  await using session = await connect(engine);
  const views: unknown[] = [];
  const listening = new AbortController();
  session.on('view', (view) => views.push(view), { signal: listening.signal });
  await session.chat.send('Why?').text();
  await vi.waitFor(() => expect(views.at(-1)).toBe(session.view));
  expect(session.view).toBe(session.view);
  expect(views.length).toBeLessThan(wholeReply.length);
  listening.abort();
  const count = views.length;
  await session.chat.send('And?').text();
  expect(views).toHaveLength(count);
});

test('a session that ends is told of, closes by itself without an error and takes no more messages', async () => {
  await using engine = await startEngine();
  replyHalf(engine);
  await using session = await connect(engine);
  const turn = session.chat.send('Why?');
  await turn.id;
  const closed = new Promise((resolve) => session.on('state', resolve));
  const ended = new Promise((resolve) => session.on('ended', resolve));
  engine.script.lesson.append({ type: 'sessionEnded', reason: 'operator' });
  expect(await ended).toEqual({ reason: 'operator' });
  expect(await closed).toEqual({ state: 'closed' });
  expect(session.view.ended).toBe('operator');
  await expect(turn.text()).rejects.toMatchObject({ code: 'session_ended' });
  await expect(session.chat.send('More?').id).rejects.toMatchObject({ code: 'session_ended' });
});

test('an ended session can still be opened and read', async () => {
  await using engine = await startEngine();
  engine.script.lesson.append({ type: 'sessionEnded', reason: 'idle' });
  await using session = await connect(engine);
  expect(session.view).toMatchObject({ tutorName: 'Newton', ended: 'idle', caughtUp: true });
});

test('a page that kept the view goes on from its resume point; one that kept too old a point starts over', async () => {
  await using engine = await startEngine();
  replyHalf(engine);
  const first = await connect(engine);
  first.chat.send('Why?');
  await eventOf(first, 'text');
  await vi.waitFor(() => expect(first.view.turns[0]?.reply).toBe('The sky is'));
  const { lastEventId = '', view } = first;
  await first.close();
  await using second = await connect(engine, { resume: { lastEventId, view } });
  expect(second.view).toEqual({ ...view });
  expect(engine.script.resumed.at(-1)).toBe(lastEventId);
  engine.script.nextSubscriptions.push('resume_expired');
  await using third = await connect(engine, { resume: { lastEventId: '999.0', view: { ...view, tutorName: 'of another log' } } });
  expect(third.view).toEqual(view);
  await expect(connect(engine, { resume: { lastEventId: 'nonsense', view } })).rejects.toMatchObject({ code: 'invalid_input' });
});

test('items of a newer engine, repeated items and items of unknown turns change nothing', async () => {
  await using engine = await startEngine();
  replyInPieces(engine);
  await using session = await connect(engine);
  const { lesson } = engine.script;
  lesson.appendRaw({ type: 'blackboard', drawing: 'a circle' });
  lesson.append(opening);
  lesson.append({ type: 'sentence', turnId: turnNumber(77), index: 0, text: 'lost', citations: [] });
  expect(await session.chat.send('Why?').text()).toBe(wholeReply);
  expect(session.view.turns).toHaveLength(1);
});

test('connecting stops at its signal, and refuses what cannot work', async () => {
  await using engine = await startEngine();
  const stalled = new AbortController();
  const connecting = connect(engine, { signal: stalled.signal, token: () => new Promise<string>(() => {}) });
  stalled.abort();
  await expect(connecting).rejects.toMatchObject({ code: 'aborted' });
  await expect(connect(engine, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'aborted' });
  await expect(connect({ url: 'mailto:engine' })).rejects.toMatchObject({ code: 'invalid_input' });
  await expect(connect(engine, { token: 'vt_key_secret' })).rejects.toMatchObject({ code: 'forbidden' });
  await expect(connect(engine, { token: async () => 'vt_key_secret' })).rejects.toMatchObject({ code: 'forbidden' });
  expect(engine.script.tokensSeen).toEqual([]);
});

test('close() waits until the socket is closed', async () => {
  await using engine = await startEngine();
  const sockets: WebSocket[] = [];
  class Recorded extends WebSocket {
    constructor(url: string | URL) {
      super(url);
      sockets.push(this);
    }
  }
  const session = await connect(engine, { WebSocket: Recorded });
  await session.close();
  expect(sockets.map(({ readyState }) => readyState)).toEqual([WebSocket.CLOSED]);
});

test('a session stops at the signal that it was connected with', async () => {
  await using engine = await startEngine();
  const controller = new AbortController();
  const session = await connect(engine, { signal: controller.signal });
  controller.abort();
  expect(session.state).toBe('closed');
  await vi.waitFor(() => expect(engine.openSockets).toBe(0));
  expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  expect(session.id).toBe(sessionId);
});

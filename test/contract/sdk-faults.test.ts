import { expect, test, vi } from 'vitest';
import type { ConnectionState, SessionEvents, TutorSession } from '../../packages/sdk/src/contract.ts';
import { FaultyProxy } from '../support/faulty-proxy.ts';
import { completed, question, turnNumber } from '../support/scripted-engine.ts';
import {
  addedUp,
  allOf,
  connect,
  eventOf,
  replyHalf,
  replyInPieces,
  sentences,
  startEngine,
  wholeReply,
} from '../support/scripted-tutor.ts';

function statesOf(session: TutorSession): ConnectionState[] {
  const states: ConnectionState[] = [];
  session.on('state', ({ state }) => states.push(state));
  return states;
}

test('a socket cut after any one item of a reply loses, repeats and reorders nothing (invariant 17)', async () => {
  let uncut = 0;
  for (let cutAfter = 1; cutAfter <= 40; cutAfter += 1) {
    await using engine = await startEngine();
    replyInPieces(engine);
    await using session = await connect(engine);
    engine.script.cutAfter.add(engine.script.itemsSent + cutAfter);
    const events = await allOf(session.chat.send('Why?'));
    expect(addedUp(events), `cut after item ${cutAfter}`).toEqual({ text: wholeReply, rewrites: 0 });
    expect(events.filter(({ type }) => type === 'sentence').map((event) => 'index' in event && event.index)).toEqual([0, 1, 2]);
    expect(events.filter(({ type }) => type === 'done')).toHaveLength(1);
    if (engine.script.resumed.length === 1) uncut += 1;
  }
  expect(uncut, 'most cuts fell into the reply').toBeLessThan(20);
});

for (const transport of ['ws', 'sse'] as const) {
  test(`twenty cuts during one reply over ${transport}: nothing lost, repeated or rewritten, and the turn goes on (invariant 17)`, async () => {
    await using engine = await startEngine();
    const { lesson } = engine.script;
    engine.script.onSend = (turnId, message) => {
      for (const item of question(turnId, message)) lesson.append(item);
    };
    await using session = await connect(engine, { transport });
    const resumed: SessionEvents['resumed'][] = [];
    session.on('resumed', (event) => resumed.push(event));
    const turn = session.chat.send('Why?');
    const reading = allOf(turn);
    await turn.id;
    const pieces = sentences.flatMap((text, index) => text.match(/.{1,4}/gsu)?.map((piece) => ({ index, piece })) ?? []);
    for (const [at, { index, piece }] of pieces.entries()) {
      const shown = eventOf(session, 'text');
      lesson.piece(index, piece);
      await shown;
      if (at < 20) {
        const back = new Promise((resolve) => session.on('resumed', resolve));
        engine.cut();
        await back;
      }
      if (pieces[at + 1]?.index !== index) {
        lesson.append({ type: 'sentence', turnId: turnNumber(0), index, text: sentences[index] ?? '', citations: [] });
      }
    }
    lesson.append(completed(turnNumber(0), sentences.length));
    expect(addedUp(await reading)).toEqual({ text: wholeReply, rewrites: 0 });
    expect(resumed.length).toBe(Math.min(20, pieces.length));
    expect(engine.script.sent).toHaveLength(1);
    await using reloaded = await connect(engine);
    expect(session.view).toEqual(reloaded.view);
  });
}

test('a connection that goes dead without a word is noticed and replaced within ten seconds', async () => {
  await using engine = await startEngine();
  await using proxy = await FaultyProxy.to(engine.port);
  replyHalf(engine);
  await using session = await connect({ url: proxy.url });
  const states = statesOf(session);
  const turn = session.chat.send('Why?');
  await eventOf(session, 'text');
  const startedAt = performance.now();
  proxy.goDead();
  const back = new Promise<void>((resolve) => session.on('resumed', () => resolve()));
  await back;
  expect(performance.now() - startedAt).toBeLessThan(10_000);
  expect(states).toEqual(['reconnecting', 'connected']);
  await turn.cancel();
  expect(session.view.turns[0]).toMatchObject({ status: 'interrupted', reply: 'The sky is' });
});

test('closing a session over a dead connection takes less than a second', async () => {
  await using engine = await startEngine();
  await using proxy = await FaultyProxy.to(engine.port);
  const session = await connect({ url: proxy.url });
  proxy.goDead();
  const startedAt = performance.now();
  await session.close();
  expect(performance.now() - startedAt).toBeLessThan(1_000);
});

test('a message whose answer was lost with the connection is sent again and stays one message', async () => {
  await using engine = await startEngine();
  engine.script.nextSends.push('cut', 'cut');
  await using session = await connect(engine);
  const turn = session.chat.send('Why?');
  expect(await turn.id).toBe(turnNumber(0));
  expect(new Set(engine.script.sent.map(({ clientMessageId }) => clientMessageId))).toEqual(new Set([turn.clientMessageId]));
  expect(engine.script.sent).toHaveLength(3);
});

test('a message that the feed already shows is not sent again', async () => {
  await using engine = await startEngine();
  replyInPieces(engine);
  engine.script.nextSends.push('cut');
  await using session = await connect(engine);
  const turn = session.chat.send('Why?');
  expect(await turn.id).toBe(turnNumber(0));
  expect(await turn.text()).toBe(wholeReply);
  expect(engine.script.sent).toHaveLength(1);
  expect(session.view.turns).toHaveLength(1);
});

test('a message written while the connection is down goes out when it is back', async () => {
  await using engine = await startEngine();
  replyInPieces(engine);
  await using session = await connect(engine);
  engine.cut();
  await vi.waitFor(() => expect(session.state).toBe('reconnecting'), { interval: 1 });
  expect(await session.chat.send('Why?').text()).toBe(wholeReply);
});

test('a message that failed after the log had it is answered all the same', async () => {
  await using engine = await startEngine();
  replyInPieces(engine);
  engine.script.nextSends.push('failLate');
  await using session = await connect(engine);
  const turn = session.chat.send('Why?');
  expect(await turn.id).toBe(turnNumber(0));
  expect(await turn.text()).toBe(wholeReply);
});

test('an engine that goes away is left when it closes, not before, and the reply goes on', async () => {
  await using engine = await startEngine();
  replyHalf(engine);
  await using session = await connect(engine);
  const reading = allOf(session.chat.send('Why?'));
  await eventOf(session, 'text');
  engine.askToMove();
  // A round trip behind the notice, on the same connection.
  await session.renewToken();
  expect(engine.connections).toBe(1);
  const back = new Promise((resolve) => session.on('resumed', resolve));
  engine.script.validTokens.add('token-2');
  engine.closeSockets(1001);
  await back;
  engine.script.lesson.append({ type: 'sentence', turnId: turnNumber(0), index: 0, text: 'The sky is blue.', citations: [] });
  engine.script.lesson.append(completed(turnNumber(0), 1));
  expect(addedUp(await reading)).toEqual({ text: 'The sky is blue.', rewrites: 0 });
  expect(engine.connections).toBe(2);
});

test('an expired token is asked for again and the reply goes on where it was', async () => {
  await using engine = await startEngine();
  const { script } = engine;
  replyHalf(engine);
  let asked = 0;
  await using session = await connect(engine, { token: async () => `token-${++asked}` });
  const reading = allOf(session.chat.send('Why?'));
  await eventOf(session, 'text');
  script.validTokens.delete('token-1');
  script.validTokens.add('token-2');
  const back = new Promise((resolve) => session.on('resumed', resolve));
  engine.closeSockets(4401);
  await back;
  script.lesson.piece(0, ' blue.');
  script.lesson.append({ type: 'sentence', turnId: turnNumber(0), index: 0, text: 'The sky is blue.', citations: [] });
  script.lesson.append(completed(turnNumber(0), 1));
  expect(addedUp(await reading)).toEqual({ text: 'The sky is blue.', rewrites: 0 });
  expect(asked).toBe(2);
});

test('a renewed token is the one that the next connection takes', async () => {
  await using engine = await startEngine();
  engine.script.validTokens.add('token-2');
  await using session = await connect(engine);
  expect(await session.renewToken()).toMatchObject({ token: 'token-2' });
  engine.script.validTokens.delete('token-1');
  const back = new Promise((resolve) => session.on('resumed', resolve));
  engine.closeSockets(4401);
  await back;
  expect(engine.script.tokensSeen.at(-1)).toBe('token-2');
});

for (const transport of ['ws', 'sse'] as const) {
  test(`a token refused twice over ${transport} closes the session with the reason, never to try in silence`, async () => {
    await using engine = await startEngine();
    let asked = 0;
    const connecting = connect(engine, { transport, token: async () => `wrong-${++asked}` });
    await expect(connecting).rejects.toMatchObject({ code: 'unauthorized', requestId: 'scripted' });
    expect(asked).toBe(2);
    await expect(connect(engine, { transport, token: 'wrong' })).rejects.toMatchObject({ code: 'unauthorized' });
    expect(engine.script.tokensSeen).toEqual(['wrong-1', 'wrong-2', 'wrong']);
  });

  test(`a refusal that no try can change closes a session over ${transport} at once`, async () => {
    await using engine = await startEngine();
    engine.script.nextSubscriptions.push('upgrade_required');
    await expect(connect(engine, { transport })).rejects.toMatchObject({ code: 'upgrade_required' });
    expect(engine.script.resumed).toHaveLength(1);
  });

  test(`a failure of the engine that may pass is tried again over ${transport}`, async () => {
    await using engine = await startEngine();
    engine.script.nextSubscriptions.push('unavailable', 'unavailable');
    await using session = await connect(engine, { transport });
    expect(session.state).toBe('connected');
    expect(engine.script.resumed).toHaveLength(3);
  });
}

test('a token that cannot be had is asked for again within the policy', async () => {
  await using engine = await startEngine();
  let asked = 0;
  const token = async () => {
    asked += 1;
    if (asked < 3) throw new TypeError('fetch failed');
    return 'token-1';
  };
  await using session = await connect(engine, { token });
  expect(session.state).toBe('connected');
});

test('when the policy gives up, the session is closed, says why, and everything that waits is told', async () => {
  const engine = await startEngine();
  replyHalf(engine);
  const tries: number[] = [];
  await using session = await connect(engine, {
    reconnect: {
      nextDelayMs({ attempt }) {
        tries.push(attempt);
        return attempt < 3 ? 0 : null;
      },
    },
  });
  const states: SessionEvents['state'][] = [];
  const errors: string[] = [];
  session.on('state', (event) => states.push(event));
  session.on('error', ({ code }) => errors.push(code));
  const turn = session.chat.send('Why?');
  await eventOf(session, 'text');
  const reading = allOf(turn);
  const events = allOf(session.events());
  await engine[Symbol.asyncDispose]();
  const waiting = session.chat.send('Are you there?');
  await expect(reading).rejects.toMatchObject({ code: 'unavailable' });
  await expect(events).rejects.toMatchObject({ code: 'unavailable' });
  await expect(waiting.id).rejects.toMatchObject({ code: 'unavailable' });
  expect(states.map(({ state }) => state)).toEqual(['reconnecting', 'closed']);
  expect(states.at(-1)?.error).toMatchObject({ code: 'unavailable', retryable: true });
  expect(tries).toEqual([0, 1, 2, 3]);
  expect(errors).toContain('unavailable');
});

test('after a take-over the unfinished sentence goes on where it was, or is rewritten when it comes out differently', async () => {
  for (const [again, rewrites] of [
    ['The sky is blue.', 0],
    ['The sea is blue.', 1],
  ] as const) {
    await using engine = await startEngine();
    const { lesson } = engine.script;
    replyHalf(engine);
    await using session = await connect(engine);
    const reading = allOf(session.chat.send('Why?'));
    await eventOf(session, 'text');
    await vi.waitFor(() => expect(session.view.turns[0]?.reply).toBe('The sky is'));
    lesson.append({ type: 'replyResumed', turnId: turnNumber(0), fromIndex: 0 });
    engine.cut();
    for (const letter of again) lesson.piece(0, letter);
    lesson.append({ type: 'sentence', turnId: turnNumber(0), index: 0, text: again, citations: [] });
    lesson.append(completed(turnNumber(0), 1));
    expect(addedUp(await reading)).toEqual({ text: again, rewrites });
  }
});

test('an interrupt whose answer was lost with the connection counts as done', async () => {
  await using engine = await startEngine();
  replyHalf(engine);
  await using session = await connect(engine);
  session.chat.send('Why?');
  await eventOf(session, 'text');
  const { onInterrupt } = engine.script;
  engine.script.onInterrupt = (turnId) => {
    onInterrupt(turnId);
    engine.cut();
  };
  await session.interrupt();
  expect(engine.script.interrupts.length).toBeGreaterThanOrEqual(1);
  await vi.waitFor(() => expect(session.view.turns[0]?.status).toBe('interrupted'));
});

test('a session ended while the student was away is closed when she comes back, without an error', async () => {
  await using engine = await startEngine();
  await using session = await connect(engine);
  const errors: unknown[] = [];
  session.on('error', (error) => errors.push(error));
  const closed = new Promise((resolve) => session.on('state', (event) => event.state === 'closed' && resolve(event)));
  engine.cut();
  engine.script.lesson.append({ type: 'sessionEnded', reason: 'idle' });
  expect(await closed).toEqual({ state: 'closed' });
  expect(session.view.ended).toBe('idle');
  expect(errors).toEqual([]);
});

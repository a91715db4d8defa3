import { expect, test } from 'vitest';
import type { TurnEvent } from './contract.ts';
import { scriptedSession } from './testing.ts';

test('a scripted lesson answers the same every time, piece by piece', async () => {
  const play = async () => {
    await using session = scriptedSession({
      greeting: 'Hello!',
      reply: (message) => ({ sentences: [['You said ', message, '. '], 'That is all.'] }),
    });
    const events: TurnEvent[] = [];
    for await (const event of session.chat.send('hi', { clientMessageId: 'm-1' })) events.push(event);
    return { events, view: session.view };
  };
  const first = await play();
  expect(first.view).toMatchObject({
    greeting: 'Hello!',
    turns: [{ message: 'hi', reply: 'You said hi. That is all.', status: 'completed' }],
  });
  expect(first.events.filter(({ type }) => type === 'text').length).toBeGreaterThan(1);
  expect(await play()).toEqual(first);
});

test('a reply on hold can be interrupted, and keeps what was shown', async () => {
  await using session = scriptedSession({ reply: () => ({ sentences: ['One.'], hold: new Promise(() => {}) }) });
  const turn = session.chat.send('go');
  for await (const event of turn) if (event.type === 'sentence') break;
  await turn.cancel();
  expect(session.view.turns).toMatchObject([{ status: 'interrupted', reply: 'One.' }]);
});

test('a new message interrupts the reply under way', async () => {
  await using session = scriptedSession({
    reply: (message) => (message === 'first' ? { sentences: ['One.'], hold: new Promise(() => {}) } : { sentences: ['Two.'] }),
  });
  const first = session.chat.send('first');
  await first.id;
  expect(await session.chat.send('second').text()).toBe('Two.');
  expect(session.view.turns.map(({ status }) => status)).toEqual(['interrupted', 'completed']);
});

test('a scripted failure fails the turn with its code', async () => {
  await using session = scriptedSession({ reply: () => ({ sentences: [], failure: 'model_unavailable' }) });
  await expect(session.chat.send('go').text()).rejects.toMatchObject({ code: 'model_unavailable', retryable: true });
});

test('a message with nothing in it is refused', async () => {
  await using session = scriptedSession({ reply: () => ({ sentences: [] }) });
  await expect(session.chat.send('  ').id).rejects.toMatchObject({ code: 'invalid_input' });
});

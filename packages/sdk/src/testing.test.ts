import { expect, test } from 'vitest';
import type { TurnEvent } from './contract.ts';
import { type ScriptedMediaControl, scriptedSession } from './testing.ts';

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

test('voice and face connect at once, and then do what the script says', async () => {
  let control: ScriptedMediaControl | null = null;
  await using session = scriptedSession({
    reply: () => ({ sentences: ['Yes.'] }),
    voice: {
      onReady: (given) => {
        control = given;
      },
    },
  });
  const { media } = session;
  const states: string[] = [];
  media.on('state', ({ status }) => states.push(status));
  await media.mic.start({ mode: 'push' });
  expect(states).toEqual(['connecting', 'connected']);
  expect(media.state).toMatchObject({ quality: 'video', picture: true });
  media.mic.press();
  expect(media.mic.state).toMatchObject({ status: 'on', sending: true });
  media.mic.release();
  expect(media.mic.state.sending).toBe(false);
  const held = must<ScriptedMediaControl>(control);
  held.hearing({ partial: 'Why' });
  held.state({ status: 'recovering' });
  held.captions({ current: null, heard: { turnId: 't', index: 0, chars: 3, over: false } });
  expect([media.hearing.partial, media.state.status, media.captions.heard?.chars]).toEqual(['Why', 'recovering', 3]);
  media.disconnect();
  expect(media.state).toMatchObject({ status: 'idle', quality: 'text' });
});

test('a script can refuse the connection and the microphone', async () => {
  await using full = scriptedSession({ reply: () => ({ sentences: [] }), voice: { refusal: 'capacity_exceeded' } });
  await expect(full.media.connect()).rejects.toMatchObject({ code: 'capacity_exceeded' });
  expect(full.media.state).toMatchObject({ status: 'failed', retrying: true });
  await using mute = scriptedSession({ reply: () => ({ sentences: [] }), voice: { problem: 'denied' } });
  await expect(mute.media.mic.start()).rejects.toMatchObject({ code: 'media_blocked' });
  expect(mute.media.mic.state).toMatchObject({ status: 'blocked', problem: 'denied' });
});

function must<T>(value: T | null): T {
  if (value === null) throw new Error('the script was never ready');
  return value;
}

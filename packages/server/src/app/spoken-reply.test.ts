import { randomUUID } from 'node:crypto';
import { createGate, createScriptedLlm, type ScriptStep } from '@virtual-tutor/engine/fakes';
import { describe, expect, test } from 'vitest';
import { charMs } from '../../../../test/support/scripted-media.ts';
import { isTerminal, openVoiceLesson, truthOf } from '../../../../test/support/voice-lesson.ts';

const reply = ['The sky is blue. ', 'Air scatters blue light. ', 'Ask me more.'] as const;
const whole = reply.join('');

function saying(...steps: readonly ScriptStep[]) {
  return createScriptedLlm({ play: () => steps });
}

describe('a reply that is spoken', () => {
  test('is said sentence by sentence, and complete when all of it was heard, whatever a page has shown', async () => {
    await using lesson = await openVoiceLesson({ llm: saying(...reply) });
    using _page = lesson.read();
    await lesson.connect();
    const turnId = await lesson.ask('Why?');
    await expect.poll(() => lesson.plane.said(turnId)).toEqual(reply);
    await lesson.until((events) => events.filter(({ type }) => type === 'SentenceGenerated').length === reply.length);
    expect(truthOf(await lesson.events(), turnId)).toMatchObject({ heard: '', terminals: [] });
    lesson.plane.playAll(lesson.sessionId);
    const truth = truthOf(await lesson.until((events) => events.some(isTerminal)), turnId);
    expect(truth).toMatchObject({ generated: whole, heard: whole, terminals: ['ReplyCompleted'] });
    const durationMs = reply[1].length * charMs;
    expect(truth.playouts[1]?.playout).toEqual({ medium: 'voice', heardMs: durationMs, durationMs });
  });

  test('tells the model to speak, and says in its timings when it was heard and seen first', async () => {
    const llm = saying(...reply);
    await using lesson = await openVoiceLesson({ llm });
    await lesson.connect();
    const turnId = await lesson.ask('Why?');
    await expect.poll(() => lesson.plane.said(turnId)).toEqual(reply);
    lesson.plane.playAll(lesson.sessionId);
    const events = await lesson.until((all) => all.some(isTerminal));
    expect(llm.requests[0]?.spoken).toBe(true);
    const completed = events.find(({ type }) => type === 'ReplyCompleted');
    expect(completed?.payload).toMatchObject({
      timings: { asrMs: null, firstAudioMs: expect.any(Number), firstFrameMs: expect.any(Number) },
    });
  });

  test('has no first frame where there is a voice alone', async () => {
    await using lesson = await openVoiceLesson({ llm: saying(...reply) });
    await lesson.connect('voice');
    const turnId = await lesson.ask('Why?');
    await expect.poll(() => lesson.plane.said(turnId)).toEqual(reply);
    lesson.plane.playAll(lesson.sessionId);
    const events = await lesson.until((all) => all.some(isTerminal));
    expect(events.find(({ type }) => type === 'ReplyCompleted')?.payload).toMatchObject({
      timings: { firstAudioMs: expect.any(Number), firstFrameMs: null },
    });
  });

  test('stays text where nobody listens', async () => {
    const llm = saying(...reply);
    await using lesson = await openVoiceLesson({ llm });
    using _page = lesson.read();
    const turnId = await lesson.ask('Why?');
    const truth = truthOf(await lesson.until((all) => all.some(isTerminal)), turnId);
    expect(llm.requests[0]?.spoken).toBe(false);
    expect(truth.playouts.map(({ playout }) => playout.medium)).toEqual(['text', 'text', 'text']);
    expect(lesson.plane.orders).toEqual([]);
  });
});

describe('a spoken reply that is cut', () => {
  test.each([
    ['before anything was heard', 0, ''],
    ['within a word', 6, 'The'],
    ['between two sentences', 17, 'The sky is blue. '],
    ['within the second sentence', 17 + 11, 'The sky is blue. Air'],
  ])('%s has the words that were heard, from a button and from the voice alike', async (_, chars, heard) => {
    for (const by of ['button', 'voice'] as const) {
      await using lesson = await openVoiceLesson({ llm: saying(...reply) });
      using _page = lesson.read();
      await lesson.connect();
      const turnId = await lesson.ask('Why?');
      await expect.poll(() => lesson.plane.said(turnId)).toEqual(reply);
      lesson.plane.play(lesson.sessionId, chars);
      if (by === 'button') await lesson.interrupt(turnId);
      else lesson.plane.bargeIn(lesson.sessionId);
      const truth = truthOf(await lesson.until((all) => all.some(isTerminal)), turnId);
      expect(truth).toMatchObject({ heard, terminals: ['ReplyInterrupted'] });
      expect(truth.heardMs).toEqual(expect.any(Number));
      expect(lesson.plane.play(lesson.sessionId, 100)).toBe(0);
    }
  });

  test('while the model is still speaking takes the model along', async () => {
    const gate = createGate();
    const llm = saying(reply[0], reply[1], { wait: gate }, reply[2]);
    await using lesson = await openVoiceLesson({ llm });
    await lesson.connect();
    const turnId = await lesson.ask('Why?');
    await expect.poll(() => lesson.plane.said(turnId).length).toBeGreaterThan(0);
    lesson.plane.play(lesson.sessionId, 8);
    lesson.plane.bargeIn(lesson.sessionId);
    const truth = truthOf(await lesson.until((all) => all.some(isTerminal)), turnId);
    expect(truth).toMatchObject({ heard: 'The sky', terminals: ['ReplyInterrupted'] });
    expect(llm.aborted).toBe(1);
  });

  test('by the next question, said or written, has what was heard; the model remembers that and no more', async () => {
    const llm = saying(...reply);
    await using lesson = await openVoiceLesson({ llm });
    await lesson.connect();
    const first = await lesson.ask('Why?');
    await expect.poll(() => lesson.plane.said(first)).toEqual(reply);
    lesson.plane.play(lesson.sessionId, 17 + 11);
    lesson.plane.utter(lesson.sessionId, { utteranceId: randomUUID(), text: 'And the sun?' });
    const events = await lesson.until((all) => all.filter(({ type }) => type === 'MessageReceived').length === 2);
    expect(truthOf(events, first)).toMatchObject({ heard: 'The sky is blue. Air', terminals: ['ReplyInterrupted'] });
    const received = events.filter(({ type }) => type === 'MessageReceived')[1];
    expect(received).toMatchObject({
      payload: { modality: 'voice', language: 'en', asr: { engine: 'moonshine', model: 'tiny', asrMs: 120, durationMs: 1_500 } },
      personal: { text: 'And the sun?' },
    });
    await expect.poll(() => llm.requests.length).toBe(2);
    expect(llm.requests[1]?.messages.filter(({ role }) => role === 'assistant').map(({ content }) => content)).toEqual([
      'The sky is blue. Air',
    ]);
  });

  test('uses the last word it knows of when the worker does not answer', async () => {
    await using lesson = await openVoiceLesson({ llm: saying(...reply) });
    await lesson.connect();
    const turnId = await lesson.ask('Why?');
    await expect.poll(() => lesson.plane.said(turnId)).toEqual(reply);
    lesson.plane.play(lesson.sessionId, 8);
    lesson.plane.answers.push(new Promise(() => {}));
    const before = performance.now();
    await lesson.interrupt(turnId);
    expect(performance.now() - before).toBeLessThan(1_000);
    expect(truthOf(await lesson.events(), turnId)).toMatchObject({ heard: 'The sky', terminals: ['ReplyInterrupted'] });
  });
});

describe('a voice that fails', () => {
  test('leaves a sentence that cannot be said to the eyes', async () => {
    await using lesson = await openVoiceLesson({ llm: saying(...reply) });
    using _page = lesson.read();
    await lesson.connect();
    const turnId = await lesson.ask('Why?');
    await expect.poll(() => lesson.plane.said(turnId)).toEqual(reply);
    lesson.plane.play(lesson.sessionId, reply[0].length);
    lesson.plane.cannotSay(lesson.sessionId);
    lesson.plane.playAll(lesson.sessionId);
    const truth = truthOf(await lesson.until((all) => all.some(isTerminal)), turnId);
    expect(truth).toMatchObject({ heard: whole, terminals: ['ReplyCompleted'] });
    const media = Object.fromEntries(truth.playouts.map(({ index, playout }) => [index, playout.medium]));
    expect(media).toEqual({ 0: 'voice', 1: 'text', 2: 'voice' });
  });

  test.each(['lose', 'crash'] as const)('in the middle (%s) leaves the rest to the eyes', async (how) => {
    await using lesson = await openVoiceLesson({ llm: saying(...reply) });
    await lesson.connect();
    const turnId = await lesson.ask('Why?');
    await expect.poll(() => lesson.plane.said(turnId)).toEqual(reply);
    lesson.plane.play(lesson.sessionId, reply[0].length + 4);
    if (how === 'lose') lesson.plane.lose(lesson.sessionId);
    else lesson.plane.crash();
    expect((await lesson.events()).filter(isTerminal)).toEqual([]);
    using _page = lesson.read();
    const truth = truthOf(await lesson.until((all) => all.some(isTerminal)), turnId);
    expect(truth).toMatchObject({ heard: whole, terminals: ['ReplyCompleted'] });
    expect(truth.playouts.map(({ playout }) => playout.medium).sort()).toEqual(['text', 'text', 'voice']);
  });

  test('in the middle, and the student cuts in: what was heard stays heard', async () => {
    await using lesson = await openVoiceLesson({ llm: saying(...reply) });
    await lesson.connect();
    const turnId = await lesson.ask('Why?');
    await expect.poll(() => lesson.plane.said(turnId)).toEqual(reply);
    lesson.plane.play(lesson.sessionId, reply[0].length + 11);
    lesson.plane.lose(lesson.sessionId);
    await lesson.interrupt(turnId);
    expect(truthOf(await lesson.events(), turnId)).toMatchObject({
      heard: 'The sky is blue. Air',
      terminals: ['ReplyInterrupted'],
    });
  });

  test('and comes back says what is made after that', async () => {
    const gate = createGate();
    await using lesson = await openVoiceLesson({ llm: saying(reply[0], reply[1], { wait: gate }, reply[2]) });
    using _page = lesson.read();
    await lesson.connect();
    const turnId = await lesson.ask('Why?');
    await expect.poll(() => lesson.plane.said(turnId).length).toBe(1);
    lesson.plane.lose(lesson.sessionId);
    await lesson.connect();
    gate.open();
    await expect.poll(() => lesson.plane.said(turnId).length).toBe(3);
    lesson.plane.playAll(lesson.sessionId);
    const truth = truthOf(await lesson.until((all) => all.some(isTerminal)), turnId);
    expect(truth).toMatchObject({ heard: whole, terminals: ['ReplyCompleted'] });
  });

  test('is heard from the middle of a reply by a student who connects then', async () => {
    const gate = createGate();
    await using lesson = await openVoiceLesson({ llm: saying(reply[0], reply[1], { wait: gate }, reply[2]) });
    using _page = lesson.read();
    const turnId = await lesson.ask('Why?');
    await lesson.until((all) => all.some(({ type }) => type === 'SentenceHeard'));
    await lesson.connect();
    gate.open();
    await expect.poll(() => lesson.plane.said(turnId)).toEqual([reply[1], reply[2]]);
    lesson.plane.playAll(lesson.sessionId);
    const truth = truthOf(await lesson.until((all) => all.some(isTerminal)), turnId);
    expect(truth.playouts.map(({ playout }) => playout.medium)).toEqual(['text', 'voice', 'voice']);
    expect(truth).toMatchObject({ heard: whole, terminals: ['ReplyCompleted'] });
  });
});

test('after the engine was killed, only what was not heard is said', async () => {
  const died = await openVoiceLesson({ llm: saying(reply[0], reply[1], { stall: true }) });
  await died.connect();
  const turnId = await died.ask('Why?');
  await expect.poll(() => died.plane.said(turnId).length).toBe(1);
  died.plane.play(died.sessionId, reply[0].length);
  await died.until((all) => all.some(({ type }) => type === 'SentenceHeard'));
  await died[Symbol.asyncDispose]();

  await using lesson = await openVoiceLesson({ llm: saying(...reply), before: died });
  await lesson.connect();
  await expect.poll(() => lesson.plane.said(turnId)).toEqual([reply[1], reply[2]]);
  lesson.plane.playAll(lesson.sessionId);
  const truth = truthOf(await lesson.until((all) => all.some(isTerminal)), turnId);
  expect(truth).toMatchObject({ generated: whole, heard: whole, terminals: ['ReplyCompleted'] });
  expect(truth.playouts.map(({ playout }) => playout.medium)).toEqual(['voice', 'voice', 'voice']);
});

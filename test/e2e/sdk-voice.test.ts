import { type ConnectOptions, connectSession } from '@virtual-tutor/sdk/browser';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningEngine, startEngine, withVoice } from '../support/engine.ts';
import { consoleClient } from '../support/lesson.ts';
import { describeWith } from '../support/loud-skip.ts';
import { atPeak, joined, say, silence, voicesAvailable } from '../support/voices.ts';

/** The SDK takes two seconds at a time; a client sends as it records. */
const pieceSamples = 3_200;

describe('voice without WebRTC', () => {
  let engine: RunningEngine;

  beforeAll(async () => {
    engine = await startEngine(await withVoice());
  });
  afterAll(async () => {
    await engine?.[Symbol.asyncDispose]();
  });

  async function join(transport: ConnectOptions['transport'] = 'ws') {
    const client = await consoleClient(engine);
    const { grant } = await client.sessions.create({ tutorId: 'ada', studentId: 'lin' });
    return connectSession({ ...grant, transport });
  }

  test.each(['ws', 'sse'] as const)(
    'a reply comes as Opus packets and mouth shapes, word by word announced, over %s',
    async (transport) => {
      await using session = await join(transport);
      const left = new AbortController();
      const signals: string[] = [];
      const announced = (async () => {
        for await (const signal of session.signals({ signal: left.signal })) {
          signals.push(signal.type);
          if (signal.type === 'speech') return signal;
        }
        return null;
      })();
      const spoken = (async () => {
        const chunks = [];
        for await (const chunk of session.mediaChunks({ signal: left.signal })) {
          chunks.push(chunk);
          if (chunks.length === 5) break;
        }
        return chunks;
      })();
      // The engine speaks to whoever listens: a question before that would be answered in writing.
      await expect.poll(() => session.view.quality, { timeout: 20_000 }).toBe('voice');
      const turn = session.chat.send('Why is the sky blue?');
      const turnId = await turn.id;
      const chunks = await spoken;
      expect(chunks.every((chunk) => chunk.turnId === turnId && chunk.packets.length > 0)).toBe(true);
      expect(chunks.flatMap(({ visemes }) => visemes).length).toBeGreaterThan(0);
      expect(chunks.map(({ atMs }) => atMs)).toEqual(chunks.map(({ atMs }) => atMs).toSorted((a, b) => a - b));
      expect(await announced).toMatchObject({ turnId, index: 0 });
      expect(signals[0]).toBe('hello');
      await turn.cancel();
      left.abort();
    },
  );

  describeWith(voicesAvailable, 'voices (apt-get install flite espeak-ng)')('a microphone in pieces', () => {
    test('becomes a message that says that it was spoken', { timeout: 90_000 }, async () => {
      await using session = await join();
      // The recogniser may still be loading when the first question is put.
      for (let tries = 0; tries < 3 && session.view.turns.length === 0; tries += 1) {
        const samples = joined(silence(300), atPeak(say('What is evaporation?'), 0.5), silence(300));
        for (let at = 0; at < samples.length; at += pieceSamples) {
          const piece = Int16Array.from(samples.subarray(at, at + pieceSamples), (sample) => Math.round(sample * 32_767));
          await session.audio.append(piece);
        }
        await session.audio.commit();
        await expect
          .poll(() => session.view.turns.length, { timeout: 15_000 })
          .toBeGreaterThan(0)
          .catch(() => undefined);
      }
      const [turn] = session.view.turns;
      expect(turn).toMatchObject({ modality: 'voice' });
      // How well it understands is measured elsewhere.
      expect(turn?.message).toMatch(/\w/);
    });
  });

  test('where there is no WebRTC, media says so and the lesson goes on', async () => {
    await using session = await join();
    await expect(session.media.connect()).rejects.toMatchObject({ code: 'media_blocked' });
    expect(session.media.state).toMatchObject({
      status: 'failed',
      retrying: false,
      quality: 'text',
      abilities: { speaks: true, face: true },
    });
    expect(await session.chat.send('What is evaporation?').text()).toContain('vapor');
  });
});

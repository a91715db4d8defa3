import type { WorkerConfig } from '@virtual-tutor/engine/media';
import { SessionId, TurnId } from '@virtual-tutor/schemas';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SessionFact } from '../../packages/server/src/app/media-plane.ts';
import { type MediaWorkers, startMediaWorkers } from '../../packages/server/src/workers/media-workers.ts';

const sessionId = SessionId.parse('0193c5a0-0000-7000-8000-000000000001');
const otherSession = SessionId.parse('0193c5a0-0000-7000-8000-000000000002');
const turnId = TurnId.parse('00000000-0000-4000-8000-000000000001');

const config: WorkerConfig = {
  mediaAddress: '127.0.0.1',
  mediaPorts: [41_000, 41_099],
  relayAddresses: ['127.0.0.1'],
  relayPorts: [49_152, 65_535],
  engineRelay: null,
  tts: { enabled: true, edgeVoice: null },
  asr: { enabled: false, modelsFolder: null, model: 'base', device: 'cpu', language: null },
  avatar: { enabled: false, folder: '', museTalkFolder: null },
  capacity: { sessions: 2, speaking: 2 },
};

describe('an engine worker', () => {
  let workers: MediaWorkers;
  const facts: SessionFact[] = [];
  const output: string[] = [];

  beforeAll(async () => {
    workers = startMediaWorkers({ config, workers: 1, onFault: (fault) => output.push(fault) });
    await workers.ready;
    workers.onFact((fact) => facts.push(fact));
  }, 60_000);
  afterAll(() => workers[Symbol.asyncDispose]());

  /** Until a fact like this comes, at most 20 s. */
  async function fact<T extends SessionFact['type']>(type: T, from = 0): Promise<Extract<SessionFact, { type: T }>> {
    const isIt = (known: SessionFact): known is Extract<SessionFact, { type: T }> => known.type === type;
    const known = facts.slice(from).find(isIt);
    if (known !== undefined) return known;
    const { promise, resolve, reject } = Promise.withResolvers<Extract<SessionFact, { type: T }>>();
    const stop = workers.onFact((next) => isIt(next) && resolve(next));
    const timer = setTimeout(
      () => reject(new Error(`no ${type} came; there were ${facts.map((it) => it.type).join(', ')}\n${output.join('\n')}`)),
      20_000,
    );
    return promise.finally(() => {
      clearTimeout(timer);
      stop();
    });
  }

  function speak(): void {
    expect(workers.open({ sessionId, locale: 'en', voice: null, face: { kind: 'drawn', character: 'ada' } })).toBeNull();
    workers.order({ type: 'stream', sessionId, on: true });
    workers.order({ type: 'say', sessionId, turnId, index: 0, text: 'Plants turn light into sugar.', language: 'en' });
  }

  test('speaks a sentence and says when it was heard', async () => {
    speak();
    const chunk = await fact('chunk');
    expect(chunk.chunk).toMatchObject({ turnId, index: 0, atMs: 0 });
    expect(chunk.chunk.visemes.length).toBeGreaterThan(5);
    const heard = await fact('heard');
    expect(heard).toMatchObject({ turnId, index: 0 });
    expect(heard.durationMs).toBeGreaterThan(1_000);
    expect(heard.heardMs).toBe(heard.durationMs);
  });

  test('says which limit is reached, and takes the next session when one has left', () => {
    const media = { locale: 'en', voice: null, face: { kind: 'drawn', character: 'ada' } } as const;
    expect(workers.open({ sessionId: otherSession, ...media })).toBeNull();
    const third = SessionId.parse('0193c5a0-0000-7000-8000-000000000003');
    expect(workers.open({ sessionId: third, ...media })).toMatchObject({ code: 'capacity_exceeded' });
    workers.order({ type: 'close', sessionId: otherSession });
    expect(workers.open({ sessionId: third, ...media })).toBeNull();
    workers.order({ type: 'close', sessionId: third });
  });

  test('is replaced when it is killed mid-sentence; its session hears so and speaks again', async () => {
    const from = facts.length;
    workers.order({
      type: 'say',
      sessionId,
      turnId,
      index: 1,
      text: 'They need water, and air, and a great deal of patience.',
      language: 'en',
    });
    await fact('chunk', from);
    const [pid] = workers.pids;
    if (pid === undefined) throw new Error('no worker runs');
    process.kill(pid, 'SIGKILL');
    expect(await fact('quality', from)).toMatchObject({ sessionId, to: 'text', reason: 'worker_crashed' });
    expect(workers.isOpen(sessionId)).toBe(false);
    expect(workers.health()[0]).toMatchObject({ name: 'voice and video', status: 'down' });
    await expect.poll(() => workers.health()[0]?.status, { timeout: 30_000 }).toBe('ok');
    expect(workers.pids).not.toContain(pid);
    const again = facts.length;
    speak();
    expect(await fact('heard', again)).toMatchObject({ turnId, index: 0 });
  }, 60_000);

  test('answers requests for a session it does not know', async () => {
    const request = { type: 'stop', sessionId: otherSession, turnId } as const;
    expect(await workers.request(request)).toMatchObject({ type: 'refused', code: 'internal' });
  });
});

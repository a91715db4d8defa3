import { SessionId, TurnId } from '@virtual-tutor/schemas';
import { describe, expect, test } from 'vitest';
import { draft, stream } from '../../../../test/support/drafts.ts';
import type { ClearEvent } from '../app/event-codec.ts';
import { createMetrics } from './metrics.ts';

const turnId = TurnId.parse('11111111-1111-5111-8111-111111111111');
const sessionId = SessionId.parse('01900000-0000-7000-8000-000000000001');
const stored = {
  ...draft(),
  stream: stream('x'),
  revision: 1,
  position: 7,
  recordedAt: '2026-01-01T00:00:00.000Z',
  contentHash: '',
  hash: '',
};

function metrics() {
  return createMetrics({
    activeSessions: () => 3,
    openSockets: () => 2,
    repliesUnderWay: () => 1,
    media: () => ({ sessions: 2, speaking: 1 }),
  });
}

async function linesOf(name: string, { read }: ReturnType<typeof metrics>): Promise<readonly string[]> {
  return (await read()).split('\n').filter((line) => line.startsWith(name));
}

const completed = (timings: Extract<ClearEvent, { type: 'ReplyCompleted' }>['payload']['timings']): ClearEvent => ({
  type: 'ReplyCompleted',
  payload: { turnId, sentences: 1, usage: null, timings },
  stored,
});

describe('the metrics', () => {
  test('time every stage of a turn that was spoken', async () => {
    const told = metrics();
    told.follow(completed({ asrMs: 120, retrieveMs: 4, firstTokenMs: 50, firstAudioMs: 310, firstFrameMs: 350, totalMs: 900 }));
    expect(await linesOf('tutor_turn_stage_seconds_sum', told)).toEqual([
      'tutor_turn_stage_seconds_sum{stage="asr"} 0.12',
      'tutor_turn_stage_seconds_sum{stage="retrieve"} 0.004',
      'tutor_turn_stage_seconds_sum{stage="first_token"} 0.05',
      'tutor_turn_stage_seconds_sum{stage="first_audio"} 0.31',
      'tutor_turn_stage_seconds_sum{stage="first_frame"} 0.35',
      'tutor_turn_stage_seconds_sum{stage="total"} 0.9',
    ]);
  });

  test('count no stage that a turn did not have', async () => {
    const told = metrics();
    told.follow(completed({ asrMs: null, retrieveMs: 4, firstTokenMs: 50, firstAudioMs: null, firstFrameMs: null, totalMs: 900 }));
    const counted = await linesOf('tutor_turn_stage_seconds_count', told);
    expect(counted.map((line) => /stage="(\w+)"/.exec(line)?.[1])).toEqual(['retrieve', 'first_token', 'total']);
  });

  test('say how many lessons have voice and picture, and how many tutors speak', async () => {
    expect(await linesOf('tutor_media_', metrics())).toEqual(['tutor_media_sessions 2', 'tutor_media_speaking 1']);
  });

  test('count interruptions, steps on the ladder and lost connections by their reasons', async () => {
    const told = metrics();
    const cut = { turnId, by: 'student', heardSentences: 0, discardedSentences: 1 } as const;
    told.follow({ type: 'ReplyInterrupted', payload: { ...cut, heardMs: 120 }, stored });
    told.follow({ type: 'ReplyInterrupted', payload: { ...cut, heardMs: null }, stored });
    told.follow({ type: 'QualityChanged', payload: { from: 'video', to: 'voice', reason: 'renderer_late' }, stored });
    const gone = { peerId: '77777777-7777-4777-8777-777777777777', reason: 'lost', connectedMs: 1, bytesSent: 1 } as const;
    told.follow({ type: 'MediaDisconnected', payload: gone, stored });
    told.followMedia({ type: 'bargeIn', sessionId, turnId, index: 0, chars: 3, heardMs: 120 });
    const lines = (await told.read()).split('\n');
    expect(lines).toContain('tutor_interruptions_total{by="student",medium="voice"} 1');
    expect(lines).toContain('tutor_interruptions_total{by="student",medium="text"} 1');
    expect(lines).toContain('tutor_quality_changes_total{to="voice",reason="renderer_late"} 1');
    expect(lines).toContain('tutor_media_disconnections_total{reason="lost"} 1');
    expect(lines).toContain('tutor_barge_ins_total 1');
  });

  test('hold no word and no id, whatever a student says', async () => {
    const told = metrics();
    const recognised = { engine: 'moonshine', model: 'tiny', endedAtMs: 1, asrMs: 1, durationMs: 1 };
    const utteranceId = '88888888-8888-4888-8888-888888888888';
    told.followMedia({ type: 'signal', sessionId, signal: { type: 'partial', text: 'canary' } });
    told.followMedia({ type: 'utterance', sessionId, utteranceId, text: 'canary', language: 'en', ...recognised });
    const text = await told.read();
    for (const secret of ['canary', sessionId, utteranceId]) expect(text).not.toContain(secret);
  });
});

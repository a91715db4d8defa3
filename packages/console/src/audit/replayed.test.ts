import type { AuditedEvent } from '@virtual-tutor/sdk';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { atMs, captionAt, waitMs } from './playback.ts';
import { stateDiff } from './state-diff.ts';
import { reasons } from './why.ts';

interface Told {
  readonly payload?: AuditedEvent['payload'];
  readonly personal?: Record<string, unknown> | null;
  /** Seconds after the lesson began. */
  readonly at?: number;
}

function event(revision: number, type: string, { payload = {}, personal, at = revision }: Told = {}): AuditedEvent {
  const occurredAt = new Date(Date.UTC(2026, 0, 1) + at * 1000).toISOString();
  return {
    ...{ id: `event-${revision}`, type, schemaVersion: 1, stream: 'session-1', revision, position: revision, tenantId: 'default' },
    ...{ occurredAt, recordedAt: occurredAt, contentHash: 'a', hash: 'b' },
    ...{ actor: { kind: 'system', id: 'engine' }, causationId: 'cause', correlationId: 'correlation', payload },
    ...(personal === undefined ? {} : { personal }),
  };
}

const passages = [
  { passageId: 'p1', score: 9.5, contentHash: 'h1' },
  { passageId: 'p2', score: 4, contentHash: 'h2' },
];
const reply = { provider: 'ollama', model: 'qwen3:8b', temperature: 0.4, promptHash: 'f00', tutorRevision: 3, fallback: null };
const lesson = [
  event(1, 'SessionCreated', { payload: { tutorId: 'ada' }, at: 0 }),
  event(2, 'MessageReceived', { payload: { turnId: 't1' }, personal: { text: 'Why blue?' } }),
  event(3, 'PassagesRetrieved', { payload: { turnId: 't1', knowledgeBaseId: 'light', knowledgeRevision: 6, passages } }),
  event(4, 'ReplyStarted', { payload: { turnId: 't1', ...reply } }),
  event(5, 'SentenceGenerated', { payload: { turnId: 't1', index: 0, citations: ['p2', 'p9'] }, personal: { text: 'Blue scatters.' } }),
  event(6, 'SentenceHeard', { payload: { turnId: 't1', index: 0, playout: { medium: 'text' } } }),
  event(7, 'ReplyCompleted', { payload: { turnId: 't1', timings: { asrMs: null, retrieveMs: 2, firstTokenMs: 9, totalMs: 40 } }, at: 20 }),
  event(8, 'MessageReceived', { payload: { turnId: 't2' }, personal: null, at: 21 }),
];

describe('why a sentence was said', () => {
  test('is told by the events of its turn: question, passages, model, settings, time, and whether it arrived', () => {
    expect(reasons(lesson, 8)).toMatchObject([
      {
        ...{ revision: 5, text: 'Blue scatters.', question: 'Why blue?' },
        reply: { provider: 'ollama', model: 'qwen3:8b', temperature: 0.4, promptHash: 'f00', tutorRevision: 3, insteadOf: null },
        heard: { revision: 6 },
        latency: { asrMs: null, retrieveMs: 2, firstTokenMs: 9, firstAudioMs: null, totalMs: 40 },
        citations: [
          { passageId: 'p2', found: { revision: 3, rank: 2, total: 2, score: 4, contentHash: 'h2', knowledgeRevision: 6 } },
          { passageId: 'p9', found: null },
        ],
      },
    ]);
  });

  test('counts no sentence that came later, and no passage of another question', () => {
    expect(reasons(lesson, 4)).toEqual([]);
    const other = event(9, 'SentenceGenerated', { payload: { turnId: 't2', index: 0, citations: ['p2'] }, personal: null });
    expect(reasons([...lesson, other], 9).at(-1)).toMatchObject({ text: null, reply: null, citations: [{ passageId: 'p2', found: null }] });
  });
});

describe('playing a lesson', () => {
  test.each([
    [0.5, false, 2_000],
    [1, false, 1_000],
    [8, false, 125],
  ] as const)('at %d times the speed an event of a second takes its share', (speed, skipsSilence, expected) => {
    expect(waitMs(lesson, 2, { speed, skipsSilence })).toBe(expected);
  });

  test('skips what is silent, and ends with the last event', () => {
    expect(waitMs(lesson, 6, { speed: 1, skipsSilence: false })).toBe(14_000);
    expect(waitMs(lesson, 6, { speed: 1, skipsSilence: true })).toBe(2_000);
    expect(waitMs(lesson, 8, { speed: 1, skipsSilence: true })).toBeNull();
    expect(atMs(lesson, lesson[6])).toBe(20_000);
  });

  test('shows the newest words, a gap for those that are forgotten, and nothing before anything was said', () => {
    expect(captionAt(lesson, 1)).toBeNull();
    expect(captionAt(lesson, 3)).toEqual({ by: 'student', text: 'Why blue?' });
    expect(captionAt(lesson, 7)).toEqual({ by: 'tutor', text: 'Blue scatters.' });
    expect(captionAt(lesson, 8)).toEqual({ by: 'student', text: null });
    const cut = event(9, 'ReplyInterrupted', { personal: { heardText: 'Blue sca' } });
    expect(captionAt([...lesson, cut], 9)).toEqual({ by: 'tutor', text: 'Blue sca' });
  });
});

describe('the difference of two states', () => {
  test('is the smallest parts that differ, on either side', () => {
    const before = { status: 'active', turns: [{ status: 'waiting', sentences: [] }], host: null };
    const after = { status: 'active', turns: [{ status: 'replying', sentences: [{ text: 'Blue.' }] }, { status: 'waiting' }] };
    expect(stateDiff(before, after)).toEqual([
      { path: ['turns', '0', 'status'], before: 'waiting', after: 'replying' },
      { path: ['turns', '0', 'sentences', '0'], before: undefined, after: { text: 'Blue.' } },
      { path: ['turns', '1'], before: undefined, after: { status: 'waiting' } },
      { path: ['host'], before: null, after: undefined },
    ]);
  });

  test('of equal states is nothing; of others it is something, the same from both sides', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (one, other) => {
        expect(stateDiff(one, structuredClone(one))).toEqual([]);
        const there = stateDiff(one, other);
        expect(there.length === 0).toBe(JSON.stringify(sorted(one)) === JSON.stringify(sorted(other)));
        expect(stateDiff(other, one)).toHaveLength(there.length);
      }),
    );
  });
});

/** With the keys of objects in one order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.map(([key, part]) => [key, sorted(part)]);
}

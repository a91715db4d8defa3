import type { AuditedEvent } from '@virtual-tutor/sdk';
import { describe, expect, test } from 'vitest';
import { groupByTurn, proofs, sinceStart } from './timeline.ts';

function event(revision: number, type: string, content: Pick<AuditedEvent, 'payload' | 'personal'>): AuditedEvent {
  return {
    id: `event-${revision}`,
    type,
    schemaVersion: 1,
    stream: 'session-1',
    revision,
    position: revision,
    occurredAt: '2026-01-01T00:00:00.000Z',
    recordedAt: '2026-01-01T00:00:00.000Z',
    tenantId: 'default',
    actor: { kind: 'system', id: 'engine' },
    causationId: 'cause',
    correlationId: 'correlation',
    contentHash: 'a',
    hash: 'b',
    ...content,
  };
}

const retrieved = event(3, 'PassagesRetrieved', {
  payload: {
    turnId: 't1',
    knowledgeBaseId: 'light',
    knowledgeRevision: 6,
    passages: [
      { passageId: 'p1', score: 9.5, contentHash: 'h1' },
      { passageId: 'p2', score: 4, contentHash: 'h2' },
    ],
  },
});

test('events are grouped by turn, in order, with the lesson’s own between them', () => {
  const events = [
    event(1, 'SessionCreated', { payload: {} }),
    event(2, 'MessageReceived', { payload: { turnId: 't1' } }),
    retrieved,
    event(4, 'SessionHosted', { payload: {} }),
  ];
  expect(groupByTurn(events).map(({ turnId, number, events: { length } }) => [turnId, number, length])).toEqual([
    [null, null, 1],
    ['t1', 1, 2],
    [null, null, 1],
  ]);
});

test.each([
  [0, '+0:00.000'],
  [65_230, '+1:05.230'],
  [3_723_004, '+1:02:03.004'],
])('%d ms reads %s', (ms, text) => {
  expect(sinceStart(ms)).toBe(text);
});

describe('the proof of a citation', () => {
  const citing = event(4, 'SentenceGenerated', {
    payload: { turnId: 't1', index: 0, citations: ['p2', 'p9'] },
    personal: { text: 'Blue.' },
  });

  test('names where its passage was found, and that a passage was not', () => {
    expect(proofs([retrieved, citing], 4)).toEqual([
      {
        turnId: 't1',
        index: 0,
        revision: 4,
        text: 'Blue.',
        citations: [
          {
            passageId: 'p2',
            found: { revision: 3, rank: 2, total: 2, score: 4, contentHash: 'h2', knowledgeBaseId: 'light', knowledgeRevision: 6 },
          },
          { passageId: 'p9', found: null },
        ],
      },
    ]);
  });

  test('counts nothing that came later', () => {
    expect(proofs([retrieved, citing], 3)).toEqual([]);
  });

  test('does not accept a passage found for another question', () => {
    const other = event(4, 'SentenceGenerated', { payload: { turnId: 't2', index: 0, citations: ['p2'] }, personal: null });
    expect(proofs([retrieved, other], 4)[0]).toMatchObject({ text: null, citations: [{ passageId: 'p2', found: null }] });
  });
});

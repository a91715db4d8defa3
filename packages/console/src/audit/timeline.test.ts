import type { AuditedEvent } from '@virtual-tutor/sdk';
import { expect, test } from 'vitest';
import { groupByTurn, sinceStart } from './timeline.ts';

function event(revision: number, type: string, { payload }: Pick<AuditedEvent, 'payload'>): AuditedEvent {
  return {
    ...{ id: `event-${revision}`, type, schemaVersion: 1, stream: 'session-1', revision, position: revision, tenantId: 'default' },
    ...{ occurredAt: '2026-01-01T00:00:00.000Z', recordedAt: '2026-01-01T00:00:00.000Z', contentHash: 'a', hash: 'b' },
    ...{ actor: { kind: 'system', id: 'engine' }, causationId: 'cause', correlationId: 'correlation', payload },
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

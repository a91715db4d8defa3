import type { TurnComparison } from '@virtual-tutor/engine/scenario';
import { PassageId } from '@virtual-tutor/schemas';
import { describe, expect, test } from 'vitest';
import { describeTurn, type FailsOn, isFailure } from './report.ts';

const passage = { passageId: PassageId.parse('6f1f7d1e-52f7-4f57-8a5e-0d7c4c8d9a10#0'), title: 'Light', contentHash: 'a'.repeat(64) };
const same: TurnComparison = {
  ...{ turn: 2, verdict: 'same', citations: 'same', question: 'Why?', difference: [] },
  answer: { before: 'So.', now: 'So.' },
  cited: { before: [passage], now: [passage] },
  retrieved: { before: [passage], now: [passage] },
  model: { before: 'm', now: 'm' },
  tutorRevision: { before: 1, now: 1 },
  knowledgeRevision: { before: 2, now: 3 },
  firstTokenMs: { before: null, now: 5 },
  totalMs: { before: 8, now: 8 },
  failure: { before: null, now: null },
};

test.each<[Partial<TurnComparison>, readonly FailsOn[]]>([
  [{}, []],
  [{ verdict: 'changed' }, ['answer']],
  [{ verdict: 'answered' }, ['answer']],
  [{ citations: 'changed' }, ['answer', 'citations']],
  [{ verdict: 'changed', citations: 'changed' }, ['answer', 'citations']],
  [{ verdict: 'lost' }, ['answer', 'citations', 'failure']],
  [{ verdict: 'failed' }, ['answer', 'citations', 'failure']],
  [{ verdict: 'erased' }, []],
])('%j fails on %j', (difference, expected) => {
  const all: readonly FailsOn[] = ['answer', 'citations', 'failure'];
  expect(all.filter((from) => isFailure({ ...same, ...difference }, from))).toEqual(expected);
});

describe('a turn for people', () => {
  test('has what was then and what is now, where they differ', () => {
    expect(describeTurn(same, 'en').split('\n')).toEqual([
      'turn 2: same answer',
      ...['    question: Why?', '    cited: Light', '    model: m', '    tutor: revision 1', '    course: revision 2 -> revision 3'],
      ...['    first word: none -> 5 ms', '    in all: 8 ms'],
    ]);
    const changed = describeTurn(
      { ...same, verdict: 'changed', citations: 'changed', difference: [{ sentence: '是。', in: 'now' }] },
      'zh',
    );
    expect(changed).toMatch(/^第 2 轮：回答不同，引用的段落不同\n[\s\S]*\n {2}\+ 是。$/);
  });

  test('moves no cursor and turns no writing around, whatever the file says', () => {
    const hostile = { ...same, question: 'a\u001b[2Jb\u202ec\u0007\rd' };
    expect(describeTurn(hostile, 'en')).toContain('question: a�[2Jb�c��d\n');
  });
});

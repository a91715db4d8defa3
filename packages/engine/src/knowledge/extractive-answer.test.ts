import { PassageId } from '@virtual-tutor/schemas';
import { describe, expect, test } from 'vitest';
import type { LlmRequest, RankedPassage } from '../ports.ts';
import { composeAnswer } from './extractive-answer.ts';

const documentId = '0190f5fe-7c00-7a00-8000-000000000001';
function passage(n: number, text: string, score = 10): RankedPassage {
  return { passageId: PassageId.parse(`${documentId}#${n}`), documentId, title: 'T', text, contentHash: '', score };
}

const light = passage(0, '## Light\n\nLight is a **wave**. Blue light scatters most. Red light scatters least.');
const guang = passage(1, '## 光\n\n光是一种波。蓝光散射最多，所以天空是蓝色的。');

function answer(overrides: Partial<LlmRequest>): string {
  return composeAnswer({
    question: 'Why does blue light scatter?',
    passages: [light],
    topics: ['Light', 'Water'],
    language: 'en',
    messages: [],
    ...overrides,
  });
}

describe('an answer without a model', () => {
  test('says so, quotes the passage without headings and marks, and cites it', () => {
    expect(answer({})).toBe(
      'No language model is connected right now, so I am quoting the course.\n\n' +
        '“Light is a wave. Blue light scatters most. Red light scatters least.” [1]',
    );
  });

  test('speaks Chinese to a Chinese student', () => {
    expect(answer({ language: 'zh', question: '天空为什么是蓝色的？', passages: [guang] })).toBe(
      '现在没有连接语言模型，所以我直接引用课程原文。\n\n“光是一种波。蓝光散射最多，所以天空是蓝色的。” [1]',
    );
  });

  test('gives the reason in full only once in a lesson', () => {
    const messages = [{ role: 'assistant', content: answer({}) }] as const;
    expect(answer({ messages })).toMatch(/^From the course:\n\n“/);
    expect(answer({ messages: [{ role: 'user', content: answer({}) }] })).toMatch(/^No language model/);
  });

  test('prefers passages in the language of the answer and keeps their numbers', () => {
    expect(answer({ passages: [guang, light] })).toMatch(/“Light is a wave.*\[2\]$/);
    expect(answer({ language: 'zh', question: '蓝光', passages: [light, guang] })).toMatch(/“光是一种波.*\[2\]$/);
  });

  test('says so when the course has it only in the other language', () => {
    expect(answer({ passages: [guang] })).toContain('only in Chinese');
    expect(answer({ language: 'zh', passages: [light] })).toContain('只有英文');
  });

  test('quotes a second passage only when it fits nearly as well', () => {
    const second = (score: number) => answer({ passages: [light, passage(2, 'Blue light has short waves.', score)] });
    expect(second(9)).toMatch(/\[1\]\n\n“Blue light has short waves\.” \[2\]$/);
    expect(second(3)).not.toContain('[2]');
  });

  test('of a long passage quotes the sentences that meet the question, and not all', () => {
    const filler = 'Nothing of interest is said in this rather long sentence about other things. '.repeat(12);
    const quoted = answer({ passages: [passage(0, `${filler}Blue light scatters most.`)] });
    expect(quoted).toContain('Blue light scatters most.” [1]');
    expect(quoted.length).toBeLessThan(650);
  });

  test('when nothing fits says so and what to ask instead', () => {
    expect(answer({ passages: [] })).toBe(
      'No language model is connected right now, and I could not find an answer to this in the course. You could ask me about: Light; Water.',
    );
    expect(answer({ passages: [], language: 'zh' })).toContain('你可以问我这些内容：Light、Water。');
    expect(answer({ passages: [], topics: [] })).not.toContain('ask me about');
  });

  test('numbers that stand in the course like citations are not quoted as ours', () => {
    expect(answer({ passages: [passage(0, 'Blue light scatters [7].')] })).toContain('“Blue light scatters.” [1]');
  });
});

import { expect, test } from 'vitest';
import { playoutRate, type Speech } from '../media/ports.ts';
import { leadMs, tailMs } from './finish.ts';
import { joinRuns, languageRuns } from './language-runs.ts';

test.for([
  ['en', 'Plain English.', ['en:Plain English.']],
  ['en', 'The word 你好 means hello.', ['en:The word ', 'zh:你好', 'en: means hello.']],
  ['en', '你好，世界！ That is all.', ['zh:你好，世界！', 'en: That is all.']],
  ['en', 'Say 谢谢.', ['en:Say ', 'zh:谢谢']],
  ['zh', '我们用 Python 学习。', ['zh:我们用 Python 学习。']],
] as const)('%s: %s', ([language, text, expected]) => {
  expect(languageRuns(text, language).map((run) => `${run.language}:${text.slice(run.from, run.to)}`)).toEqual(expected);
});

function spoken(lengthMs: number): Speech {
  const samples = new Int16Array(((leadMs + lengthMs + tailMs) * playoutRate) / 1000);
  samples.fill(7, (leadMs * playoutRate) / 1000, ((leadMs + lengthMs) * playoutRate) / 1000);
  return {
    samples,
    words: [{ from: 0, to: 2, startMs: leadMs, endMs: leadMs + lengthMs }],
    visemes: [
      { viseme: 'sil', startMs: 0, endMs: leadMs },
      { viseme: 'aa', startMs: leadMs, endMs: leadMs + lengthMs },
      { viseme: 'sil', startMs: leadMs + lengthMs, endMs: leadMs + lengthMs + tailMs },
    ],
    engine: 'a',
  };
}

test('runs are joined with a short seam, and nothing that is heard is lost', () => {
  const joined = joinRuns([
    { from: 0, speech: spoken(400) },
    { from: 3, speech: spoken(600) },
  ]);
  expect(joined.samples.filter((sample) => sample === 7).length).toBe((1_000 * playoutRate) / 1000);
  const [first, second] = joined.words;
  expect(first).toEqual({ from: 0, to: 2, startMs: leadMs, endMs: leadMs + 400 });
  expect(second).toMatchObject({ from: 3, to: 5 });
  expect((second?.startMs ?? 0) - (first?.endMs ?? 0)).toBe(50);
  expect(joined.samples[Math.round(((second?.startMs ?? 0) * playoutRate) / 1000)]).toBe(7);
  for (const [index, { startMs }] of joined.visemes.entries()) expect(startMs).toBeCloseTo(joined.visemes[index - 1]?.endMs ?? 0, 3);
});

test('a single run is what it was', () => {
  const speech = spoken(300);
  expect(joinRuns([{ from: 0, speech }])).toBe(speech);
  expect(joinRuns([]).samples.length).toBe(0);
});

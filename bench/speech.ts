import { parseArgs } from 'node:util';
import type { Locale } from '@virtual-tutor/schemas';
import { playoutRate } from '../packages/engine/src/media/ports.ts';
import { createSpeaker } from '../packages/engine/src/speech/speaker.ts';

/*
 * How long a sentence takes from `say` to its samples with the embedded voices, one at a time and four
 * at once; how long until the first one after a start; and what memory 500 sentences leave behind.
 */

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false }, sentences: { type: 'string', default: '100' } } });
const rounds = Number(values.sentences);
const soakSentences = 500;

/** About 12 words, or 16 characters; no two alike, so that nothing is remembered as a whole. */
const subjects: Readonly<Record<Locale, readonly string[]>> = {
  en: [
    'The leaf',
    'A cell',
    'The river',
    'Your answer',
    'This triangle',
    'The second law',
    'An old poem',
    'Our planet',
    'The verb',
    'A vector',
  ],
  zh: ['叶子', '细胞', '这条河', '你的答案', '这个三角形', '第二定律', '一首古诗', '我们的行星', '这个动词', '一个向量'],
};
const predicates: Readonly<Record<Locale, readonly string[]>> = {
  en: [
    'turns light into sugar, and keeps most of it for itself.',
    'shows how small steps add up to a very large change.',
    'has three parts, which we will look at one by one.',
    'is easier to understand once you draw it on paper first.',
    'follows the same rule that we met in the last lesson.',
  ],
  zh: [
    '把光变成糖，并且自己留下大部分。',
    '说明小小的变化可以积累成大变化。',
    '有三个部分，我们一个一个地看。',
    '画在纸上以后就容易理解得多。',
    '符合我们上一课学过的规律。',
  ],
};

function sentence(language: Locale, index: number): string {
  const [subject, predicate] = [subjects[language], predicates[language]];
  const gap = language === 'zh' ? '' : ' ';
  return `${subject[index % subject.length]}${gap}${predicate[Math.floor(index / subject.length) % predicate.length]}`;
}

function percentile(sorted: readonly number[], share: number): number {
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
}

const startedMs = performance.now();
await using speaker = createSpeaker({ enabled: true, edgeVoice: null });

async function timed(language: Locale, index: number): Promise<{ readonly ms: number; readonly audioMs: number }> {
  const saidMs = performance.now();
  const { samples } = await speaker.say({ text: sentence(language, index), language, voice: null, signal: new AbortController().signal });
  return { ms: performance.now() - saidMs, audioMs: (samples.length * 1000) / playoutRate };
}

async function measure(language: Locale, atOnce: number) {
  const taken: number[] = [];
  let audioMs = 0;
  let next = 0;
  const one = async () => {
    while (next < rounds) {
      const result = await timed(language, next++);
      taken.push(result.ms);
      audioMs += result.audioMs;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, one));
  const sorted = taken.toSorted((a, b) => a - b);
  return { p50Ms: percentile(sorted, 0.5), p95Ms: percentile(sorted, 0.95), meanAudioMs: Math.round(audioMs / rounds) };
}

await timed('en', 0);
const firstEnglishMs = Math.round(performance.now() - startedMs);
await timed('zh', 0);
const firstChineseMs = Math.round(performance.now() - startedMs);
const english = { alone: await measure('en', 1), fourAtOnce: await measure('en', 4) };
const chinese = { alone: await measure('zh', 1), fourAtOnce: await measure('zh', 4) };
const rssBefore = process.memoryUsage.rss();
for (let index = 0; index < soakSentences; index += 1) await timed(index % 2 === 0 ? 'en' : 'zh', index);
const grownMiB = Math.round((process.memoryUsage.rss() - rssBefore) / 2 ** 20);
const result = { firstEnglishMs, firstChineseMs, english, chinese, soakSentences, rssMiB: Math.round(rssBefore / 2 ** 20), grownMiB };
console.log(values.json ? JSON.stringify(result) : result);

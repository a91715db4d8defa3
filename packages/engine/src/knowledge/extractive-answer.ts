import type { Locale } from '@virtual-tutor/schemas';
import type { LlmRequest, RankedPassage } from '../ports.ts';
import { sentencesOf } from '../turn/sentences.ts';
import { documentTerms, queryTerms } from './terms.ts';

/** Longest quotation from one passage, characters. */
const quoteLength = { en: 520, zh: 200 } as const satisfies Record<Locale, number>;
const mostQuotes = 2;
/** A second passage is quoted only when it ranks nearly as high as the first. */
const closeScore = 0.75;
const mostTopics = 6;

const wording = {
  en: {
    notice: 'No language model is connected right now, so I am quoting the course.\n\n',
    again: 'From the course:\n\n',
    foreign: 'The course has this only in Chinese:\n\n',
    nothing: 'No language model is connected right now, and I could not find an answer to this in the course.',
    topics: (titles: readonly string[]) => ` You could ask me about: ${titles.join('; ')}.`,
    quote: (text: string) => `“${text}”`,
  },
  zh: {
    notice: '现在没有连接语言模型，所以我直接引用课程原文。\n\n',
    again: '课程里是这样写的：\n\n',
    foreign: '课程里这部分内容只有英文：\n\n',
    nothing: '现在没有连接语言模型，我在课程里也没有找到这个问题的答案。',
    topics: (titles: readonly string[]) => `你可以问我这些内容：${titles.join('、')}。`,
    quote: (text: string) => `“${text}”`,
  },
} as const satisfies Record<Locale, unknown>;

/** What it says of itself: no words of a course or a student. */
export const ownSentences: readonly string[] = [wording.en, wording.zh].flatMap((words) => [
  words.notice,
  words.again,
  words.foreign,
  words.nothing,
  words.topics([]),
]);

type Question = Pick<LlmRequest, 'question' | 'passages' | 'topics' | 'language' | 'messages'>;

/** The whole answer: an open word about the missing model, then the best sentences of the best passages, each quotation with its number. */
export function composeAnswer(request: Question): string {
  const { language, passages, topics } = request;
  const words = wording[language];
  if (passages.length === 0) return `${words.nothing}${topics.length === 0 ? '' : words.topics(topics.slice(0, mostTopics))}`;
  const native = passages.filter((passage) => languageOf(passage.text) === language);
  const chosen = (native.length > 0 ? native : passages).filter((passage, _, [best]) => passage.score >= closeScore * (best?.score ?? 0));
  const quotes = chosen.slice(0, mostQuotes).map((passage) => {
    const number = passages.indexOf(passage) + 1;
    return `${words.quote(bestSentences(passage, request))} [${number}]`;
  });
  return `${opening(request)}${native.length > 0 ? '' : words.foreign}${quotes.join('\n\n')}`;
}

/** Said in full once in a lesson. */
function opening({ language, messages }: Question): string {
  const { notice, again } = wording[language];
  const saidBefore = messages.some((message) => message.role === 'assistant' && message.content.includes(notice.trim()));
  return saidBefore ? again : notice;
}

function languageOf(text: string): Locale {
  const han = text.match(/\p{sc=Han}/gu)?.length ?? 0;
  const latin = text.match(/[a-z]+/gi)?.length ?? 0;
  return han > latin ? 'zh' : 'en';
}

/** The run of neighbouring sentences that meets the question best within the length of a quotation; of equals the first, which leads up to the point. */
function bestSentences(passage: RankedPassage, { question, language }: Question): string {
  const sentences = sentencesOf(prose(passage.text));
  const asked = queryTerms(question);
  const scores = sentences.map((sentence) => {
    const terms = new Set(documentTerms(sentence));
    return asked.filter((term) => terms.has(term)).length;
  });
  let best = { text: '', score: -1 };
  for (const start of sentences.keys()) {
    let window = { text: sentences[start] ?? '', score: scores[start] ?? 0 };
    for (const [i, sentence] of sentences.slice(start + 1).entries()) {
      if (window.text.length + sentence.length > quoteLength[language]) break;
      window = { text: window.text + sentence, score: window.score + (scores[start + 1 + i] ?? 0) };
    }
    if (window.score > best.score) best = window;
  }
  return best.text.trim();
}

/** Markdown without headings and marks: what a person would read out. */
function prose(markdown: string): string {
  return markdown
    .replaceAll(/^#{1,6}\s.*$/gm, '')
    .replaceAll(/^\s*(?:[-*+]|\d{1,3}[.)])\s+/gm, '')
    .replaceAll(/\*{1,3}|`{1,3}|__/g, '')
    .replaceAll(/ ?\[\d+\]/g, '')
    .replaceAll(/\n{3,}/g, '\n\n')
    .trim();
}

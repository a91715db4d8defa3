import { redactionMark } from '@virtual-tutor/schemas';
import { everydayWords } from './everyday-words.ts';

const patterns: readonly RegExp[] = [
  /(?:https?:\/\/|www\.)[^\s]+/giu,
  /[\p{L}\p{N}._%+-]+@[\p{L}\p{N}.-]*[\p{L}\p{N}]/gu,
  /(?<![\p{L}\p{N}])@[\p{L}\p{N}_.]+/gu,
  // Telephones, dates, numbers of cards and houses: five digits and more, however they are grouped.
  /\+?\(?\p{Nd}(?:[\s()./\-–—:]{0,2}\p{Nd}){4,}/gu,
  /[零〇一二两三四五六七八九幺○]{5,}/gu,
  // Of letters and digits, as of accounts, students and cars.
  /(?=[A-Za-z_-]*\d)(?=[\d_-]*[A-Za-z])[A-Za-z\d_-]{6,}/gu,
  // Spelled out.
  /(?<!\p{L})\p{L}(?:[\s.-]{1,2}\p{L}(?!\p{L})){2,}/gu,
];

const word = String.raw`\p{L}[\p{L}\p{M}'’\-]*`;
const nameLike = String.raw`\p{Lu}[\p{L}\p{M}'’\-]*`;
/** What follows is a name, however it is written. */
const surely = new RegExp(
  String.raw`(?<!\p{L})(?:my (?:\p{L}+ )?name(?:'s|’s| is)|call me|i am called|i'm called|name:)\s+(${word}(?:\s+${word}){0,2})`,
  'giu',
);
/** What follows is one, if it is written like one. */
const perhaps = new RegExp(
  String.raw`(?<!\p{L})(?:[Ii] am|[Ii]['’]?m|[Tt]his is|[Ii]t['’]s|[Mm]rs?\.?|[Mm]s\.?|[Mm]iss|[Dd]r\.?)\s+(${nameLike}(?:\s+${nameLike}){0,2})`,
  'gu',
);
/** Up to a boundary, or else two or three characters. */
const chinese = (before: string) =>
  new RegExp(
    String.raw`(?:${before})\s*(?:(\p{sc=Han}{1,4}?)(?=同学|老师|为什么|请问|[^\p{sc=Han}]|$)|(\p{sc=Han}{2,3}(?:·\p{sc=Han}+)*))`,
    'gu',
  );
const surelyChinese = chinese('我叫|名字是|名字叫|叫我|我姓');
const perhapsChinese = chinese('我是');

export interface Introductions {
  readonly surely: readonly string[];
  /** Unless the course has them: `It's Newton`. */
  readonly perhaps: readonly string[];
}

/** Names by which somebody introduces herself; each word of them by itself. */
export function introductionsIn(text: string): Introductions {
  return {
    surely: [...namesIn(text, surely), ...chineseNamesIn(text, surelyChinese)],
    perhaps: [...namesIn(text, perhaps), ...chineseNamesIn(text, perhapsChinese)],
  };
}

function namesIn(text: string, pattern: RegExp): readonly string[] {
  return [...text.matchAll(pattern)].flatMap((match) => {
    const words = (match[1] ?? '').split(/\s+/u);
    // Will is somebody, will is not.
    const end = words.findIndex((one) => everydayWords.has(one));
    return end === -1 ? words : words.slice(0, end);
  });
}

function chineseNamesIn(text: string, pattern: RegExp): readonly string[] {
  return [...text.matchAll(pattern)]
    .flatMap(([, bounded, guessed]) => [bounded ?? [], guessed === undefined ? [] : [guessed, guessed.slice(0, 2)]].flat())
    .filter((name) => !everydayWords.has(name));
}

/** Without addresses, numbers and other identifiers, and without these words. */
export function withoutIdentifiers(text: string, hidden: readonly string[]): string {
  const clean = patterns.reduce((left, pattern) => left.replaceAll(pattern, redactionMark), text);
  return hidden.toSorted((a, b) => b.length - a.length).reduce((left, name) => left.replaceAll(wholeWord(name), redactionMark), clean);
}

function wholeWord(name: string): RegExp {
  const literal = RegExp.escape(name);
  if (/\p{sc=Han}/u.test(name)) return new RegExp(literal, 'gu');
  const asWritten = everydayWords.has(name.toLowerCase());
  return new RegExp(String.raw`(?<![\p{L}\p{N}])${literal}(?![\p{L}\p{N}])`, asWritten ? 'gu' : 'giu');
}

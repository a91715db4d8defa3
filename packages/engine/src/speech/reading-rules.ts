import type { Locale } from '@virtual-tutor/schemas';
import { joinWords, readFormula } from './formula.ts';
import { symbolWord } from './formula-words.ts';
import { readUnit } from './units.ts';

/**
 * What a match means for the voice. `say`: these words instead of it. `within`: only this part of it,
 * read in its turn. `join`: nothing, and what stands around it is one. `gap`: nothing, between words.
 * `pause`: a breath. `copy`: itself. Offsets are from the beginning of the match.
 */
export type Reading =
  | { readonly type: 'say'; readonly words: string }
  | { readonly type: 'within'; readonly from: number; readonly to: number }
  | { readonly type: 'join' | 'gap' | 'pause' | 'copy' };

export interface ReadingRule {
  /** Sticky. */
  readonly pattern: RegExp;
  /** Null: the next rule may try. */
  read(match: RegExpExecArray, locale: Locale): Reading | null;
}

const join: Reading = { type: 'join' };
const gap: Reading = { type: 'gap' };
const pause: Reading = { type: 'pause' };
const copy: Reading = { type: 'copy' };

function say(words: string): Reading {
  return words === '' ? gap : { type: 'say', words };
}

function pick(locale: Locale, en: string, zh: string): string {
  return locale === 'zh' ? zh : en;
}

function within(match: RegExpExecArray, part: string): Reading {
  const from = match[0].indexOf(part);
  return { type: 'within', from, to: from + part.length };
}

function formula(match: RegExpExecArray, locale: Locale): Reading {
  return say(readFormula(match.slice(1).find((part) => part !== undefined) ?? match[0], locale));
}

/** `someName_x += 1` in words. */
function code(match: RegExpExecArray, locale: Locale): Reading {
  const words = (match[2] ?? '')
    .replaceAll(/(?<=\p{Ll})(?=\p{Lu})/gu, ' ')
    .replaceAll(/(?<=[\p{L}\p{N}])\.(?=[\p{L}])/gu, ` ${pick(locale, 'dot', '点')} `)
    .replaceAll(/[=!]=+/gu, (equal) => (equal.startsWith('!') ? '≠' : '='))
    .match(/\p{L}+|\d+(?:\.\d+)?|[^\s\p{L}\p{N}]/gu);
  return say(joinWords((words ?? []).map((word) => (/^\p{L}{2,}/u.test(word) ? word : readFormula(word, locale)))));
}

const codeBlock: ReadingRule = {
  pattern: /^[ \t]*(```|~~~)[^\n]*(?:\n[\s\S]*?(?:^[ \t]*\1[`~]*[ \t]*$|$(?![\s\S]))|$)/muy,
  read: (_, locale) => say(pick(locale, 'The code is on the screen', '代码在屏幕上')),
};

const blocks: readonly ReadingRule[] = [
  // The end of a code block that was too long for one sentence: its beginning was announced.
  { pattern: /^(?:(?![ \t]*(?:```|~~~)).*\n)+[ \t]*(?:```|~~~)\s*$/uy, read: () => gap },
  codeBlock,
  // Thematic breaks, and the line below a table's head.
  { pattern: /^[ \t]*(?:([-*_])(?:[ \t]*\1){2,}|\|?[ \t]*:?-{2,}:?[ \t]*(?:\|[ \t]*:?-{2,}:?[ \t]*)*\|?)[ \t]*$/muy, read: () => gap },
  { pattern: /^[ \t]*(?:(?:#{1,6}|[-*+•‣◦]|(?:>[ \t]*)+)[ \t]+|>)(?:\[[ xX]\][ \t]+)?/muy, read: () => pause },
  { pattern: /[ \t]+#+[ \t]*$/muy, read: () => gap },
];

const math: readonly ReadingRule[] = [
  { pattern: /\$\$([\s\S]+?)\$\$/uy, read: formula },
  { pattern: /\\\[([\s\S]+?)\\\]/uy, read: formula },
  { pattern: /\\\(([\s\S]+?)\\\)/uy, read: formula },
  // As Pandoc has it, so that "$5 and $10" stays money.
  { pattern: /\$(?!\s)([^$\n]+?)(?<![\s\\])\$(?!\d)/uy, read: formula },
  { pattern: /\\\p{L}+(?:\s*(?:\[[^[\]\n]*\]|\{(?:[^{}\n]|\{[^{}\n]*\})*\}))*(?:[_^](?:\{[^{}\n]*\}|[\p{L}\p{N}]))*/uy, read: formula },
  // Typed without LaTeX: x^2, a_1, 10^-3, (a+b)^2, x², H₂O, f(x), √2.
  {
    pattern:
      /(?:(?<![\p{L}\p{N}])\p{sc=Latin}{1,2}|\d+(?:\.\d+)?|(?<![\p{L}\p{N}])\([^()\n]{1,40}\))(?:\^(?:\{[^{}\n]*\}|\([^()\n]*\)|[-−]?(?:\d+|\p{L}(?!\p{L})))|(?<=[^\d])_(?:\{[^{}\n]*\}|[\p{L}\p{N}](?![\p{L}\p{N}]))|[⁰¹²³⁴-⁹⁺⁻ⁿ]+)+/uy,
    read: formula,
  },
  { pattern: /(?<![\p{L}\p{N}])[\p{sc=Latin}\d]*[₀-₉₊₋][\p{sc=Latin}₀-₉₊₋]*/uy, read: formulaOfSubstance },
  { pattern: /(?<![\p{L}\p{N}])[fghpqFGHP]\(\s*[\p{L}\d][^()\n]{0,20}\)/uy, read: formula },
  { pattern: /√\s*(?:\d+(?:\.\d+)?|\p{sc=Latin}(?!\p{L})|\([^()\n]{1,40}\))/uy, read: formula },
];

/** H₂O is no x₂: nobody says "sub". */
function formulaOfSubstance(match: RegExpExecArray, locale: Locale): Reading {
  const parts = match[0].normalize('NFKC').match(/\p{Lu}\p{Ll}?|\p{L}|\d+|[+−-]/gu) ?? [];
  return say(joinWords(parts.map((part) => (/^\d/u.test(part) || !/\p{L}/u.test(part) ? readFormula(part, locale) : [...part].join(' ')))));
}

const links: readonly ReadingRule[] = [
  { pattern: /!\[([^\]\n]*)\]\((?:[^()\n]|\([^()\n]*\))*\)/uy, read: (match) => (match[1] === '' ? gap : within(match, match[1] ?? '')) },
  // Citations: [1], [2, 3], [^1], 【1†source】, also when they are links.
  {
    pattern:
      /[ \t]*(?:\[\^?\d{1,3}(?:(?:[,，、] ?|[-–])\d{1,3}){0,8}\](?:\((?:[^()\n]|\([^()\n]*\))*\)|:(?!\/))?|【\d{1,3}(?:[†:][^】\n]*)?】)/uy,
    read: () => join,
  },
  { pattern: /\[\^[^\]\n]{1,40}\]:?/uy, read: () => join },
  {
    pattern: /\[((?:[^[\]\n]|\[[^[\]\n]*\])+)\](?:\((?:[^()\n]|\([^()\n]*\))*\)|\[[^\]\n]*\])/uy,
    read: (match) => within(match, match[1] ?? ''),
  },
  {
    pattern:
      /<?(?:https?|ftp):\/\/(?:[^\s/<>@，。]*@)?([^\s/:?#<>()[\]{}"'`*，。！？；：、）】》“”…]+)[^\s<>()[\]{}"'`*，。！？；：、）】》“”…]*(?<![.,;:!?_~])>?/uy,
    read: (match, locale) => say(pick(locale, `link to ${spokenHost(match[1] ?? '')}`, '链接')),
  },
  {
    pattern: /(?<![\p{L}\p{N}.])www\.([\w-]+(?:\.[\w-]+)+)(?:\/[^\s<>()[\]{}"'，。！？；：、]*(?<![.,;:!?]))?/uy,
    read: (match, locale) => say(pick(locale, `link to ${spokenHost(match[1] ?? '')}`, '链接')),
  },
  {
    pattern: /<?(?:mailto:)?([\w+-]+(?:\.[\w+-]+)*)@([\w-]+(?:\.[\w-]+)+)>?/uy,
    read: (match, locale) => say(pick(locale, `${asLetters(match[1] ?? '')} at ${spokenHost(match[2] ?? '')}`, '电子邮箱')),
  },
  { pattern: /<!--[\s\S]*?-->|<\/?[a-zA-Z][^<>\n]*>/uy, read: () => gap },
  { pattern: /&(amp|lt|gt|[a-zA-Z]{2,8}|#\d{1,7}|#x[\da-fA-F]{1,6});/uy, read: readEntity },
];

function spokenHost(host: string): string {
  return asLetters(host.replace(/^www\./u, '').replaceAll('.', ' dot '));
}

/** What is not a letter or a digit separates. */
function asLetters(text: string): string {
  return text
    .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
    .replaceAll(/\d+/gu, (digits) => ` ${readFormula(digits, 'en')} `)
    .replaceAll(/ +/gu, ' ')
    .trim();
}

function readEntity(match: RegExpExecArray, locale: Locale): Reading {
  if (match[1] === 'amp') return say(pick(locale, 'and', '和'));
  const sign = match[1] === 'lt' ? '<' : match[1] === 'gt' ? '>' : '';
  return say(symbolWord(sign, locale) ?? '');
}

const abbreviations: Readonly<Record<string, readonly [en: string, zh: string]>> = {
  'e.g.': ['for example', '例如'],
  'i.e.': ['that is', '也就是'],
  'etc.': ['and so on', '等等'],
  'vs.': ['versus', '对'],
  vs: ['versus', '对'],
  'cf.': ['compare', '参见'],
  'approx.': ['approximately', '大约'],
  'Fig.': ['figure', '图'],
  'No.': ['number', '第'],
  'Eq.': ['equation', '公式'],
  'a.m.': ['A M', '上午'],
  'p.m.': ['P M', '下午'],
};

const words: readonly ReadingRule[] = [
  // Without a number before it, only what can hardly be anything else.
  {
    pattern: /(?<![\p{L}\p{N}])(?:[kc]?m|[km]?g|mol|k?J|m?L|[kMG]B)\/(?:h|s|min|kg|[cd]?m|m?L|mol)(?:[²³]|\^[23])?(?![\p{L}\p{N}])/uy,
    read: (match, locale) => say(readUnit(match[0], { locale, single: false, spaced: true }) ?? ''),
  },
  { pattern: /(`+)([^`]|[^`][\s\S]*?[^`])\1(?!`)/uy, read: code },
  {
    pattern:
      /(?<![\p{L}\p{N}.])(?:e\.g\.|i\.e\.|etc\.|vs\.?(?!\p{L})|cf\.|approx\.|Fig\.(?= ?\d)|No\.(?= ?\d)|Eq\.(?= ?[\d(])|[ap]\.m\.)/uy,
    read: (match, locale) => {
      const pair = abbreviations[match[0]];
      return pair === undefined ? null : say(pick(locale, ...pair));
    },
  },
  // U.S.A.: letters, not the ends of sentences.
  { pattern: /(?<![\p{L}\p{N}.])(?:\p{Lu}\.){2,}/uy, read: (match) => say(match[0].replaceAll('.', ' ').trim()) },
  {
    pattern: /(?<![\p{L}\p{N}])C(?:\+\+|#)/uy,
    read: (match, locale) => say(match[0] === 'C#' ? 'C sharp' : pick(locale, 'C plus plus', 'C 加加')),
  },
  { pattern: /(?:(?!\p{sc=Han})[\p{L}\p{M}])+(?:['’-](?:(?!\p{sc=Han})[\p{L}\p{M}])+)*|(?:(?=[\p{L}\p{N}])\p{sc=Han})+/uy, read: readWord },
  { pattern: /(?:(?![½⅓⅔¼¾])\p{N})+/uy, read: readFigures },
];

/** Circled, Roman and full-width figures. */
function readFigures(match: RegExpExecArray, locale: Locale): Reading {
  const parts = match[0].normalize('NFKC').match(/\d+|\p{L}+/gu) ?? [];
  return say(joinWords(parts.map((part) => (/^\d/u.test(part) ? readFormula(part, locale) : part))));
}

/** Mathematical and full-width letters are letters; a Greek letter alone has a name. */
function readWord(match: RegExpExecArray, locale: Locale): Reading {
  const [word] = match;
  const name = symbolWord(word, locale);
  if (name !== null) return say(name);
  const plain = word.normalize('NFKC');
  return plain === word.normalize('NFC') ? copy : say(plain);
}

const marks: readonly ReadingRule[] = [
  // Emoji, flags and keycaps, with what modifies them.
  {
    pattern:
      /(?:[\d#*]\ufe0f?\u20e3|\p{Regional_Indicator}+|\p{Extended_Pictographic}(?:\ufe0f|\p{Emoji_Modifier})*(?:\u200d\p{Extended_Pictographic}(?:\ufe0f|\p{Emoji_Modifier})*)*)\ufe0f?/uy,
    read: () => gap,
  },
  { pattern: /(?<=[\d\p{sc=Latin})] )\*(?= [\d\p{sc=Latin}(])|(?<=\d)\*(?=\d)/uy, read: (_, locale) => say(pick(locale, 'times', '乘以')) },
  { pattern: /(?<=[\d\p{sc=Latin})] )[-−–](?= (?:\d|\p{sc=Latin}(?!\p{L})|\())/uy, read: readMinus },
  { pattern: /(?<![\p{L}\p{N})])[-−](?=\d)/uy, read: (_, locale) => say(pick(locale, 'minus', '负')) },
  { pattern: /[–—]+|--+|(?<=\s)-(?=\s)|[()（）[\]【】|…⋯]|\.{2,}/uy, read: () => pause },
  { pattern: /~(?=\d)/uy, read: (_, locale) => say(pick(locale, 'about', '约')) },
  { pattern: /#(?=\d)/uy, read: (_, locale) => say(pick(locale, 'number', '第')) },
  { pattern: /&/uy, read: (_, locale) => say(pick(locale, 'and', '和')) },
  { pattern: /(?<=[\p{L}\p{N}])@(?=[\p{L}\p{N}])/uy, read: (_, locale) => say(pick(locale, 'at', '在')) },
  { pattern: /(?<=\p{sc=Han})·(?=\p{sc=Han})/uy, read: () => gap },
  { pattern: /[<>](?=[\s\d\p{sc=Latin}])|[^\p{L}\p{N}\s<>]/uy, read: readSymbol },
  { pattern: /(?<=[\p{Ll}\p{N}])\.(?=\p{Ll}{2})/uy, read: (_, locale) => say(pick(locale, 'dot', '点')) },
  { pattern: /[.,;:!?，。！？；：、]/uy, read: () => copy },
  {
    pattern: /(?:[*_~"“”„«»「」『』《》〈〉'‘’`]|\p{Cf}|\p{Variation_Selector})+/uy,
    read: (match) => (/(?<=[\p{L}\p{N}])_(?=[\p{L}\p{N}])/u.test(around(match)) ? gap : join),
  },
  { pattern: /\n[\s]*/uy, read: () => pause },
  { pattern: /\s+/uy, read: () => gap },
];

/** "5 - 3" and "x - 1" subtract; "Monday - a day" does not. */
function readMinus(match: RegExpExecArray, locale: Locale): Reading | null {
  const before = match.input.slice(Math.max(0, match.index - 16), match.index).trimEnd();
  if (!/(?:\d|(?<![\p{L}\p{N}])\p{sc=Latin}|\))$/u.test(before)) return null;
  return say(pick(locale, 'minus', '减'));
}

/** One that formulas have words for, full-width ones too. */
function readSymbol(match: RegExpExecArray, locale: Locale): Reading | null {
  const symbol = match[0].normalize('NFKC');
  // Of substances, not of places.
  if (symbol === '→' && /[+＋]/u.test(match.input)) return say(pick(locale, 'gives', '生成'));
  const word = symbolWord(symbol, locale);
  return word === null ? null : say(word);
}

/** The match and a character on each side. */
function around(match: RegExpExecArray): string {
  return match.input.slice(Math.max(0, match.index - 1), match.index + match[0].length + 1);
}

/** Tried before numbers are, in this order. */
export const firstRules: readonly ReadingRule[] = [...blocks, ...math, ...links];
/** Tried after. */
export const laterRules: readonly ReadingRule[] = [...words, ...marks];

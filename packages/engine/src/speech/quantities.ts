import type { Locale } from '@virtual-tutor/schemas';
import { chineseDigits, chineseNumber } from './chinese-numbers.ts';
import { digitByDigit, englishNumber, englishOrdinal, englishYear } from './english-numbers.ts';
import { readUnit, unitPattern } from './units.ts';

/* Numbers as prose has them, with what belongs to them: units, money, percent, dates, times of day, ranges. */

export interface Quantity {
  /** UTF-16 units that it takes. */
  readonly length: number;
  readonly spoken: string;
}

interface Reader {
  readonly pattern: RegExp;
  /** Null: not what it looks like. */
  read(parts: Readonly<Record<string, string | undefined>>, locale: Locale): string | null;
}

const number = '\\d+(?:,\\d{3})*(?:\\.\\d+)?';
const wholeNumber = '(?![\\d]|[.,]\\d)';
const months = 'January February March April May June July August September October November December'.split(' ');
const currencies: Readonly<Record<string, readonly [one: string, many: string, cent: string, zh: string]>> = {
  $: ['dollar', 'dollars', 'cents', '美元'],
  '€': ['euro', 'euros', 'cents', '欧元'],
  '£': ['pound', 'pounds', 'pence', '英镑'],
  '¥': ['yuan', 'yuan', 'fen', '元'],
  '￥': ['yuan', 'yuan', 'fen', '元'],
};
/** Counted by 两, not by 二. */
const measureWords = '个只种次倍位本条件张名块片颗天岁样句行组步对点页章节段道题';

const readers: readonly Reader[] = [
  { pattern: /(?<year>\d{4})-(?<month>\d{1,2})-(?<day>\d{1,2})(?![\d-])/uy, read: readDate },
  { pattern: /(?<hour>\d{1,2}):(?<minute>[0-5]\d)(?![\d:])/uy, read: readTime },
  {
    pattern: new RegExp(
      `(?<sign>[$€£¥￥]) ?(?<amount>${number})(?<scale> ?(?:thousand|million|billion|trillion|万亿|万|亿))?${wholeNumber}`,
      'uy',
    ),
    read: readMoney,
  },
  { pattern: new RegExp(`(?<from>${number}) ?[%％]?[-–—~～]${'(?<to>'}${number}) ?[%％]`, 'uy'), read: readPercentRange },
  {
    pattern: new RegExp(`(?<amount>${number}) ?[%％]`, 'uy'),
    read: ({ amount = '' }, locale) => percent(readNumber(amount, locale), locale),
  },
  { pattern: /(?<top>\d{1,4})\/(?<bottom>\d{1,4})(?![\d/])/uy, read: readFraction },
  {
    pattern: new RegExp(`(?<from>${number})(?: ?[–~～] ?|-)(?=${number}(?![-\\d]))`, 'uy'),
    read: ({ from = '' }, locale) => (locale === 'zh' ? `${readNumber(from, locale)}到` : `${readNumber(from, locale)} to`),
  },
  {
    pattern: /(?<ordinal>\d{1,6})(?:st|nd|rd|th)(?![\p{L}\p{N}])/uy,
    read: ({ ordinal = '' }, locale) => (locale === 'zh' ? `第${chineseNumber(ordinal)}` : englishOrdinal(ordinal)),
  },
  { pattern: /(?<decade>1[1-9]\d0|20\d0)s(?![\p{L}\p{N}])/uy, read: readDecade },
  { pattern: new RegExp(`(?<amount>${number})(?<space> ?)(?<unit>${unitPattern})`, 'uy'), read: readMeasured },
  {
    pattern: new RegExp(`(?<year>\\d{4})${wholeNumber}(?=年)`, 'uy'),
    read: ({ year = '' }, locale) => (locale === 'zh' ? chineseDigits(year) : null),
  },
  { pattern: new RegExp(`2(?=[${measureWords}])`, 'uy'), read: (_, locale) => (locale === 'zh' ? '两' : null) },
  {
    pattern: new RegExp(`(?<year>1[1-9]\\d\\d|20\\d\\d)${wholeNumber}`, 'uy'),
    read: ({ year = '' }, locale) => (locale === 'en' ? englishYear(Number(year)) : null),
  },
  { pattern: new RegExp(`(?<amount>${number})`, 'uy'), read: ({ amount = '' }, locale) => readNumber(amount, locale) },
  // What is left of 1.2.3.
  {
    pattern: /\.(?<fraction>\d+)/uy,
    read: ({ fraction = '' }, locale) => (locale === 'zh' ? `点${chineseDigits(fraction)}` : `point ${digitByDigit(fraction)}`),
  },
];

/** The quantity that begins at `at`; null: none does. */
export function quantityAt(source: string, at: number, locale: Locale): Quantity | null {
  for (const { pattern, read } of readers) {
    pattern.lastIndex = at;
    const match = pattern.exec(source);
    const spoken = match === null ? null : read(match.groups ?? {}, locale);
    if (match !== null && spoken !== null) return { length: match[0].length, spoken };
  }
  return null;
}

function readNumber(written: string, locale: Locale): string {
  return locale === 'zh' ? chineseNumber(written) : englishNumber(written);
}

function percent(amount: string, locale: Locale): string {
  return locale === 'zh' ? `百分之${amount}` : `${amount} percent`;
}

function readPercentRange({ from = '', to = '' }: Readonly<Record<string, string | undefined>>, locale: Locale): string {
  if (locale === 'zh') return `${percent(chineseNumber(from), 'zh')}到${percent(chineseNumber(to), 'zh')}`;
  return `${englishNumber(from)} to ${englishNumber(to)} percent`;
}

function readDate({ year = '', month = '', day = '' }: Readonly<Record<string, string | undefined>>, locale: Locale): string | null {
  const name = months[Number(month) - 1];
  if (name === undefined || Number(day) < 1 || Number(day) > 31) return null;
  if (locale === 'zh') return `${chineseDigits(year)}年${chineseNumber(String(Number(month)))}月${chineseNumber(String(Number(day)))}日`;
  return `${name} ${englishOrdinal(String(Number(day)))}, ${englishYear(Number(year))}`;
}

function readTime({ hour = '', minute = '' }: Readonly<Record<string, string | undefined>>, locale: Locale): string | null {
  if (Number(hour) > 24) return null;
  const [h, m] = [String(Number(hour)), String(Number(minute))];
  if (locale === 'zh')
    return `${h === '2' ? '两' : chineseNumber(h)}点${m === '0' ? '' : `${minute.startsWith('0') ? '零' : ''}${chineseNumber(m)}分`}`;
  if (m === '0') return `${englishNumber(h)} o'clock`;
  return `${englishNumber(h)} ${minute.startsWith('0') ? 'oh ' : ''}${englishNumber(m)}`;
}

function readMoney({ sign = '', amount = '', scale = '' }: Readonly<Record<string, string | undefined>>, locale: Locale): string | null {
  const names = currencies[sign];
  if (names === undefined) return null;
  const [one, many, cent, zh] = names;
  if (locale === 'zh') return `${chineseNumber(amount)}${scale.trim()}${zh}`;
  const cents = /^(?<whole>[\d,]+)\.(?<cents>\d\d)$/u.exec(amount)?.groups;
  if (scale === '' && cents !== undefined) {
    const whole = cents['whole'] ?? '';
    const rest = Number(cents['cents']) === 0 ? '' : ` and ${englishNumber(String(Number(cents['cents'])))} ${cent}`;
    return `${englishNumber(whole)} ${whole === '1' ? one : many}${rest}`;
  }
  return `${englishNumber(amount)}${scale === '' ? '' : ` ${scale.trim()}`} ${amount === '1' && scale === '' ? one : many}`;
}

function readFraction({ top = '', bottom = '' }: Readonly<Record<string, string | undefined>>, locale: Locale): string | null {
  if (Number(bottom) === 0) return null;
  if (locale === 'zh') return `${chineseNumber(bottom)}分之${chineseNumber(top)}`;
  if (Number(top) >= Number(bottom) || Number(bottom) > 20) return `${englishNumber(top)} over ${englishNumber(bottom)}`;
  const part = bottom === '2' ? 'half' : bottom === '4' ? 'quarter' : englishOrdinal(bottom);
  return `${englishNumber(top)} ${part}${top === '1' ? '' : 's'}`;
}

function readDecade({ decade = '' }: Readonly<Record<string, string | undefined>>, locale: Locale): string | null {
  return locale === 'zh' ? null : `${englishYear(Number(decade)).replace(/y$/u, 'ie')}s`;
}

function readMeasured({ amount = '', space = '', unit = '' }: Readonly<Record<string, string | undefined>>, locale: Locale): string | null {
  const name = readUnit(unit, { locale, single: amount === '1', spaced: space !== '' });
  if (name === null) return null;
  if (locale === 'en') return `${englishNumber(amount)} ${name}`;
  return `${amount === '2' && !/^[\p{sc=Latin}]/u.test(name) ? '两' : chineseNumber(amount)}${name}`;
}

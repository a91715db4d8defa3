import type { Locale } from '@virtual-tutor/schemas';
import { quantityAt } from './quantities.ts';
import { firstRules, laterRules, type Reading, type ReadingRule } from './reading-rules.ts';
import type { TextRange } from './word-times.ts';

/** Words of the voice, and where they come from. */
export interface SpokenPiece {
  readonly spoken: TextRange;
  readonly source: TextRange;
  /** The same text on both sides, so that parts of it correspond too. */
  readonly literal: boolean;
}

/** What a voice says of a text as it was generated. */
export interface Pronounceable {
  /** Letters, digits, white space and the punctuation of sentences; no symbol is left that would be spelled out. */
  readonly text: string;
  /** In order on both sides, without overlap. What stands between them is punctuation. */
  readonly pieces: readonly SpokenPiece[];
}

export function pronounceable(source: string, locale: Locale): Pronounceable {
  const script = new Script(source, locale);
  readRange(script, { from: 0, to: source.length });
  return script.finish();
}

/** Where in the source a range of the spoken text comes from. */
export function sourceOf({ pieces }: Pronounceable, { from, to }: TextRange): TextRange {
  const touched = pieces.filter(({ spoken }) => spoken.from < to && spoken.to > from);
  const first = touched.at(0);
  const last = touched.at(-1);
  if (first === undefined || last === undefined) return { from: 0, to: 0 };
  return {
    from: first.literal ? first.source.from + Math.max(0, from - first.spoken.from) : first.source.from,
    to: last.literal ? last.source.to - Math.max(0, last.spoken.to - to) : last.source.to,
  };
}

function readRange(script: Script, { from, to }: TextRange): void {
  const { source, locale } = script;
  // Rules may look around, but never past the end of the part that is read.
  const text = source.slice(0, to);
  let at = from;
  while (at < to) {
    const found =
      firstReading(firstRules, { text, at, locale }) ?? quantity({ text, at, locale }) ?? firstReading(laterRules, { text, at, locale });
    // A symbol nobody has a word for.
    const { length, reading } = found ?? { length: (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1, reading: { type: 'gap' } };
    if (reading.type === 'within') readRange(script, { from: at + reading.from, to: at + reading.to });
    else script.add({ from: at, to: at + length }, reading);
    at += length;
  }
}

interface Place {
  readonly text: string;
  readonly at: number;
  readonly locale: Locale;
}

interface Found {
  readonly length: number;
  readonly reading: Reading;
}

function firstReading(rules: readonly ReadingRule[], { text, at, locale }: Place): Found | null {
  for (const { pattern, read } of rules) {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match === null || match[0] === '') continue;
    const reading = read(match, locale);
    if (reading !== null) return { length: match[0].length, reading };
  }
  return null;
}

function quantity({ text, at, locale }: Place): Found | null {
  const found = quantityAt(text, at, locale);
  return found === null ? null : { length: found.length, reading: { type: 'say', words: found.spoken } };
}

/** The spoken text in the making: separates words, and keeps of several pauses the strongest. */
class Script {
  readonly source: string;
  readonly locale: Locale;
  #text = '';
  readonly #pieces: SpokenPiece[] = [];
  #between: 'nothing' | 'gap' | 'pause' = 'nothing';

  constructor(source: string, locale: Locale) {
    this.source = source;
    this.locale = locale;
  }

  finish(): Pronounceable {
    return { text: this.#text, pieces: this.#pieces };
  }

  add(source: TextRange, reading: Exclude<Reading, { type: 'within' }>): void {
    const { type } = reading;
    if (type === 'pause' || (type === 'gap' && this.#between === 'nothing')) this.#between = type;
    else if (type === 'say') this.#addWords(source, reading.words.replaceAll(/[^\p{L}\p{M}\p{N}\s,'’-]/gu, ' ').trim(), false);
    else if (type === 'copy') {
      const words = this.source.slice(source.from, source.to);
      if (/[\p{L}\p{M}\p{N}]/u.test(words)) this.#addWords(source, words, true);
      else this.#punctuate(words);
    }
  }

  #addWords(source: TextRange, words: string, literal: boolean): void {
    if (words === '') return;
    this.#text += this.#separator(words, literal);
    this.#between = 'nothing';
    const from = this.#text.length;
    this.#text += words;
    this.#pieces.push({ spoken: { from, to: this.#text.length }, source, literal });
  }

  #separator(words: string, literal: boolean): string {
    if (this.#text === '' || /[\s，。！？；：、]$/u.test(this.#text)) return '';
    const afterWord = /[\p{L}\p{N}\p{M}]$/u.test(this.#text);
    if (this.#between === 'pause' && afterWord) return this.locale === 'zh' ? '，' : ', ';
    if (/\p{sc=Han}$/u.test(this.#text) && /^\p{sc=Han}/u.test(words)) return '';
    // 5km, H2O: what was written as one is two words once it is said.
    const asWritten = this.#between === 'nothing' && afterWord && literal && this.#pieces.at(-1)?.literal === true;
    return asWritten ? '' : ' ';
  }

  /** One mark at a time, and none before the first word. */
  #punctuate(mark: string): void {
    if (/[\p{L}\p{N}\p{M}]$/u.test(this.#text)) this.#text += mark;
    else if (/[.!?。！？]/u.test(mark) && /[,;:，、；：]$/u.test(this.#text)) this.#text = `${this.#text.slice(0, -1)}${mark}`;
    this.#between = 'gap';
  }
}

import type { Locale } from '@virtual-tutor/schemas';
import { chineseNumber } from './chinese-numbers.ts';
import { englishNumber, englishOrdinal } from './english-numbers.ts';
import { accentWord, commandWord, functionWord, symbolWord } from './formula-words.ts';

/*
 * Formulas in words: the LaTeX of lessons, and what people type without it. It reads on where it does
 * not understand: what has no words is silent, never spelled out.
 */

/** Deeper nesting is silent. */
const deepest = 24;

const superscripts: Readonly<Record<string, string>> = Object.fromEntries(
  [...'⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ'].map((raised, index) => [raised, '0123456789+-n'.charAt(index)]),
);
const subscripts: Readonly<Record<string, string>> = Object.fromEntries(
  [...'₀₁₂₃₄₅₆₇₈₉₊₋'].map((lowered, index) => [lowered, '0123456789+-'.charAt(index)]),
);

/** `x^2` as "x squared" or "x 的平方". */
export function readFormula(source: string, locale: Locale): string {
  const plain = source
    .replaceAll(/[⁰¹²³⁴-⁹⁺⁻ⁿ]+/gu, (raised) => `^{${[...raised].map((one) => superscripts[one] ?? '').join('')}}`)
    .replaceAll(/[₀-₉₊₋]+/gu, (lowered) => `_{${[...lowered].map((one) => subscripts[one] ?? '').join('')}}`);
  return joinWords(new FormulaReader(plain, locale).readAll());
}

/** With spaces, but none between Chinese characters. */
export function joinWords(words: readonly string[]): string {
  return words
    .filter((word) => word !== '')
    .join(' ')
    .replaceAll(/ +([,，])/gu, '$1')
    .replaceAll(/(?<=\p{sc=Han}) (?=\p{sc=Han})/gu, '')
    .trim();
}

/** Commands whose argument is read as it is. */
const transparent = new Set(
  'text textbf textit mathrm mathbf mathit mathbb mathcal mathsf operatorname boldsymbol underline boxed displaystyle'.split(' '),
);
const bigOperators = new Set(['sum', 'prod', 'int', 'lim', 'oint', 'iint']);

class FormulaReader {
  readonly #source: string;
  readonly #locale: Locale;
  #at = 0;
  #depth = 0;

  constructor(source: string, locale: Locale) {
    this.#source = source;
    this.#locale = locale;
  }

  readAll(): readonly string[] {
    const words: string[] = [];
    while (this.#at < this.#source.length) {
      words.push(...this.#readUntil(''));
      // A bracket that closes nothing.
      this.#at += 1;
    }
    return words;
  }

  /** Up to and with `close`, or to the end. */
  #readUntil(close: string): readonly string[] {
    const words: string[] = [];
    this.#depth += 1;
    while (this.#at < this.#source.length) {
      const character = this.#source.charAt(this.#at);
      if (character === '}' || character === close) break;
      words.push(...this.#readTerm());
    }
    this.#depth -= 1;
    if (close !== '' && this.#source.charAt(this.#at) === close) this.#at += 1;
    return words;
  }

  /** An atom with its exponent and index. */
  #readTerm(): readonly string[] {
    let words = this.#readAtom();
    for (;;) {
      const mark = this.#take(/[ \t]*(?:[_^](?!\s*$)|'+)/uy).trim();
      if (mark === '') return words;
      if (mark.startsWith("'")) words = [...words, this.#say('prime', '撇')];
      else if (mark === '^') words = [...words, ...this.#power(this.#readArgument())];
      else words = [...words, ...this.#index(this.#readArgument())];
    }
  }

  #power(exponent: readonly string[]): readonly string[] {
    const spoken = joinWords(exponent);
    const zh = this.#locale === 'zh';
    if (spoken === 'two' || spoken === '二') return [zh ? '的平方' : 'squared'];
    if (spoken === 'three' || spoken === '三') return [zh ? '的立方' : 'cubed'];
    if (spoken === this.#say('degrees', '度')) return [spoken];
    if (spoken === '') return [];
    return zh ? ['的', spoken, '次方'] : ['to the power of', spoken];
  }

  #index(lower: readonly string[]): readonly string[] {
    return this.#locale === 'zh' ? lower : ['sub', ...lower];
  }

  /** What a command or a mark takes: a group, a command, or one character. */
  #readArgument(): readonly string[] {
    this.#take(/\s+/uy);
    const character = this.#source.charAt(this.#at);
    if (character === '{' || character === '\\' || character === '(') return this.#readAtom();
    // Typed without braces, a whole number is meant: 10^23, x^-1.
    const typed = this.#take(/[-−+]?(?:\d+(?:\.\d+)?|\p{L})/uy);
    if (typed !== '') return new FormulaReader(typed, this.#locale).readAll();
    this.#at += 1;
    return [];
  }

  #readAtom(): readonly string[] {
    if (this.#take(/(?:\s|\\[,;:!> ]|~|&)+/uy) !== '') return [];
    if (this.#take(/\\\\/uy) !== '') return [','];
    const number = this.#take(/\d+(?:,\d{3})*(?:\.\d+)?/uy);
    if (number !== '') return this.#afterNumber(this.#number(number));
    const command = this.#take(/\\\p{L}+/uy).slice(1);
    if (command !== '') return this.#readCommand(command);
    const letters = this.#take(/\p{sc=Latin}+/uy);
    if (letters !== '') return this.#readLetters(letters);
    const character = String.fromCodePoint(this.#source.codePointAt(this.#at) ?? 0);
    this.#at += character.length;
    return this.#readCharacter(character);
  }

  #readCharacter(character: string): readonly string[] {
    if (character === '{') return this.#group('}');
    if (character === '(' || character === '[') return this.#group(character === '(' ? ')' : ']');
    if (character === '-' || character === '–') return [this.#minus()];
    if (character === '*') return [this.#say('times', '乘以')];
    if (character === '/') return [this.#say('over', '除以')];
    if (character === '!') return [this.#say('factorial', '的阶乘')];
    if (character === ',' || character === '，' || character === ';') return [','];
    if (/[\p{L}\p{N}]/u.test(character)) return [symbolWord(character, this.#locale) ?? character];
    return [symbolWord(character, this.#locale) ?? ''];
  }

  #group(close: string): readonly string[] {
    if (this.#depth < deepest) return this.#readUntil(close);
    this.#at = this.#source.length;
    return [];
  }

  /** After an operand it subtracts; elsewhere it is a sign, which Chinese says in another word. */
  #minus(): string {
    const before = this.#source.slice(0, this.#at - 1).trimEnd();
    return this.#say('minus', /[\p{L}\p{N})}\]!']$/u.test(before) ? '减' : '负');
  }

  /** `2(x + 1)`: two times. */
  #afterNumber(words: readonly string[]): readonly string[] {
    return /^\s*(?:\(|\\left)/u.test(this.#source.slice(this.#at)) ? [...words, this.#say('times', '乘以')] : words;
  }

  /** `mc` is a product, `sin` a function, `speed` a word; `f(x)` is "f of x". */
  #readLetters(letters: string): readonly string[] {
    const named = functionWord(letters, this.#locale) ?? (letters === 'pi' ? symbolWord('π', this.#locale) : null);
    const words = named !== null ? [named] : letters.length > 2 ? [letters] : [...letters];
    const called = /^[fghpqFGHP]$/u.test(letters) && this.#source.charAt(this.#at) === '(';
    return called && this.#locale === 'en' ? [...words, 'of'] : words;
  }

  #readCommand(command: string): readonly string[] {
    if (command === 'frac' || command === 'dfrac' || command === 'tfrac') return this.#fraction();
    if (command === 'sqrt') return this.#root();
    if (bigOperators.has(command)) return this.#bigOperator(command);
    if (transparent.has(command)) return this.#textOrTerm();
    if (command === 'left' || command === 'right' || command === 'big' || command === 'Big') {
      this.#take(/\s*\\?[.|/]/uy);
      return [];
    }
    if (command === 'begin' || command === 'end') {
      this.#take(/\{[^{}]*\}/uy);
      return [];
    }
    const accent = accentWord(command, this.#locale);
    if (accent !== null) return command === 'vec' ? [accent, ...this.#readArgument()] : [...this.#readArgument(), accent];
    return [commandWord(command, this.#locale) ?? ''];
  }

  /** Words in a formula stay words. */
  #textOrTerm(): readonly string[] {
    const text = this.#take(/\{[\p{L}\p{N}\s]*\}/uy)
      .slice(1, -1)
      .trim();
    return text === ''
      ? []
      : text.split(/\s+/u).flatMap((word) => (/^\p{N}/u.test(word) ? new FormulaReader(word, this.#locale).readAll() : [word]));
  }

  #fraction(): readonly string[] {
    const top = this.#readArgument();
    const bottom = this.#readArgument();
    if (this.#locale === 'zh') return [...bottom, '分之', ...top];
    const halves = joinWords(bottom) === 'two' ? 'half' : joinWords(bottom) === 'four' ? 'quarter' : null;
    if (halves !== null && joinWords(top) === 'one') return ['one', halves];
    return [...top, 'over', ...bottom];
  }

  #root(): readonly string[] {
    const degree = this.#take(/\[[^[\]]*\]/uy).slice(1, -1);
    const inside = this.#readArgument();
    if (this.#locale === 'zh') return [degree === '' ? '' : `${readFormula(degree, 'zh')}次`, '根号', ...inside];
    const nth = degree === '3' ? 'cube' : /^\d+$/u.test(degree) ? englishOrdinal(degree) : joinWords([readFormula(degree, 'en'), 'th']);
    return ['the', degree === '' ? 'square' : nth, 'root of', ...inside];
  }

  /** Sums, products, integrals and limits with what they run over. */
  #bigOperator(command: string): readonly string[] {
    this.#take(/\\limits/uy);
    let from: readonly string[] = [];
    let to: readonly string[] = [];
    for (let mark = this.#take(/\s*[_^]/uy).trim(); mark !== ''; mark = this.#take(/\s*[_^]/uy).trim()) {
      if (mark === '_') from = this.#readArgument();
      else to = this.#readArgument();
    }
    return this.#locale === 'zh' ? bigInChinese(command, from, to) : bigInEnglish(command, from, to);
  }

  #number(written: string): readonly string[] {
    return [this.#locale === 'zh' ? chineseNumber(written) : englishNumber(written)];
  }

  #say(en: string, zh: string): string {
    return this.#locale === 'zh' ? zh : en;
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#source)?.[0] ?? '';
    this.#at += found.length;
    return found;
  }
}

function bigInEnglish(command: string, from: readonly string[], to: readonly string[]): readonly string[] {
  if (command === 'lim')
    return ['the limit', ...(from.length > 0 ? ['as', ...from.map((word) => (word === 'to' ? 'goes to' : word))] : []), 'of'];
  const name = command === 'sum' ? 'sum' : command === 'prod' ? 'product' : 'integral';
  return ['the', name, ...(from.length > 0 ? ['from', ...from] : []), ...(to.length > 0 ? ['to', ...to] : []), 'of'];
}

function bigInChinese(command: string, from: readonly string[], to: readonly string[]): readonly string[] {
  if (command === 'lim') return [...from.map((word) => (word === '到' ? '趋于' : word)), from.length > 0 ? '时的极限,' : '极限'];
  const name = command === 'sum' ? '求和,' : command === 'prod' ? '连乘,' : '积分,';
  return [...(from.length > 0 ? ['从', ...from] : []), ...(to.length > 0 ? ['到', ...to] : []), name];
}

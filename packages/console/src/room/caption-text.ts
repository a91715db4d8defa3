import type { Caption } from '@virtual-tutor/sdk';

export interface CaptionText {
  readonly said: string;
  /** The word being said; '' between words. */
  readonly word: string;
  readonly rest: string;
}

/** Beginnings of headings, quotes and list items; citations; emphasis and code. A star between two spaces is none. */
const marks = /^[ \t]*(?:(?:#{1,6}|>|[-*+]|\d+[.)])[ \t]+)+|\s*\[\d+(?:[,，、 ]+\d+)*\]|\*\*|__|`+|(?<!\s)\*|\*(?!\s)|(?<!\w)_|_(?!\w)/gmu;

/** A sentence without the marks that nobody says, cut at the word that is being said. */
export function captionText({ text, spokenChars, word }: Pick<Caption, 'text' | 'spokenChars' | 'word'>): CaptionText {
  const marked = [...text.matchAll(marks)].map(({ index, 0: mark }) => ({ from: index, to: index + mark.length }));
  const between = (from: number, to: number) => {
    const kept = [...text.slice(from, to)].reduce(
      ({ at, words }, letter) => ({
        at: at + letter.length,
        words: marked.some((mark) => mark.from <= at && at < mark.to) ? words : words + letter,
      }),
      { at: from, words: '' },
    );
    return kept.words.replace(/\s+/gu, ' ');
  };
  const from = word?.from ?? spokenChars;
  const to = word?.to ?? spokenChars;
  return { said: between(0, from).trimStart(), word: between(from, to), rest: between(to, text.length).trimEnd() };
}

import type { Caption } from '@virtual-tutor/sdk';

export interface CaptionText {
  readonly said: string;
  /** The word being said; '' between words. */
  readonly word: string;
  readonly rest: string;
}

/** A sentence without the marks that nobody says, cut at the word that is being said. */
export function captionText({ text, spokenChars, word }: Pick<Caption, 'text' | 'spokenChars' | 'word'>): CaptionText {
  const from = word?.from ?? spokenChars;
  const to = word?.to ?? spokenChars;
  return {
    said: unmarked(text.slice(0, from)).trimStart(),
    word: unmarked(text.slice(from, to)),
    rest: unmarked(text.slice(to)).trimEnd(),
  };
}

/** Citations, emphasis, code marks, and the beginnings of headings, quotes and list items. */
function unmarked(text: string): string {
  return text
    .replace(/\s*\[\d+(?:[,，、 ]+\d+)*\]/gu, '')
    .replace(/^[ \t]*(?:#{1,6}|>|[-*+]|\d+[.)])[ \t]+/gmu, '')
    .replace(/\*\*|__|`+|(?<!\w)[*_]|[*_](?!\w)/gu, '')
    .replace(/\s+/gu, ' ');
}

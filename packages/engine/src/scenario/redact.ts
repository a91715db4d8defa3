import { redactionMark } from '@virtual-tutor/schemas';
import { ownSentences } from '../knowledge/extractive-answer.ts';
import { documentTerms, queryTerms } from '../knowledge/terms.ts';
import { everydayWords } from './everyday-words.ts';
import { introductionsIn, withoutIdentifiers } from './identifiers.ts';

export interface RedactionOptions {
  /** All that was written by student and tutor: names are taken out everywhere once somebody introduced herself. */
  readonly lesson: readonly string[];
  /** What is public: documents, titles, the tutor's settings. Null: all words may stay but identifiers and names. */
  readonly course: readonly string[] | null;
  /** Words to take out besides. */
  readonly hide: readonly string[];
}

/** Takes out of a text what could tell who wrote it. */
export type Redact = (text: string) => string;

const segmenter = new Intl.Segmenter('zh', { granularity: 'word' });
/** `[1]`, `[2, 3]`: passages, by number. */
const citation = /(\[\d{1,2}(?:[,，、] ?\d{1,2}){0,8}\])/u;

/**
 * With a course, by what may stay: a word stays when it is one of the course's or of every day, so that a name, an illness or an address that
 * no list of patterns knows is gone as well. What the course says is public, and the lesson that is left still asks the same of it.
 */
export function createRedaction({ lesson, course, hide }: RedactionOptions): Redact {
  const vocabulary = course === null ? null : vocabularyOf([...course, ...ownSentences]);
  const introductions = lesson.map(introductionsIn);
  const perhaps = introductions.flatMap((found) => found.perhaps).filter((name) => vocabulary?.words.has(name) !== true);
  const hidden = [...new Set([...hide, ...introductions.flatMap(({ surely }) => surely), ...perhaps])];
  return (text) =>
    joined(
      text.split(citation).map((part, i) => {
        if (i % 2 === 1) return part;
        const clean = withoutIdentifiers(part, hidden);
        return vocabulary === null ? clean : onlyKnown(clean, vocabulary);
      }),
    );
}

/** How many terms of a question its redaction has lost. */
export function withheldTerms(question: string, redacted: string): { readonly words: number; readonly pairs: number } {
  const kept = new Set(queryTerms(redacted));
  const lost = queryTerms(question).filter((term) => !kept.has(term));
  const pairs = lost.filter((term) => /^\p{sc=Han}/u.test(term)).length;
  return { words: lost.length - pairs, pairs };
}

/** A question to search by, in which as many terms as were withheld are again: such as no course has. */
export function searchText(redacted: string, { words, pairs }: { readonly words: number; readonly pairs: number }): string {
  const unknownWords = Array.from({ length: words }, (_, i) => `withheld${i}`);
  // Rare characters, of which no two stand side by side in a text.
  const unknownPairs = Array.from({ length: pairs }, (_, i) => String.fromCodePoint(0x3400 + 2 * i, 0x3401 + 2 * i));
  return [redacted, ...unknownWords, ...unknownPairs].join(' ');
}

interface Vocabulary {
  /** As they are written. */
  readonly words: ReadonlySet<string>;
  /** As they are searched for: without endings. */
  readonly terms: ReadonlySet<string>;
}

function vocabularyOf(texts: readonly string[]): Vocabulary {
  const words = new Set<string>();
  const terms = new Set<string>();
  for (const text of texts) {
    for (const { segment, isWordLike } of segmenter.segment(text)) if (isWordLike === true) words.add(segment);
    for (const term of documentTerms(text)) terms.add(term);
  }
  return { words, terms };
}

/** White space, punctuation, signs of arithmetic and currency. */
const untold = new RegExp(`^[\\s\\p{P}\\p{Sm}\\p{Sc}${redactionMark}]*$`, 'u');

interface Piece {
  readonly text: string;
  /** `character`: a single Chinese one that is a word of the course. */
  readonly kind: 'kept' | 'hidden' | 'between' | 'character';
}

function onlyKnown(text: string, vocabulary: Vocabulary): string {
  const pieces = [...segmenter.segment(text)].map(({ segment, isWordLike, index }) =>
    isWordLike === true ? wordOf(segment, beginsSentence(text, index), vocabulary) : betweenOf(segment),
  );
  return pieces.map((piece, i) => (isHidden(pieces, piece, i) ? redactionMark : piece.text)).join('');
}

function betweenOf(text: string): Piece {
  return { text, kind: untold.test(text) ? 'between' : 'hidden' };
}

function wordOf(text: string, begins: boolean, { words, terms }: Vocabulary): Piece {
  const plain = text.toLowerCase().replaceAll('’', "'");
  // May is a month, or somebody.
  const isNameLike = !begins && /^\p{Lu}\p{Ll}+$/u.test(text);
  if (everydayWords.has(plain) && !isNameLike) return { text, kind: 'kept' };
  if (/^\p{sc=Han}$/u.test(text)) return { text, kind: words.has(text) ? 'character' : 'hidden' };
  if (words.has(text)) return { text, kind: 'kept' };
  // Rose is somebody, a rose is a flower: what is written like a name stays only where the course writes it so.
  const stems = /^\p{Ll}+$/u.test(text) ? documentTerms(text) : [];
  return { text, kind: stems.length > 0 && stems.every((stem) => terms.has(stem)) ? 'kept' : 'hidden' };
}

function beginsSentence(text: string, at: number): boolean {
  return /(?:^|[.!?…:;()[\]"“”'‘\n。！？：；-])\s*$/u.test(text.slice(Math.max(0, at - 8), at));
}

/** Names fall apart into single characters, each of which may be a word: side by side, or beside what is hidden, they are not. */
function isHidden(pieces: readonly Piece[], { kind }: Piece, at: number): boolean {
  if (kind !== 'character') return kind === 'hidden';
  return [pieces[at - 1]?.kind, pieces[at + 1]?.kind].some((neighbour) => neighbour === 'character' || neighbour === 'hidden');
}

function joined(parts: readonly string[]): string {
  return parts.join('').replaceAll(new RegExp(`${redactionMark}(?:[\\s.·'’-]*${redactionMark})+`, 'gu'), redactionMark);
}

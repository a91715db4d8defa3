import { isAbbreviation } from './abbreviations.ts';
import type { Boundary, Scan } from './boundary.ts';
import { fenceBoundary, opensFence } from './code-fence.ts';

/** From here on a sentence without an end is cut at the next white space, from `hardLimit` on anywhere between characters. */
const softLimit = 600;
const hardLimit = 1_000;

/** Where the sentence that starts `open` ends. A function of the text alone, so chunking cannot matter. `final`: nothing more will come. */
export function boundaryFrom(scan: Scan, final: boolean): Boundary {
  if (scan.insideFence || opensFence(scan.open)) return fenceBoundary(scan, { final, limit: hardLimit });
  const { open } = scan;
  let at = scan.scanned;
  while (at < open.length) {
    const verdict = judge(open, at, final);
    if (typeof verdict !== 'number') return verdict;
    at = verdict;
  }
  if (final) return end(open.length);
  const certain = wholeCharacters(open);
  return { type: 'open', certain, scanned: certain };
}

/** A boundary, or the position to look at next. */
function judge(open: string, at: number, final: boolean): Boundary | number {
  const character = open.charAt(at);
  if (at >= hardLimit && isSplittable(open, at)) return awaitsCharacter(open, at, final) ? pending(at, at) : end(at);
  if (character === '\n' || (at >= softLimit && isSpace(character))) {
    return isBlank(open.slice(0, at)) ? at + 1 : endAfterSpace({ open, terminator: at, final }, at);
  }
  return isTerminator(character) ? judgeTerminator({ open, terminator: at, final }) : at + 1;
}

interface Candidate {
  readonly open: string;
  /** Position of the mark that may end the sentence. */
  readonly terminator: number;
  readonly final: boolean;
}

function judgeTerminator(candidate: Candidate): Boundary | number {
  const { open, terminator, final } = candidate;
  const marks = matchAt(/[.!?…。！？｡]+/uy, open, terminator);
  const afterMarks = terminator + marks.length;
  const tail = closingTail(candidate, afterMarks);
  // Should the mark turn out to end nothing, a long sentence may still be cut among what follows the mark.
  const undecided = (certain: number) => pending(Math.min(certain, Math.max(afterMarks, softLimit)), terminator);
  if (tail.undecided) return undecided(tail.end);
  if (tail.end === open.length) return final ? end(tail.end) : undecided(tail.end);
  const space = matchAt(/\s+/uy, open, tail.end);
  const next = tail.end + space.length;
  if (next === open.length) return final ? end(next) : undecided(next);
  if (awaitsCharacter(open, next, final)) return undecided(next);
  if (space.includes('\n')) return end(next);
  const following = String.fromCodePoint(open.codePointAt(next) ?? 0);
  const closed = open.slice(afterMarks, tail.end);
  return ends({ before: open.slice(0, terminator), marks, closed, spaced: space !== '', following }) ? end(next) : afterMarks;
}

interface Ending {
  /** The sentence up to the mark. */
  readonly before: string;
  readonly marks: string;
  /** Quotes, brackets and citation markers that close with it. */
  readonly closed: string;
  readonly spaced: boolean;
  readonly following: string;
}

function ends(ending: Ending): boolean {
  const { marks, following } = ending;
  if (/[，、,;；：:]/u.test(following)) return false;
  if (/[。！？｡]|……/u.test(marks)) return true;
  const continues = /\p{Ll}/u.test(following);
  if (/[!?]/.test(marks)) {
    if (!ending.spaced) return /[\p{sc=Han}“‘「『（《]/u.test(following);
    return !(continues && /["'”’)]/u.test(ending.closed));
  }
  if (!ending.spaced || continues) return false;
  return marks !== '.' || !isAbbreviation(ending.before, following);
}

interface Tail {
  readonly end: number;
  readonly undecided: boolean;
}

/** Passes over what still belongs to the sentence after its mark: combining marks, closing quotes and brackets, `[1]`. */
function closingTail(candidate: Candidate, from: number): Tail {
  let at = from;
  for (;;) {
    const length = closerLength(candidate, at);
    if (length === 'undecided') return { end: at, undecided: true };
    if (length === 0) break;
    at += length;
  }
  const halfMarker = matchAt(/[ \t]*\[[\d,，、 ]{0,40}$/uy, candidate.open, at);
  if (halfMarker === '' || candidate.final) return { end: at, undecided: false };
  return { end: at + halfMarker.indexOf('['), undecided: true };
}

function closerLength({ open, final }: Candidate, at: number): number | 'undecided' {
  const plain =
    matchAt(/(?:[\p{M})\]}»」』】）》〉”’']|\u200d)+/uy, open, at) || matchAt(/[ \t]*\[\d{1,3}(?:[,，、] ?\d{1,3}){0,8}\]/uy, open, at);
  if (plain !== '') return plain.length;
  const symmetric = matchAt(/["`]|[*_~]+/uy, open, at);
  if (symmetric === '') return 0;
  if (at + symmetric.length === open.length && !final) return 'undecided';
  return isClosing(open.slice(0, at), symmetric) ? symmetric.length : 0;
}

/** Quotes and emphasis that look the same on both sides close when an odd number of them came before. */
function isClosing(before: string, symmetric: string): boolean {
  return before.split(symmetric).length % 2 === 0;
}

function endAfterSpace(candidate: Candidate, at: number): Boundary {
  const { open, terminator, final } = candidate;
  const next = at + matchAt(/\s+/uy, open, at).length;
  return next < open.length || final ? end(next) : pending(next, terminator);
}

/** The text without a trailing half of a surrogate pair. */
function wholeCharacters(text: string): number {
  return /[\ud800-\udbff]$/.test(text) ? text.length - 1 : text.length;
}

/** Half of the character at `at` has not come yet. */
function awaitsCharacter(open: string, at: number, final: boolean): boolean {
  return !final && at === open.length - 1 && wholeCharacters(open) === at;
}

/** A cut at `at` tears no character: no surrogate pair, nothing that combines with what stands before it. */
function isSplittable(open: string, at: number): boolean {
  if (/^[\udc00-\udfff]/.test(open.slice(at, at + 1)) || open.charAt(at - 1) === '\u200d') return false;
  return !/^[\p{M}\p{Emoji_Modifier}\u200d]/u.test(open.slice(at, at + 2));
}

function matchAt(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? '';
}

function isTerminator(character: string): boolean {
  return /[.!?…。！？｡]/u.test(character);
}

function isSpace(character: string): boolean {
  return /\s/u.test(character);
}

function isBlank(text: string): boolean {
  return !/\S/u.test(text);
}

function end(at: number): Boundary {
  return { type: 'end', end: at, insideFence: false };
}

function pending(certain: number, scanned: number): Boundary {
  return { type: 'open', certain, scanned };
}

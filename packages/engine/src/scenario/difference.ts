import { redactionMark } from '@virtual-tutor/schemas';
import { sentencesOf } from '../turn/sentences.ts';

/** Sentences in reading order, as they are now where both have them. */
export type Difference = readonly { readonly sentence: string; readonly in: 'both' | 'before' | 'now' }[];

/** Sentences compared one by one; what comes after them is compared whole. The work grows with the square. */
const mostSentences = 300;

/** Whether an answer is the recorded one, whose marks stand for any words. One that was cut (not `whole`) fits all that go on after it. */
export function fits(recorded: string, answer: string, whole = true): boolean {
  const literals = recorded.trim().split(redactionMark);
  const last = literals.pop() ?? '';
  const text = answer.trim();
  let from = 0;
  for (const [i, literal] of literals.entries()) {
    const at = text.indexOf(literal, from);
    if (at === -1 || (i === 0 && at !== 0)) return false;
    // A mark stands for one character at least.
    from = at + literal.length + 1;
  }
  if (literals.length === 0) return whole ? text === last : text.startsWith(last);
  const at = whole ? text.length - last.length : text.indexOf(last, from);
  return at >= from && text.startsWith(last, at);
}

/** What two answers have in common, and what only one of them has. */
export function differenceOf(before: string, now: string): Difference {
  const [old, current] = [sentences(before), sentences(now)];
  const common = commonLengths(old, current);
  const found: { readonly sentence: string; readonly in: 'both' | 'before' | 'now' }[] = [];
  let [i, j] = [0, 0];
  for (let [a, b] = [old[0], current[0]]; a !== undefined || b !== undefined; [a, b] = [old[i], current[j]]) {
    if (a !== undefined && b !== undefined && fits(a, b)) {
      found.push({ sentence: b, in: 'both' });
      [i, j] = [i + 1, j + 1];
    } else if (a !== undefined && common(i + 1, j) >= common(i, j + 1)) {
      found.push({ sentence: a, in: 'before' });
      i += 1;
    } else {
      if (b !== undefined) found.push({ sentence: b, in: 'now' });
      j += 1;
    }
  }
  return found;
}

function sentences(text: string): readonly string[] {
  const all = sentencesOf(text).map((sentence) => sentence.trim());
  return all.length <= mostSentences ? all : [...all.slice(0, mostSentences), all.slice(mostSentences).join(' ')];
}

/** How many sentences two answers have in common from these two on. */
function commonLengths(a: readonly string[], b: readonly string[]): (i: number, j: number) => number {
  const rows = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  // Nothing is left of one of them: to be asked last.
  const at = (i: number, j: number) => rows[i]?.[j] ?? -1;
  for (const [i, sentence] of [...a.entries()].toReversed()) {
    for (const [j, other] of [...b.entries()].toReversed()) {
      rows[i]?.set([fits(sentence, other) ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))], j);
    }
  }
  return at;
}

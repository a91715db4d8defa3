import type { PassageId } from '@virtual-tutor/schemas';
import type { Passage } from './ports.ts';

/** Passages that a sentence cites by `[1]`, `[2, 3]`, in the order of their first mention; numbers without a passage are ignored. */
export function citationsIn(sentence: string, passages: readonly Passage[]): readonly PassageId[] {
  const numbers = [...sentence.matchAll(/\[(\d{1,3}(?:[,，、] ?\d{1,3}){0,8})\]/gu)].flatMap((match) =>
    (match[1] ?? '').split(/[,，、] ?/u),
  );
  const cited = numbers.flatMap((number) => passages[Number(number) - 1]?.passageId ?? []);
  return [...new Set(cited)];
}

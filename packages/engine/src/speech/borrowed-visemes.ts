import type { Speech, TimedViseme } from '../media/ports.ts';
import { settle } from './visemes.ts';

/**
 * The mouth of one voice to the words of another: both said the same text, one told its phones, the
 * other only when each word began and ended. Within a word the phones keep their proportions.
 */
export function borrowVisemes(reference: Speech, words: Speech['words']): readonly TimedViseme[] {
  const counterpart = new Map(words.map((word) => [word.from, word]));
  const anchors: Anchor[] = [];
  for (const { from, startMs, endMs } of reference.words) {
    const word = counterpart.get(from);
    if (word === undefined) continue;
    anchors.push({ theirs: startMs, ours: word.startMs }, { theirs: endMs, ours: word.endMs });
  }
  return settle(
    reference.visemes.map(({ viseme, startMs, endMs }) => ({ viseme, startMs: moved(anchors, startMs), endMs: moved(anchors, endMs) })),
  );
}

interface Anchor {
  readonly theirs: number;
  readonly ours: number;
}

/** Between two anchors in proportion; outside of them at the same distance. */
function moved(anchors: readonly Anchor[], ms: number): number {
  const next = anchors.findIndex(({ theirs }) => theirs >= ms);
  const after = anchors[next === -1 ? anchors.length : next];
  const before = anchors[(next === -1 ? anchors.length : next) - 1];
  if (after === undefined && before === undefined) return ms;
  if (before === undefined) return Math.max(0, (after?.ours ?? 0) - ((after?.theirs ?? 0) - ms));
  if (after === undefined) return before.ours + (ms - before.theirs);
  const span = after.theirs - before.theirs;
  return span === 0 ? after.ours : before.ours + ((ms - before.theirs) / span) * (after.ours - before.ours);
}

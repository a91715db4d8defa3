import type { Locale } from '@virtual-tutor/schemas';
import type { TextRange } from './word-times.ts';

/** What is spoken of a piece of text. */
interface Piece {
  readonly spoken: TextRange;
  readonly source: TextRange;
}

/** What a voice says of a text as it was generated. */
export interface Pronounceable {
  readonly text: string;
  /** Ordered, without overlap. A piece whose two ranges are as long as each other is the same text. */
  readonly pieces: readonly Piece[];
}

export function pronounceable(source: string, _locale: Locale): Pronounceable {
  return { text: source, pieces: [{ spoken: { from: 0, to: source.length }, source: { from: 0, to: source.length } }] };
}

/** Where in the source a range of the spoken text comes from. */
export function sourceOf({ pieces }: Pronounceable, { from, to }: TextRange): TextRange {
  const touched = pieces.filter(({ spoken }) => spoken.from < to && spoken.to > from);
  const first = touched.at(0);
  const last = touched.at(-1);
  if (first === undefined || last === undefined) return { from: 0, to: 0 };
  return {
    from: isLiteral(first) ? first.source.from + Math.max(0, from - first.spoken.from) : first.source.from,
    to: isLiteral(last) ? last.source.to - Math.max(0, last.spoken.to - to) : last.source.to,
  };
}

function isLiteral({ spoken, source }: Piece): boolean {
  return spoken.to - spoken.from === source.to - source.from;
}

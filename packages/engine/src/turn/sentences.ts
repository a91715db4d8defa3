import { boundaryFrom } from './sentence-boundary.ts';

/*
 * Cuts streamed text into sentences while it arrives. Deltas and sentences are exact slices:
 * joined, either gives back the text. How the text was chunked changes nothing but the size of
 * deltas.
 */

export type SegmenterOutput =
  /** More of the sentence in the making. */
  | { readonly type: 'delta'; readonly index: number; readonly text: string }
  /** All of the sentence, its trailing white space included; after its last delta and before the next one's first. */
  | { readonly type: 'sentence'; readonly index: number; readonly text: string };

export interface SegmenterState {
  /** Of the sentence in the making. */
  readonly index: number;
  /** The sentence in the making, with what may turn out to begin the next one. */
  readonly open: string;
  /** How much of `open` went out in deltas. */
  readonly shown: number;
  /** Where in `open` to look on: no sentence ends before. */
  readonly scanned: number;
  /** The sentence in the making goes on inside a code block that an earlier one opened. */
  readonly insideFence: boolean;
}

type Step = readonly [SegmenterState, readonly SegmenterOutput[]];

/** `prefix` is what the sentences before `index` said: only whether it left a code block open matters. */
export function startSegmenter(from: { readonly index: number; readonly prefix: string } = { index: 0, prefix: '' }): SegmenterState {
  const fences = from.prefix.match(/^[ \t]*(?:```|~~~)/gm) ?? [];
  return { index: from.index, open: '', shown: 0, scanned: 0, insideFence: fences.length % 2 === 1 };
}

export function advance(state: SegmenterState, text: string): Step {
  return segment({ ...state, open: state.open + text }, false);
}

/** The text is over: everything left becomes the last sentence or sentences. */
export function finish(state: SegmenterState): Step {
  return segment(state, true);
}

function segment(start: SegmenterState, final: boolean): Step {
  const outputs: SegmenterOutput[] = [];
  let state = start;
  while (state.open !== '') {
    const boundary = boundaryFrom(state, final);
    if (boundary.type === 'open') {
      const certain = Math.max(state.shown, boundary.certain);
      if (certain > state.shown) outputs.push({ type: 'delta', index: state.index, text: state.open.slice(state.shown, certain) });
      return [{ ...state, shown: certain, scanned: boundary.scanned }, outputs];
    }
    const text = state.open.slice(0, boundary.end);
    if (text.length > state.shown) outputs.push({ type: 'delta', index: state.index, text: text.slice(state.shown) });
    outputs.push({ type: 'sentence', index: state.index, text });
    state = {
      index: state.index + 1,
      open: state.open.slice(boundary.end),
      shown: 0,
      scanned: 0,
      insideFence: boundary.insideFence,
    };
  }
  return [state, outputs];
}

/** All sentences of a finished text. */
export function sentencesOf(text: string): readonly string[] {
  const [state, first] = advance(startSegmenter(), text);
  const [, last] = finish(state);
  return [...first, ...last].filter((output) => output.type === 'sentence').map((output) => output.text);
}

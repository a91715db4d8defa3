import type { Caption, Captions, Signal } from '../media-contract.ts';

/** One sentence, or the rest of one, as the engine plays it. */
interface Stretch {
  readonly turnId: string;
  readonly index: number;
  readonly rtpTimestamp: number;
  readonly fromMs: number;
  readonly durationMs: number;
  readonly words: Extract<Signal, { type: 'speech' }>['words'];
  /** Nothing is played beyond this, ms. */
  readonly untilMs: number;
  readonly paused: boolean;
  readonly toldAtMs: number;
}

/** What was told of the tutor's voice: a fold of the signals, put to words by `captionsAt`. */
export interface CaptionTrack {
  /** Oldest first: the one that is being played, and those after it. */
  readonly stretches: readonly Stretch[];
  /** Turn of which nothing more is to come, as far as was told. */
  readonly finished: string | null;
  readonly heard: Captions['heard'];
}

export const emptyTrack: CaptionTrack = { stretches: [], finished: null, heard: null };

/** How far the browser has played. */
export interface Playhead {
  /** 48 kHz, 32 bits; null: the browser does not say, and the clock has to do. */
  readonly rtpTimestamp: number | null;
  readonly nowMs: number;
}

/** Without the browser's word: what its buffers usually hold, ms. */
const assumedDelayMs = 150;
/** A caption stays so long after its last word, ms. */
const lingerMs = 900;
/** Sentences announced ahead of being played; the engine announces one. */
const maxStretches = 8;
const rtpPerMs = 48;
const rtpRange = 2 ** 32;

export function told(track: CaptionTrack, signal: Signal, nowMs: number): CaptionTrack {
  switch (signal.type) {
    case 'speech': {
      const { type: _, ...speech } = signal;
      const stretch = { ...speech, untilMs: signal.durationMs, paused: false, toldAtMs: nowMs };
      const finished = track.finished === signal.turnId ? null : track.finished;
      return { ...track, finished, stretches: [...track.stretches, stretch].slice(-maxStretches) };
    }
    case 'paused': {
      const stretches = track.stretches.map((stretch) =>
        stretch.turnId === signal.turnId && stretch.index === signal.index ? { ...stretch, untilMs: signal.atMs, paused: true } : stretch,
      );
      return { ...track, stretches };
    }
    case 'silent':
      return signal.reason === 'finished' ? { ...track, finished: signal.turnId } : silenced(track, signal.turnId);
    case 'quality':
      return signal.to === 'text' ? silenced(track, null) : track;
    default:
      return track;
  }
}

/** Null: whatever is being said. */
function silenced(track: CaptionTrack, turnId: string | null): CaptionTrack {
  const { heard } = track;
  const cut = heard !== null && (turnId === null || heard.turnId === turnId);
  return {
    ...track,
    stretches: turnId === null ? [] : track.stretches.filter((stretch) => stretch.turnId !== turnId),
    heard: cut ? { ...heard, over: true } : heard,
  };
}

/** Sentences as they were written; undefined: not known yet. */
export type TextOf = (turnId: string, index: number) => string | undefined;

/** The track once the browser has played so far: what is over is gone from it. */
export function played(
  track: CaptionTrack,
  playhead: Playhead,
  textOf: TextOf,
): { readonly track: CaptionTrack; readonly captions: Captions } {
  const at = track.stretches.findLastIndex((stretch) => elapsedMs(stretch, playhead) >= 0);
  const stretch = track.stretches[at];
  if (stretch === undefined) return { track, captions: { current: null, heard: track.heard } };
  const elapsed = elapsedMs(stretch, playhead);
  const atMs = Math.min(stretch.fromMs + elapsed, stretch.untilMs);
  const whole = atMs >= stretch.durationMs;
  const isLast = at === track.stretches.length - 1;
  const over = whole && isLast && track.finished === stretch.turnId;
  const text = textOf(stretch.turnId, stretch.index);
  const chars = whole ? (text?.length ?? lastCharOf(stretch)) : spokenUpTo(stretch, atMs, text ?? '');
  const heard = furthest(track.heard, { turnId: stretch.turnId, index: stretch.index, chars, over });
  const gone = over && stretch.fromMs + elapsed > stretch.durationMs + lingerMs;
  const stretches = gone ? [] : track.stretches.slice(at);
  const current = gone || text === undefined ? null : captionOf(stretch, { atMs, text, spokenChars: chars });
  return { track: { ...track, stretches, heard }, captions: { current, heard } };
}

function captionOf(
  { turnId, index, words, paused, untilMs }: Stretch,
  { atMs, text, spokenChars }: { readonly atMs: number; readonly text: string; readonly spokenChars: number },
): Caption {
  const said = words.findLast(({ startMs, endMs }) => startMs <= atMs && atMs < endMs);
  const word = said === undefined ? null : { from: said.from, to: said.to };
  return { turnId, index, text, spokenChars, word, paused: paused && atMs >= untilMs };
}

function elapsedMs({ rtpTimestamp, toldAtMs }: Stretch, playhead: Playhead): number {
  if (playhead.rtpTimestamp === null) return playhead.nowMs - toldAtMs - assumedDelayMs;
  const ahead = (playhead.rtpTimestamp - rtpTimestamp + rtpRange) % rtpRange;
  return (ahead > rtpRange / 2 ? ahead - rtpRange : ahead) / rtpPerMs;
}

/** To the end of the word that is being said, and of the marks that belong to it. */
function spokenUpTo({ words }: Stretch, atMs: number, text: string): number {
  const to = words.findLast(({ startMs }) => startMs <= atMs)?.to ?? 0;
  if (to === 0) return 0;
  return to + (/^[^\s\p{L}\p{N}]*/u.exec(text.slice(to))?.[0].length ?? 0);
}

function lastCharOf({ words }: Stretch): number {
  return words.at(-1)?.to ?? 0;
}

/** A word that was cut is said again: what was heard stays heard. */
function furthest(before: Captions['heard'], now: NonNullable<Captions['heard']>): NonNullable<Captions['heard']> {
  if (before === null || before.turnId !== now.turnId) return now;
  const further = now.index > before.index || (now.index === before.index && now.chars > before.chars);
  const reached = further ? now : { ...before, over: now.over };
  return reached.index === before.index && reached.chars === before.chars && reached.over === before.over ? before : reached;
}

export function sameCaptions(a: Captions, b: Captions): boolean {
  return a.heard === b.heard && sameCaption(a.current, b.current);
}

function sameCaption(a: Caption | null, b: Caption | null): boolean {
  if (a === null || b === null) return a === b;
  return (
    a.turnId === b.turnId &&
    a.index === b.index &&
    a.text === b.text &&
    a.spokenChars === b.spokenChars &&
    a.word?.from === b.word?.from &&
    a.paused === b.paused
  );
}

import { type LessonScore, lastFrom } from './score.ts';
import type { Appearance } from './stage.ts';

/** What there was to be seen at one moment. */
export interface Scene {
  /** Null: the student had no picture and no voice, or nothing is known of the tutor's looks. */
  readonly appearance: Appearance | null;
  /** The mouth moved with the words; with the voice alone, the face rested. */
  readonly mouthMoves: boolean;
}

/** `appearances` in order of their beginnings. */
export function sceneAt(atMs: number, { modes }: Pick<LessonScore, 'modes'>, appearances: readonly Appearance[]): Scene {
  const quality = lastFrom(modes, atMs)?.quality ?? 'text';
  return { appearance: quality === 'text' ? null : lastFrom(appearances, atMs), mouthMoves: quality === 'video' };
}

import { codedError } from '../../coded-error.ts';

/** What a teacher uploaded, before anybody looked at the face in it. */
export interface ClipFacts {
  /** `mp4` is also QuickTime, `webm` also Matroska; `legacy` is a folder of the predecessor in one file. */
  readonly container: ClipContainer;
  /** As shown: rotation applied, px. */
  readonly width: number;
  readonly height: number;
  /** By the timestamps of the pictures, whatever the header says; null for a photo. */
  readonly durationMs: number | null;
  /** A photo. */
  readonly still: boolean;
}

export type ClipContainer = 'mp4' | 'webm' | 'png' | 'jpeg' | 'legacy';

/** RGB24, rows without padding. */
export interface Picture {
  /** px */
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

export interface ClipLimits {
  /** ms */
  readonly maxDurationMs: number;
  /** Of one frame of a film; a photo, of which there is only one, may have `stillAllowance` times as many. */
  readonly maxPixels: number;
}

/** px of the full-size clip as shown; inside it. */
export interface Square {
  readonly x: number;
  readonly y: number;
  readonly side: number;
}

/** The longer side of a film, px. */
export const maxSidePx = 4096;
/** A telephone's photo has 12 to 24 Mpx and costs once what a film costs for every frame. */
export const stillAllowance = 3;
/** The longer side of a photo, px. */
export const maxStillSidePx = 8192;
/** A photo's file. */
export const maxStillBytes = 64 * 1024 * 1024;
/** The fastest slow motion that a telephone films; more pictures a second are made to cost, not to be seen. */
export const maxFramesPerSecond = 240;

/** The clip is at fault, not the engine: trying again with the same file gives the same answer. */
export class ClipRefused extends codedError('ClipRefused', {
  not_a_video: 'The file is neither a film nor a photo that can be read: use MP4, MOV, WebM, JPEG or PNG.',
  format_not_supported: 'The film is coded in a way that is not supported: use H.264, HEVC, VP8, VP9 or AV1, or a common JPEG or PNG.',
  damaged: 'The file is incomplete or damaged: record or export it again.',
  too_heavy: 'The pictures are too large or too many: use at most 4096 px on the longer side and 240 pictures a second.',
  too_long: 'The film is too long: cut it down.',
  too_short: 'The film is too short: record a longer one.',
}) {}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Throws `too_heavy` when one frame of this size is more than a clip may have. */
export function checkSize({ width, height }: Size, limits: ClipLimits, still: boolean): void {
  if (width < 1 || height < 1) throw new ClipRefused('damaged');
  const pixels = still ? limits.maxPixels * stillAllowance : limits.maxPixels;
  const side = still ? maxStillSidePx : maxSidePx;
  if (Math.max(width, height) > side || width * height > pixels) throw new ClipRefused('too_heavy');
}

/** The longer side becomes `longSidePx`; both are even, and of the clip's proportions as nearly as even numbers allow. */
export function scaledTo({ width, height }: Size, longSidePx: number): Size {
  const factor = longSidePx / Math.max(width, height);
  return { width: even(width * factor), height: even(height * factor) };
}

function even(px: number): number {
  return Math.max(2, Math.round(px / 2) * 2);
}

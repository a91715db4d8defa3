import type { Brush } from './brush.ts';

/** One tutor: colours, and what is drawn only once. */
export interface Look {
  readonly skin: { readonly light: string; readonly base: string; readonly shade: string; readonly deep: string; readonly blush: string };
  readonly lips: { readonly upper: string; readonly lower: string; readonly shine: string; readonly line: string };
  readonly iris: { readonly dark: string; readonly light: string };
  /** Lashes, brows and lid lines. */
  readonly lash: string;
  readonly brow: string;
  /** SVG path of the left brow (the right one mirrors it). */
  readonly browPath: string;
  /** How far the outer corners of the eyes are above the inner, px. */
  readonly eyeTilt: number;
  /** Outline of the face with the chin this much lower, as an SVG path. */
  face(jaw: number): string;
  /** Opaque. */
  paintBackground(brush: Brush): void;
  /** Hair behind the shoulders; moves with the head. */
  paintBehind(brush: Brush): void;
  /** Neck, shoulders and clothes. */
  paintBody(brush: Brush): void;
  /** Hair and spectacles in front of the face. */
  paintFront(brush: Brush): void;
}

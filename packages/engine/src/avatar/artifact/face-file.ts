import { z } from 'zod';
import type { FaceMeasure } from '../face/measure.ts';

const Box = z.strictObject({ x: z.number(), y: z.number(), width: z.number(), height: z.number() });

/** What MuseTalk and auditors need to know of a face, px of the avatar's frames. */
export const FaceFacts = z.strictObject({
  /** Of the whole face by 128 numbers of unit length; those of one person lie nearer than 0.6, as a rule. */
  embedding: z.array(z.number()),
  /** One for each distinct frame. */
  frames: z.array(
    z.strictObject({
      /** Around the landmarks. */
      box: Box,
      /** Gap between the inner lips over the distance of the eyes. */
      mouthOpening: z.number(),
      /** Positive when the nose's tip is nearer to the right edge of the picture, -1 to 1. */
      yaw: z.number(),
      /** rad, clockwise in the picture */
      roll: z.number(),
      /** px */
      interOcularPx: z.number(),
      /** Height over width of the eyes. */
      eyeOpenness: z.number(),
      /** Mean luma of the box, 0 to 255. */
      brightness: z.number(),
    }),
  ),
});
export type FaceFacts = z.infer<typeof FaceFacts>;
export type FrameFacts = FaceFacts['frames'][number];

export function frameFacts(box: z.infer<typeof Box>, measure: FaceMeasure, brightness: number): FrameFacts {
  const { mouthOpening, yaw, roll, interOcularPx, eyeOpenness } = measure;
  return { box, mouthOpening, yaw, roll, interOcularPx, eyeOpenness, brightness };
}

/** Five digits after the point: more is noise. */
export function faceFile(facts: FaceFacts): Uint8Array {
  return Buffer.from(`${JSON.stringify(facts, (_, value: unknown) => (typeof value === 'number' ? Number(value.toFixed(5)) : value))}\n`);
}

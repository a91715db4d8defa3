import { z } from 'zod';
import { frameQualityOf } from '../face/frame-quality.ts';
import type { FoundFace } from '../face/ports.ts';
import type { Picture } from '../source/clip.ts';

const Measure = z.strictObject({
  mouthOpening: z.number(),
  yaw: z.number(),
  roll: z.number(),
  interOcularPx: z.number(),
  eyeOpenness: z.number(),
  x: z.number(),
  y: z.number(),
});

/** What was seen in one picture of the clip. */
export const Sighting = z.strictObject({
  /** Landmarks of the largest faces, the largest first; px of the picture. */
  faces: z.array(z.array(z.number()).length(136)),
  quality: z.strictObject({ faces: z.array(Measure), faceHeightPx: z.number(), brightness: z.number() }),
});
export type Sighting = z.infer<typeof Sighting>;

/** One that is followed is among them: more people than this are refused anyway. */
const mostFaces = 4;

export function sightingOf(picture: Picture, found: readonly FoundFace[]): Sighting {
  const { faces, faceHeightPx, brightness } = frameQualityOf(picture, found);
  return {
    faces: found.slice(0, mostFaces).map(({ landmarks }) => [...landmarks]),
    quality: { faces: [...faces], faceHeightPx, brightness },
  };
}

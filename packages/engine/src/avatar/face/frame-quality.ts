import type { Picture } from '../source/clip.ts';
import { type FaceMeasure, measureFace } from './measure.ts';
import type { FoundFace } from './ports.ts';
import type { FrameQuality } from './quality.ts';

/** A face that is lower than this share of the largest one is a poster's or a passer-by's. */
const rivalHeight = 0.45;
const judgedSide = 512;

/** What a frame and the faces in it, the largest first, are worth. */
export function frameQualityOf(picture: Picture, faces: readonly FoundFace[]): FrameQuality {
  const [main] = faces;
  const rivals = faces.filter(({ box }) => box.height >= rivalHeight * (main?.box.height ?? 0));
  const scale = judgedSide / Math.max(picture.width, picture.height);
  return {
    faces: rivals.flatMap(({ landmarks }): FaceMeasure[] => {
      const measure = measureFace(landmarks);
      return measure === null ? [] : [measure];
    }),
    faceHeightPx: (main?.box.height ?? 0) * scale,
    brightness: brightnessOf(picture, main?.box ?? { x: 0, y: 0, width: picture.width, height: picture.height }),
  };
}

/** Mean luma (0.299 R + 0.587 G + 0.114 B) of every fourth pixel, 0 to 255. */
export function brightnessOf({ data, width, height }: Picture, box: FoundFace['box']): number {
  const [left, top] = [Math.max(0, Math.floor(box.x)), Math.max(0, Math.floor(box.y))];
  const [right, bottom] = [Math.min(width, box.x + box.width), Math.min(height, box.y + box.height)];
  let [sum, count] = [0, 0];
  for (let y = top; y < bottom; y += 2) {
    for (let x = left; x < right; x += 2) {
      const i = 3 * (y * width + x);
      sum += 0.299 * (data[i] ?? 0) + 0.587 * (data[i + 1] ?? 0) + 0.114 * (data[i + 2] ?? 0);
      count += 1;
    }
  }
  return count === 0 ? 0 : sum / count;
}

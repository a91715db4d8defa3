import { join } from 'node:path';
import type { AvatarArtifact } from '@virtual-tutor/schemas';
import { encodeJpeg } from '../../adapters/canvas-jpeg.ts';
import { readPictures } from '../../adapters/node-av-clip.ts';
import { writeDurably } from '../artifact/durable-file.ts';
import { tickMs } from '../source/constant-rate.ts';
import type { RejectionReason } from './rejected.ts';
import { longSidePx, type Run } from './stages.ts';

export interface ShownReason extends Pick<RejectionReason, 'code'> {
  readonly atMs: number | null;
  readonly picture: AvatarArtifact | null;
}

/** The pictures that show what is wrong, in the avatar's folder; reasons that share one are shown the same file. */
export async function faultPictures({ folder, source, limits, signal }: Run, reasons: readonly RejectionReason[]): Promise<ShownReason[]> {
  const wanted = [...new Set(reasons.flatMap(({ picture }) => picture ?? []))].toSorted((a, b) => a - b);
  const kept = new Map<number, AvatarArtifact>();
  if (wanted.length > 0) {
    let index = 0;
    for await (const picture of readPictures(source, { limits, longSidePx, signal })) {
      if (wanted.includes(index)) {
        const name = `fault-${wanted.indexOf(index) + 1}.jpg`;
        kept.set(index, await writeDurably(join(folder, name), await encodeJpeg(picture, longSidePx)));
      }
      index += 1;
      if (kept.size === wanted.length) break;
    }
  }
  return reasons.map(({ code, picture }) => ({
    code,
    atMs: picture === null ? null : picture * tickMs,
    picture: picture === null ? null : (kept.get(picture) ?? null),
  }));
}

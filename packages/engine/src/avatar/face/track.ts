import type { Picture } from '../source/clip.ts';
import type { FaceFinder, FoundFace } from './ports.ts';

/** Somebody else may come in: so often the whole picture is looked at, frames. */
const wholeEvery = 10;

/** The faces of each frame of a clip, the largest first: near those of the frame before as long as none is lost. */
export async function* trackFaces(finder: FaceFinder, pictures: AsyncIterable<Picture>): AsyncGenerator<readonly FoundFace[]> {
  let frame = 0;
  let before: readonly FoundFace[] = [];
  for await (const picture of pictures) {
    const near = frame % wholeEvery === 0 || before.length === 0 ? [] : await finder.find(picture, before);
    before = near.length > 0 && near.length >= before.length ? near : await finder.find(picture);
    frame += 1;
    yield before;
  }
}

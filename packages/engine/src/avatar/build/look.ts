import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FaceFinder } from '../face/ports.ts';
import { trackFaces } from '../face/track.ts';
import type { Picture } from '../source/clip.ts';
import { sightingOf } from './sighting.ts';
import { batchSize, type SightingLog } from './sighting-log.ts';

export interface Look {
  readonly finder: FaceFinder;
  readonly pictures: AsyncGenerator<Picture, void, undefined>;
  readonly log: SightingLog;
  readonly signal: AbortSignal;
  /** Pictures that have been looked at. */
  onPicture(done: number): void;
}

/** Looks for faces in the pictures that the log does not have yet. */
export async function lookForFaces({ finder, pictures, log, signal, onPicture }: Look): Promise<void> {
  for (let skip = log.sightings.length; skip > 0; skip -= 1) await pictures.next();
  for (let more = true; more; ) {
    const seen: Picture[] = [];
    // A new track for each batch: what is found does not depend on where a process died.
    const batch = passing(pictures, seen);
    for await (const faces of trackFaces(finder, batch)) {
      signal.throwIfAborted();
      const picture = seen.shift();
      if (picture !== undefined) await log.add(sightingOf(picture, faces));
      onPicture(log.sightings.length);
      // The networks leave the event loop no time of their own.
      await nextTurn();
    }
    more = log.sightings.length > 0 && log.sightings.length % batchSize === 0 && !batch.ended();
  }
  await log.keep();
}

/** The next batch of pictures, each noted in `seen`. */
function passing(pictures: AsyncGenerator<Picture, void, undefined>, seen: Picture[]) {
  let ended = false;
  async function* batch(): AsyncGenerator<Picture, void, undefined> {
    for (let i = 0; i < batchSize; i += 1) {
      const next = await pictures.next();
      if (next.done === true) {
        ended = true;
        return;
      }
      seen.push(next.value);
      yield next.value;
    }
  }
  return Object.assign(batch(), { ended: () => ended });
}

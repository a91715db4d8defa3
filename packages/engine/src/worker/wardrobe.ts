import { createIllustrated } from '../adapters/canvas-illustrated.ts';
import { createVideoEncoder } from '../adapters/node-av-video.ts';
import { createFaceStream } from '../avatar/face-stream.ts';
import { IdleLoops } from '../avatar/idle-loop.ts';
import type { Wear } from '../media/live-face.ts';
import type { Renderer } from '../media/ports.ts';
import type { Character, ComponentHealth } from '../media/protocol.ts';
import { type Film, Films, type FilmsOptions } from './films.ts';

/** While the tutor speaks; at rest everybody shares one loop. */
const faceBps = 500_000;
const characters: readonly Character[] = ['ada', 'xiaolan'];

export interface Wardrobe extends Disposable {
  readonly wear: Wear;
  health(): readonly ComponentHealth[];
}

/** All faces of a worker: one renderer and one idle loop of each, shared by all who see it. */
export function openWardrobe(options: FilmsOptions): Wardrobe {
  const loops = new IdleLoops(createVideoEncoder);
  const drawn: Readonly<Record<Character, Renderer>> = { ada: createIllustrated('ada'), xiaolan: createIllustrated('xiaolan') };
  // The first student must not wait for a loop to be drawn.
  for (const character of characters) loops.of(drawn[character], 'VP8');
  const films = new Films({
    ...options,
    async load(avatarId): Promise<Film> {
      const film = await options.load(avatarId);
      loops.adopt(film.renderer, 'VP8', film.idle);
      return film;
    },
  });
  return {
    wear(face, onLoaded) {
      const held = face.kind === 'filmed' ? films.hold(face.avatarId, onLoaded) : null;
      return {
        open: (codec) =>
          createFaceStream({
            renderer: held?.film?.renderer ?? drawn[face.character],
            codec,
            loops,
            openEncoder: createVideoEncoder,
            bps: faceBps,
            nowMs: () => performance.now(),
          }),
        [Symbol.dispose]: () => held?.[Symbol.dispose](),
      };
    },
    health: () => [films.health()],
    [Symbol.dispose]: () => films[Symbol.dispose](),
  };
}

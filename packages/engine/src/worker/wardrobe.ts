import { randomUUID } from 'node:crypto';
import type { AvatarId } from '@virtual-tutor/schemas';
import { createIllustrated } from '../adapters/canvas-illustrated.ts';
import { createVideoEncoder } from '../adapters/node-av-video.ts';
import { createFaceStream } from '../avatar/face-stream.ts';
import { IdleLoops } from '../avatar/idle-loop.ts';
import type { Dress } from '../avatar/musetalk/dress.ts';
import type { LiveMuseTalk } from '../avatar/musetalk/musetalk-process.ts';
import { PaintedMouth } from '../avatar/musetalk/painted-mouth.ts';
import { shapedMouth, type ViewersMouth } from '../avatar/viewers-mouth.ts';
import type { Wear } from '../media/live-face.ts';
import type { Renderer } from '../media/ports.ts';
import type { Character, ComponentHealth } from '../media/protocol.ts';
import { type Film, Films, type FilmsOptions } from './films.ts';

/** MuseTalk, as far as the faces of a worker need it. */
export interface Painter {
  /** Null: not to be had now; mouths are shaped instead. */
  readonly live: LiveMuseTalk | null;
  /** Of each idle frame of a film; null: there is none. */
  dress(avatarId: AvatarId): Promise<Dress | null>;
  /** `live` has changed. */
  onChange(listener: () => void): void;
}

export interface WardrobeOptions extends FilmsOptions {
  /** Null: filmed tutors speak by the warp renderer. */
  readonly painter: Painter | null;
}

export interface Wardrobe extends Disposable {
  readonly wear: Wear;
  health(): readonly ComponentHealth[];
}

/** While the tutor speaks; at rest everybody shares one loop. */
const faceBps = 500_000;
const characters: readonly Character[] = ['ada', 'xiaolan'];

/** All faces of a worker: one renderer and one idle loop of each, shared by all who see it. */
export function openWardrobe(options: WardrobeOptions): Wardrobe {
  const { painter } = options;
  const loops = new IdleLoops(createVideoEncoder);
  const drawn: Readonly<Record<Character, Renderer>> = { ada: createIllustrated('ada'), xiaolan: createIllustrated('xiaolan') };
  // The first student must not wait for a loop to be drawn.
  for (const character of characters) loops.of(drawn[character], 'VP8');
  const dresses = new WeakMap<Renderer, Dress>();
  const films = new Films({
    ...options,
    async load(avatarId): Promise<Film> {
      const film = await options.load(avatarId);
      loops.adopt(film.renderer, 'VP8', film.idle);
      void painter?.dress(avatarId).then((dress) => {
        if (dress === null) return;
        dresses.set(film.renderer, dress);
        films.changed(avatarId);
      }, options.onDefect);
      return film;
    },
  });
  painter?.onChange(() => films.allChanged());
  const mouthOf = (renderer: Renderer): ViewersMouth => {
    const dress = dresses.get(renderer);
    const muse = painter?.live ?? null;
    if (dress === undefined || muse === null) return shapedMouth(renderer);
    return new PaintedMouth({ viewer: randomUUID(), muse, renderer, dress });
  };
  return {
    wear(face, onLoaded) {
      const held = face.kind === 'filmed' ? films.hold(face.avatarId, onLoaded) : null;
      return {
        open: (codec) => {
          const renderer = held?.film?.renderer ?? drawn[face.character];
          return createFaceStream({
            renderer,
            mouth: mouthOf(renderer),
            codec,
            loops,
            openEncoder: createVideoEncoder,
            bps: faceBps,
            nowMs: () => performance.now(),
          });
        },
        [Symbol.dispose]: () => held?.[Symbol.dispose](),
      };
    },
    health: () => [films.health()],
    [Symbol.dispose]: () => films[Symbol.dispose](),
  };
}

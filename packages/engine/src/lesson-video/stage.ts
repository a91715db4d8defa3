import { join } from 'node:path';
import type { AvatarArtifact, AvatarId, Face as Character } from '@virtual-tutor/schemas';
import { createIllustrated } from '../adapters/canvas-illustrated.ts';
import { createVideoEncoder } from '../adapters/node-av-video.ts';
import { AvatarDamaged } from '../avatar/artifact/avatar-damaged.ts';
import { avatarSize } from '../avatar/artifact/manifest.ts';
import { openAvatar } from '../avatar/artifact/open-avatar.ts';
import { createFaceStream, type FaceStream } from '../avatar/face-stream.ts';
import { IdleLoops, type OpenVideoEncoder } from '../avatar/idle-loop.ts';
import { type Spoken, shapedMouth } from '../avatar/viewers-mouth.ts';
import type { EncodedFrame, Renderer } from '../media/ports.ts';

/** How the tutor was to be seen and heard, from one opening of the session's voice and picture to the next. */
export interface Appearance {
  readonly fromMs: number;
  /** The tutor's setting; null: the default of the language. */
  readonly voice: string | null;
  /** Drawn, and seen where the film cannot be. */
  readonly character: Character;
  /** Null: it was a drawn one, or may not be seen any more. */
  readonly film: { readonly avatarId: AvatarId; readonly artifacts: readonly AvatarArtifact[] } | null;
}

/** Both drawn and filmed tutors are of this size, px. */
export const pictureSize = avatarSize;

/** What a viewer of the video sees: one face after the other, or nobody. */
export interface Stage extends Disposable {
  /** The next frame. `appearance` null: nobody is seen. `spoken` null: the mouth is at rest. */
  next(appearance: Appearance | null, spoken: Spoken | null): Promise<EncodedFrame>;
}

/** Films that could not be seen, and why. */
export interface FilmMissing {
  readonly avatarId: AvatarId;
  readonly why: AvatarDamaged['code'] | 'not_as_logged';
}

/** Bits a second, at most: nobody waits for this file. */
const pictureBps = 800_000;

/** One form of stream throughout: the container has one set of parameters for all. */
const openEncoder: OpenVideoEncoder = (format) => createVideoEncoder({ ...format, bps: pictureBps, effort: 'live' });

/** Faces are opened at once; of each the loop at rest is encoded once, and only a moving mouth costs more. */
export async function openStage(
  appearances: readonly Appearance[],
  avatarsFolder: string,
): Promise<Stage & { readonly missing: readonly FilmMissing[] }> {
  const missing: FilmMissing[] = [];
  const renderers = new Map<Appearance, Renderer>();
  const known = new Map<string, Renderer>();
  for (const appearance of appearances) {
    const name = appearance.film?.avatarId ?? appearance.character;
    const renderer = known.get(name) ?? (await rendererOf(appearance, { avatarsFolder, missing }));
    known.set(name, renderer);
    renderers.set(appearance, renderer);
  }
  const loops = new IdleLoops(openEncoder);
  let shown: { readonly renderer: Renderer; readonly stream: FaceStream } | null = null;
  return {
    missing,
    next(appearance, spoken) {
      const renderer = (appearance === null ? null : renderers.get(appearance)) ?? nobody;
      if (shown?.renderer !== renderer) {
        shown?.stream[Symbol.dispose]();
        shown = { renderer, stream: streamOf(renderer, loops) };
      }
      return shown.stream.next(spoken);
    },
    [Symbol.dispose]: () => shown?.stream[Symbol.dispose](),
  };
}

async function rendererOf(
  { film, character }: Appearance,
  { avatarsFolder, missing }: { readonly avatarsFolder: string; readonly missing: FilmMissing[] },
): Promise<Renderer> {
  if (film === null) return createIllustrated(character);
  const { avatarId, artifacts } = film;
  try {
    const { manifest, renderer } = await openAvatar(join(avatarsFolder, avatarId));
    if (isLogged(manifest.artifacts, artifacts)) return renderer;
    missing.push({ avatarId, why: 'not_as_logged' });
  } catch (error) {
    if (!(error instanceof AvatarDamaged)) throw error;
    missing.push({ avatarId, why: error.code });
  }
  return createIllustrated(character);
}

/** The files are those that were recorded when the face was built. */
function isLogged(found: readonly AvatarArtifact[], logged: readonly AvatarArtifact[]): boolean {
  const hashes = new Map(logged.map(({ name, sha256 }) => [name, sha256]));
  return found.every(({ name, sha256 }) => hashes.get(name) === sha256);
}

function streamOf(renderer: Renderer, loops: IdleLoops): FaceStream {
  // A file is not late: time stands still for whoever would measure it.
  return createFaceStream({ renderer, mouth: shapedMouth(renderer), codec: 'H264', loops, openEncoder, bps: pictureBps, nowMs: () => 0 });
}

/** Where the student had no picture: a dark field. */
const nobody: Renderer = (() => {
  const picture = new Uint8Array((pictureSize * pictureSize * 3) / 2).fill(128);
  picture.fill(32, 0, pictureSize * pictureSize);
  return { width: pictureSize, height: pictureSize, idleFrames: 25, render: () => picture };
})();

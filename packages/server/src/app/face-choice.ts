import type { Face } from '@virtual-tutor/engine/media';
import { type Face as Character, type Locale, type StreamName, streams, type TenantId, type TutorSettings } from '@virtual-tutor/schemas';
import { avatars } from './aggregates.ts';
import type { ClearEvent } from './event-codec.ts';
import type { Handle } from './handle.ts';

export interface FaceWanted {
  readonly tenantId: TenantId;
  /** Null: there is no such tutor any more. */
  readonly settings: TutorSettings | null;
  readonly locale: Locale;
}

/** Which face a tutor is seen with, by the log: the filmed one while it is ready, otherwise a drawn one. */
export class FaceChoice {
  readonly #handle: Handle;
  #choosing = 0;
  /** Withdrawn since the first choice that is under way began to read the log. */
  readonly #withdrawn = new Set<StreamName>();

  constructor(handle: Handle) {
    this.#handle = handle;
  }

  /** `act` gets the face at once when it is known: a face that is withdrawn before never comes, one that is withdrawn after is followed. */
  async choose<T>({ tenantId, settings, locale }: FaceWanted, act: (face: Face) => T): Promise<T> {
    const character = drawnFace(settings, locale);
    const avatarId = settings?.avatarId ?? null;
    if (avatarId === null) return act({ kind: 'drawn', character });
    this.#choosing += 1;
    try {
      const { state } = await this.#handle.load(avatars, streams.avatar(avatarId), { tenantId });
      const seen = state.status === 'ready' && !this.#withdrawn.has(streams.avatar(avatarId));
      return act(seen ? { kind: 'filmed', avatarId, character } : { kind: 'drawn', character });
    } finally {
      this.#choosing -= 1;
      if (this.#choosing === 0) this.#withdrawn.clear();
    }
  }

  /** The stream of the avatar that nobody may see from this event on; null: it is about something else. */
  follow({ type, stored }: ClearEvent): StreamName | null {
    if (type !== 'AvatarRevoked' && type !== 'AvatarDeleted') return null;
    if (this.#choosing > 0) this.#withdrawn.add(stored.stream);
    return stored.stream;
  }
}

/** Who is seen where no film is; `settings` null: there is no such tutor any more. */
export function drawnFace(settings: TutorSettings | null, locale: Locale): Character {
  return settings?.face ?? (locale === 'zh' ? 'xiaolan' : 'ada');
}

import type { AvatarId } from '@virtual-tutor/schemas';
import type { EncodedFrame, Renderer } from '../media/ports.ts';
import type { ComponentHealth } from '../media/protocol.ts';

/** A filmed tutor in memory, shared by all who see it. */
export interface Film {
  readonly renderer: Renderer;
  /** The idle loop in VP8, one packet per idle frame of the renderer. */
  readonly idle: readonly EncodedFrame[];
}

export interface FilmsOptions {
  /** Reads a film from disk; at most one at a time is being read. Errors with a `code` of `missing`, `damaged` or `other_version` are told apart. */
  readonly load: (avatarId: AvatarId) => Promise<Film>;
  /** In memory at once; of some 60 MB each. */
  readonly most: number;
  /** How long one that nobody wears is kept, ms. */
  readonly keptMs: number;
  /** Epoch ms. */
  readonly now: () => number;
  readonly onDefect: (error: unknown) => void;
}

/** One session's hold on a film. */
export interface HeldFilm extends Disposable {
  /** Null: not there yet, or not to be had. */
  readonly film: Film | null;
}

type Trouble = 'missing' | 'damaged' | 'other_version' | 'failed' | 'no_room';

interface Kept {
  readonly avatarId: AvatarId;
  state: 'loading' | Film | Trouble;
  /** What to tell each session that holds it, once it is loaded. */
  readonly holders: Set<() => void>;
  /** When it was last let go; of one that could not be had, since when. */
  sinceMs: number;
}

/** A film that could not be had is tried again when it is next asked for, this much later, ms. */
const againMs = 30_000;

/** Avatars that a health report names. */
const mostNamed = 3;

const advice: Readonly<Record<Trouble, string>> = {
  missing: 'its files are not on this node: build it again',
  damaged: 'its files are damaged: build it again',
  other_version: 'it was built by another version of the engine: build it again',
  failed: 'it cannot be loaded: see the log of this engine for "an engine worker failed"',
  no_room: 'too many filmed tutors are seen at once: raise MEDIA_WORKERS',
};

/** The films of a worker: each is read once, however many sessions wear it, and let go some time after the last. */
export class Films implements Disposable {
  readonly #options: FilmsOptions;
  readonly #kept = new Map<AvatarId, Kept>();
  readonly #sweeper: NodeJS.Timeout;
  #reading: Promise<void> = Promise.resolve();

  constructor(options: FilmsOptions) {
    this.#options = options;
    this.#sweeper = setInterval(() => this.#sweep(), options.keptMs / 4);
    this.#sweeper.unref();
  }

  /** Reads it if it is not there. `onLoaded` is not called before this returns, nor after the hold is disposed. */
  hold(avatarId: AvatarId, onLoaded: () => void): HeldFilm {
    const { now } = this.#options;
    const kept = this.#kept.get(avatarId) ?? { avatarId, state: 'no_room', holders: new Set(), sinceMs: Number.NEGATIVE_INFINITY };
    this.#kept.set(avatarId, kept);
    // A set of its own functions: two holds never share one.
    const holder = () => onLoaded();
    kept.holders.add(holder);
    if (isTrouble(kept.state) && (kept.state === 'no_room' || now() - kept.sinceMs >= againMs)) this.#load(kept);
    return {
      get film() {
        return filmOf(kept);
      },
      [Symbol.dispose]: () => {
        kept.holders.delete(holder);
        if (!isTrouble(kept.state)) kept.sinceMs = now();
      },
    };
  }

  /** Something about how this film can be worn has changed. */
  changed(avatarId: AvatarId): void {
    for (const tell of [...(this.#kept.get(avatarId)?.holders ?? [])]) tell();
  }

  allChanged(): void {
    for (const avatarId of this.#kept.keys()) this.changed(avatarId);
  }

  health(): ComponentHealth {
    const base = { name: 'filmed tutors', runsOn: 'warped film' };
    const troubles = [...this.#kept.values()].flatMap(({ avatarId, state }) => (isTrouble(state) ? [{ avatarId, trouble: state }] : []));
    if (troubles.length === 0) return { ...base, status: 'ok', reason: null };
    const named = troubles.slice(0, mostNamed).map(({ avatarId, trouble }) => `avatar ${avatarId}: ${advice[trouble]}`);
    const others = troubles.length > mostNamed ? [`${troubles.length - mostNamed} more avatars`] : [];
    return { ...base, status: 'degraded', reason: `${[...named, ...others].join('; ')}. Until then the drawn tutors are seen.` };
  }

  [Symbol.dispose](): void {
    clearInterval(this.#sweeper);
    this.#kept.clear();
  }

  #load(kept: Kept): void {
    if (!this.#makeRoom()) {
      kept.state = 'no_room';
      return;
    }
    kept.state = 'loading';
    this.#reading = this.#reading.then(() => this.#read(kept)).catch(this.#options.onDefect);
  }

  async #read(kept: Kept): Promise<void> {
    const { load, now, onDefect } = this.#options;
    if (this.#kept.get(kept.avatarId) !== kept) return;
    try {
      kept.state = await load(kept.avatarId);
    } catch (error) {
      kept.state = troubleOf(error);
      kept.sinceMs = now();
      onDefect(error);
      return;
    }
    this.changed(kept.avatarId);
  }

  /** Lets the film go that nobody wears for the longest time, if there is no room for one more. False: all are worn. */
  #makeRoom(): boolean {
    const there = [...this.#kept.values()].filter(({ state }) => !isTrouble(state));
    if (there.length < this.#options.most) return true;
    const idle = there.filter(({ holders }) => holders.size === 0).toSorted((a, b) => a.sinceMs - b.sinceMs)[0];
    return idle !== undefined && this.#kept.delete(idle.avatarId);
  }

  #sweep(): void {
    const { now, keptMs } = this.#options;
    for (const { avatarId, holders, sinceMs } of this.#kept.values()) {
      if (holders.size === 0 && now() - sinceMs >= keptMs) this.#kept.delete(avatarId);
    }
    for (const kept of this.#kept.values()) if (kept.state === 'no_room' && kept.holders.size > 0) this.#load(kept);
  }
}

function filmOf({ state }: Kept): Film | null {
  return typeof state === 'string' ? null : state;
}

function isTrouble(state: Kept['state']): state is Trouble {
  return typeof state === 'string' && state !== 'loading';
}

function troubleOf(error: unknown): Trouble {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  return code === 'missing' || code === 'damaged' || code === 'other_version' ? code : 'failed';
}

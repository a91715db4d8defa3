import type { MediaElement, MediaState } from '../media-contract.ts';

type Shown = Pick<MediaState, 'picture' | 'sound' | 'volume'>;

/** HTMLMediaElement.HAVE_CURRENT_DATA. */
const hasFrame = 2;

/**
 * The elements that play the tutor. Their stream is one and the same over all connections, so that the
 * last picture stays until the next connection brings a new one.
 */
export class Screens {
  readonly #onChange: (shown: Shown) => void;
  readonly #elements = new Map<MediaElement, () => void>();
  #stream: MediaStream | null = null;
  #on = true;
  #blocked = false;
  #volume = 1;
  #picture = false;

  constructor(onChange: (shown: Shown) => void) {
    this.#onChange = onChange;
  }

  attach(element: MediaElement): () => void {
    const onFrame = () => {
      if ((element.videoWidth ?? 0) > 0 && element.readyState >= hasFrame) this.#set({ picture: true });
    };
    for (const event of frameEvents) element.addEventListener(event, onFrame);
    const detach = () => {
      for (const event of frameEvents) element.removeEventListener(event, onFrame);
      if (this.#elements.delete(element)) element.srcObject = null;
    };
    this.#elements.set(element, detach);
    element.srcObject = this.#stream;
    void this.#play(element);
    return detach;
  }

  /** Of a new connection; none: there is none. */
  show(tracks: readonly MediaStreamTrack[]): void {
    if (tracks.length === 0) {
      this.#stream = null;
      for (const element of this.#elements.keys()) element.srcObject = null;
      this.#set({ picture: false });
      return;
    }
    this.#stream ??= new MediaStream();
    for (const old of this.#stream.getTracks()) this.#stream.removeTrack(old);
    for (const track of tracks) this.#stream.addTrack(track);
    for (const element of this.#elements.keys()) {
      if (element.srcObject !== this.#stream) element.srcObject = this.#stream;
      void this.#play(element);
    }
  }

  setSound({ on = this.#on, volume = this.#volume }: { readonly on?: boolean; readonly volume?: number }): void {
    this.#on = on;
    this.#volume = Math.min(1, Math.max(0, volume));
    this.#set({});
    for (const element of this.#elements.keys()) void this.#play(element);
  }

  /** In a gesture: what was blocked may be heard. */
  async resume(): Promise<void> {
    this.#on = true;
    this.#blocked = false;
    await Promise.all([...this.#elements.keys()].map((element) => this.#play(element)));
    this.#set({});
  }

  close(): void {
    this.show([]);
    for (const detach of [...this.#elements.values()]) detach();
  }

  async #play(element: MediaElement): Promise<void> {
    element.volume = this.#volume;
    element.muted = !this.#on || this.#blocked;
    if (element.srcObject === null) return;
    try {
      await element.play();
    } catch (error) {
      // Anything else means that another call of `play` is under way.
      if (!(error instanceof Error) || error.name !== 'NotAllowedError' || element.muted) return;
      this.#set({ blocked: true });
      element.muted = true;
      await element.play().catch(() => {});
    }
  }

  #set(change: { readonly picture?: boolean; readonly blocked?: boolean }): void {
    this.#picture = change.picture ?? this.#picture;
    this.#blocked = change.blocked ?? this.#blocked;
    const sound = !this.#on ? 'off' : this.#blocked ? 'blocked' : 'on';
    this.#onChange({ picture: this.#picture, sound, volume: this.#volume });
  }
}

const frameEvents = ['loadeddata', 'resize', 'playing'] as const;

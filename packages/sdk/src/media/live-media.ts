import { Emitter } from '../emitter.ts';
import { aborted, TutorError } from '../errors.ts';
import { type LiveSource, liveItems } from '../live-items.ts';
import type {
  Captions,
  Hearing,
  MediaElement,
  MediaEvents,
  MediaHandle,
  MediaState,
  MediaStats,
  Signal,
  TutorMedia,
} from '../media-contract.ts';
import { idleMedia, nothingHeard } from './at-rest.ts';
import { MediaConnection } from './media-connection.ts';
import { MediaCalls, type MediaHost } from './media-link.ts';
import { RelayPeer } from './relay-peer.ts';
import { sameFields } from './same-fields.ts';
import { Screens } from './screens.ts';
import { SpeechClock } from './speech-clock.ts';
import { type StatsSample, statsBetween } from './stats.ts';
import { StudentMicrophone } from './student-microphone.ts';

/** Media as its lesson sees it. */
export interface LessonMedia extends TutorMedia {
  /** There is a link again. */
  linked(): void;
  /** The student's words have become a message. */
  understood(): void;
  close(): void;
}

/** Voice and face of one lesson. */
export class LiveMedia implements LessonMedia {
  readonly mic: StudentMicrophone;
  readonly #calls: MediaCalls;
  readonly #host: MediaHost;
  readonly #emitter: Emitter<MediaEvents>;
  readonly #screens: Screens;
  readonly #clock: SpeechClock;
  #state = idleMedia;
  #hearing = nothingHeard;
  #connection: MediaConnection<RelayPeer> | null = null;
  #peer: RelayPeer | null = null;
  /** As the engine says; what the student gets also takes a connection. */
  #offered: MediaState['quality'] = 'text';
  #following: AbortController | null = null;
  #sample: StatsSample | null = null;

  constructor(host: MediaHost) {
    this.#host = host;
    this.#calls = new MediaCalls(host);
    this.#emitter = new Emitter(host.onListenerError);
    this.#screens = new Screens((shown) => this.#set(shown));
    this.#clock = new SpeechClock({
      playedRtp: () => this.#peer?.playedRtp ?? null,
      textOf: (turnId, index) => host.textOf(turnId, index),
      onCaptions: (captions) => this.#emitter.emit('captions', captions),
    });
    this.mic = new StudentMicrophone({
      connect: () => this.connect(),
      send: (track) => void this.#peer?.speak(track).catch(() => {}),
      // Lost with the connection: then so is the utterance.
      commit: () => void this.#calls.commit().catch(() => {}),
      onState: (state) => this.#emitter.emit('mic', state),
    });
  }

  get state(): MediaState {
    return this.#state;
  }

  get captions(): Captions {
    return this.#clock.captions;
  }

  get hearing(): Hearing {
    return this.#hearing;
  }

  on<K extends keyof MediaEvents>(
    event: K,
    listener: (event: MediaEvents[K]) => void,
    options: { readonly signal?: AbortSignal } = {},
  ): () => void {
    return this.#emitter.on(event, listener, options.signal);
  }

  async connect({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    if (this.#state.status === 'closed') throw this.#host.failure() ?? aborted();
    this.#begin();
    await this.#outcome(signal);
  }

  async attachVideo(element: MediaElement, { signal }: { readonly signal?: AbortSignal } = {}): Promise<MediaHandle> {
    const detach = this.#screens.attach(element);
    signal?.addEventListener('abort', detach, { once: true });
    try {
      await this.connect(signal === undefined ? {} : { signal });
    } catch (error) {
      // What is still tried may come to show on it.
      if (!this.#state.retrying) detach();
      throw error;
    }
    return { detach, stats: () => this.stats() };
  }

  setSound(sound: { readonly on?: boolean; readonly volume?: number }): void {
    this.#screens.setSound(sound);
  }

  resume(): Promise<void> {
    return this.#screens.resume();
  }

  async stats(): Promise<MediaStats | null> {
    const sample = await this.#peer?.sample();
    if (sample === undefined) return null;
    const before = this.#sample;
    this.#sample = sample;
    return statsBetween(before, sample);
  }

  disconnect(): void {
    this.mic.stop();
    this.#end();
    this.#set({ status: 'idle', error: null, retrying: false });
  }

  close(): void {
    if (this.#state.status === 'closed') return;
    this.mic.stop();
    this.#end();
    this.#screens.close();
    this.#set({ status: 'closed', error: null, retrying: false });
  }

  linked(): void {
    this.#connection?.nudge();
  }

  #begin(): void {
    if (this.#connection !== null && (this.#state.status !== 'failed' || this.#state.retrying)) return;
    this.#end();
    this.#set({ status: 'connecting', error: null, retrying: true });
    this.#following = new AbortController();
    void this.#follow(this.#following.signal);
    const connection = new MediaConnection({
      config: (signal) => this.#calls.config(signal),
      negotiate: (offer, signal) => this.#calls.negotiate(offer, signal),
      open: (options) => {
        // The one before is of no more use. That it is replaced is this page's own doing, not another tab's.
        this.#peer = null;
        return RelayPeer.open(options);
      },
      now: () => performance.now(),
      onConfig: ({ voice }) => this.#set({ abilities: voice }),
      onConnected: (peer) => this.#onConnected(peer),
      onLost: (error) => this.#set({ status: 'recovering', error }),
      onFailed: (error, retrying) => {
        if (!retrying) {
          this.#peer = null;
          this.mic.drop();
        }
        this.#set({ status: 'failed', error, retrying });
      },
    });
    this.#connection = connection;
    // The network changed, or the student is looking again: what waits for its next try need not wait any longer.
    const { signal } = this.#following;
    globalThis.addEventListener?.('online', () => connection.nudge(), { signal });
    globalThis.document?.addEventListener('visibilitychange', () => connection.nudge(), { signal });
  }

  #end(): void {
    this.#following?.abort();
    this.#following = null;
    this.#connection?.stop();
    this.#connection = null;
    this.#peer = null;
    this.#sample = null;
    this.#clock.close();
    this.#screens.show([]);
    this.#hear(nothingHeard);
  }

  async #outcome(signal: AbortSignal | undefined): Promise<void> {
    for (;;) {
      const { status, error } = this.#state;
      if (status === 'connected') return;
      if (status === 'failed') throw error ?? new TutorError('relay_unavailable', 'voice and face are not connected in time');
      if (status === 'idle' || status === 'closed') throw aborted();
      if (signal?.aborted === true) throw aborted(signal.reason);
      await this.#change(signal);
    }
  }

  #change(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const off = this.on('state', done);
      signal?.addEventListener('abort', done, { once: true });
      function done() {
        off();
        signal?.removeEventListener('abort', done);
        resolve();
      }
    });
  }

  #onConnected(peer: RelayPeer): void {
    if (this.#peer !== peer) {
      this.#peer = peer;
      this.#sample = null;
      this.#screens.show(peer.tracks);
      this.mic.resend();
    }
    this.#set({ status: 'connected', error: null, retrying: false });
  }

  /** Without signals there are no captions; voice and face do without. */
  async #follow(stop: AbortSignal): Promise<void> {
    const { sessionId } = this.#host;
    const source: LiveSource<Signal> = { ...this.#host, follow: (link, onItem, cut) => link.signals({ sessionId, onItem }, cut) };
    try {
      for await (const signal of liveItems(source, stop)) this.#onSignal(signal);
    } catch {
      this.#hear(nothingHeard);
    }
  }

  #onSignal(signal: Signal): void {
    switch (signal.type) {
      case 'hello':
        this.#offer(signal.quality);
        break;
      case 'quality':
        this.#offer(signal.to);
        break;
      case 'replaced':
        if (signal.peerId === this.#peer?.peerId) this.#connection?.abandon(openedElsewhere());
        break;
      case 'listening':
        this.#hear({ ...this.#hearing, voice: signal.voice, notUnderstood: signal.voice ? null : this.#hearing.notUnderstood });
        break;
      case 'partial':
        this.#hear({ ...this.#hearing, partial: signal.text, notUnderstood: null });
        break;
      case 'notUnderstood':
        this.#hear({ voice: false, partial: '', notUnderstood: signal.reason });
        break;
      default:
    }
    this.#clock.tell(signal);
  }

  understood(): void {
    if (this.#hearing.partial !== '') this.#hear({ ...this.#hearing, partial: '' });
  }

  #offer(quality: MediaState['quality']): void {
    this.#offered = quality;
    this.#set({});
  }

  #hear(hearing: Hearing): void {
    if (sameFields(this.#hearing, hearing)) return;
    this.#hearing = hearing;
    this.#emitter.emit('hearing', hearing);
  }

  #set(change: Partial<MediaState>): void {
    const next = { ...this.#state, ...change };
    const quality = next.status === 'connected' ? this.#offered : 'text';
    const before = this.#state;
    this.#state = { ...next, quality };
    if (sameFields(before, this.#state)) this.#state = before;
    else this.#emitter.emit('state', this.#state);
  }
}

/** Not to be taken back unasked: two tabs would take it from each other for ever. */
function openedElsewhere(): TutorError {
  return new TutorError('conflict', 'voice and face of this lesson were opened elsewhere', { retryable: false });
}

import { Emitter } from '../emitter.ts';
import type { ErrorCode } from '../error-contract.ts';
import { aborted, TutorError } from '../errors.ts';
import type {
  Captions,
  Hearing,
  MediaAbilities,
  MediaEvents,
  MediaHandle,
  MediaState,
  MediaStats,
  Microphone,
  MicState,
} from '../media-contract.ts';
import { idleMedia, micOff, noCaptions, nothingHeard } from './at-rest.ts';
import type { LessonMedia } from './live-media.ts';

export interface ScriptedVoice {
  /** Default: everything works. */
  readonly abilities?: MediaAbilities;
  /** Connecting fails with this. */
  readonly refusal?: ErrorCode;
  /** The microphone cannot be had. */
  readonly problem?: MicState['problem'];
  /** Where the test takes hold of what happens next. */
  readonly onReady?: (control: ScriptedMediaControl) => void;
}

/** What the network, the engine and the browser would do. */
export interface ScriptedMediaControl {
  state(change: Partial<MediaState>): void;
  mic(change: Partial<MicState>): void;
  captions(captions: Captions): void;
  hearing(hearing: Partial<Hearing>): void;
}

const everything: MediaAbilities = { speaks: true, listens: true, face: true, missing: [] };
const stats: MediaStats = { relay: true, rttMs: 20, lossRatio: 0, fps: 25, jitterMs: 2, bitrate: 300_000 };

/** Media without a browser: connects at once, and otherwise does what it is told. */
export class ScriptedMedia implements LessonMedia {
  readonly mic: Microphone;
  readonly #script: ScriptedVoice;
  readonly #emitter: Emitter<MediaEvents>;
  #state = idleMedia;
  #captions = noCaptions;
  #hearing = nothingHeard;
  #mic = micOff;

  constructor(script: ScriptedVoice, onListenerError: (error: unknown) => void) {
    this.#script = script;
    this.#emitter = new Emitter(onListenerError);
    this.mic = this.#microphone();
    script.onReady?.({
      state: (change) => this.#set(change),
      mic: (change) => this.#setMic(change),
      captions: (captions) => {
        this.#captions = captions;
        this.#emitter.emit('captions', captions);
      },
      hearing: (change) => {
        this.#hearing = { ...this.#hearing, ...change };
        this.#emitter.emit('hearing', this.#hearing);
      },
    });
  }

  get state(): MediaState {
    return this.#state;
  }

  get captions(): Captions {
    return this.#captions;
  }

  get hearing(): Hearing {
    return this.#hearing;
  }

  on: LessonMedia['on'] = (event, listener, options = {}) => this.#emitter.on(event, listener, options.signal);

  async connect(): Promise<void> {
    if (this.#state.status === 'closed') throw aborted();
    if (this.#state.status === 'connected') return;
    this.#set({ status: 'connecting' });
    await Promise.resolve();
    const { abilities = everything, refusal } = this.#script;
    if (refusal !== undefined) {
      const error = new TutorError(refusal, 'the script says so');
      this.#set({ status: 'failed', error, retrying: error.retryable, abilities });
      throw error;
    }
    const quality = abilities.face ? 'video' : abilities.speaks ? 'voice' : 'text';
    this.#set({ status: 'connected', error: null, retrying: false, quality, abilities, picture: abilities.face });
  }

  async attachVideo(): Promise<MediaHandle> {
    await this.connect();
    return { detach: () => {}, stats: () => this.stats() };
  }

  setSound({ on, volume = this.#state.volume }: { readonly on?: boolean; readonly volume?: number }): void {
    this.#set({ volume, ...(on === undefined ? {} : { sound: on ? 'on' : 'off' }) });
  }

  async resume(): Promise<void> {
    this.#set({ sound: 'on' });
  }

  async stats(): Promise<MediaStats | null> {
    return this.#state.status === 'connected' ? stats : null;
  }

  disconnect(): void {
    this.mic.stop();
    this.#set({ status: 'idle', quality: 'text', picture: false });
  }

  linked(): void {}

  understood(): void {}

  close(): void {
    if (this.#state.status === 'closed') return;
    this.disconnect();
    this.#set({ status: 'closed' });
  }

  #set(change: Partial<MediaState>): void {
    this.#state = { ...this.#state, ...change };
    this.#emitter.emit('state', this.#state);
  }

  #setMic(change: Partial<MicState>): void {
    const next = { ...this.#mic, ...change };
    this.#mic = { ...next, sending: change.sending ?? (next.status === 'on' && !next.muted && next.mode === 'open') };
    this.#emitter.emit('mic', this.#mic);
  }

  #microphone(): Microphone {
    const media = this;
    return {
      get state() {
        return media.#mic;
      },
      start: async ({ mode = this.#mic.mode, deviceId = this.#mic.deviceId } = {}) => {
        const problem = this.#script.problem ?? null;
        this.#setMic({ mode, deviceId, problem, status: problem === null ? 'on' : 'blocked' });
        if (problem !== null) throw new TutorError('media_blocked', 'the script says so');
        await this.connect();
      },
      stop: () => this.#setMic({ status: 'off', muted: false }),
      mute: (muted) => this.#setMic({ muted }),
      setMode: (mode) => this.#setMic({ mode }),
      use: async (deviceId) => this.#setMic({ deviceId }),
      press: () => this.#setMic({ sending: this.#mic.status === 'on' && !this.#mic.muted }),
      release: () => this.#setMic({}),
      level: () => (this.#mic.sending ? 0.5 : 0),
      devices: async () => [{ deviceId: 'default', label: 'Scripted microphone' }],
    };
  }
}

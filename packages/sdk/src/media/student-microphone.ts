import { TutorError } from '../errors.ts';
import type { MicProblem, Microphone, MicState } from '../media-contract.ts';
import { micOff } from './at-rest.ts';
import { type LevelMeter, meterLevel } from './level-meter.ts';
import { sameFields } from './same-fields.ts';

export interface MicrophoneOptions {
  /** Media is wanted: connects when nothing is connected. */
  readonly connect: () => Promise<void>;
  /** Null: nobody is to be heard. */
  readonly send: (track: MediaStreamTrack | null) => void;
  /** What was said so far is the utterance. */
  readonly commit: () => void;
  readonly onState: (state: MicState) => void;
}

/** What was said before the key was let go is still on its way through the browser's buffers for so long, ms. */
const releaseMs = 150;

/** The student's microphone. While it must not be heard its track is taken off the connection: nothing is sent at all. */
export class StudentMicrophone implements Microphone {
  readonly #options: MicrophoneOptions;
  #state = micOff;
  #track: MediaStreamTrack | null = null;
  #meter: LevelMeter | null = null;
  #pressed = false;
  #releasing: ReturnType<typeof setTimeout> | undefined;
  /** Counts what was asked of the device: an answer that comes too late is given back. */
  #wish = 0;

  constructor(options: MicrophoneOptions) {
    this.#options = options;
  }

  get state(): MicState {
    return this.#state;
  }

  /** The connection is a new one: it is to hear what the one before heard. */
  resend(): void {
    if (this.#state.sending) this.#options.send(this.#track);
  }

  async start({ mode = this.#state.mode, deviceId }: { readonly mode?: MicState['mode']; readonly deviceId?: string } = {}): Promise<void> {
    this.#set({ mode });
    await this.#acquire(deviceId ?? this.#state.deviceId);
    await this.#options.connect();
  }

  stop(): void {
    if (this.#state.sending) this.#options.commit();
    this.#turnOff();
  }

  /** The connection is gone for good: nobody is recorded for nothing. What was being said is lost with it. */
  drop(): void {
    // Why it is blocked stays told.
    if (this.#state.status !== 'blocked') this.#turnOff();
  }

  mute(muted: boolean): void {
    // What was said before counts: nobody mutes in order to be waited for.
    if (muted && this.#state.sending) this.#options.commit();
    this.#set({ muted });
  }

  setMode(mode: MicState['mode']): void {
    this.#set({ mode });
  }

  async use(deviceId: string): Promise<void> {
    if (this.#state.status === 'on') await this.#acquire(deviceId);
    else this.#set({ deviceId });
  }

  press(): void {
    clearTimeout(this.#releasing);
    this.#pressed = true;
    this.#set({});
  }

  release(): void {
    if (!this.#pressed) return;
    clearTimeout(this.#releasing);
    this.#releasing = setTimeout(() => {
      const spoke = this.#state.sending;
      this.#pressed = false;
      this.#set({});
      if (spoke && this.#state.mode === 'push') this.#options.commit();
    }, releaseMs);
  }

  level(): number {
    if (this.#track === null || this.#track.readyState === 'ended') return 0;
    this.#meter ??= meterLevel(this.#track);
    return this.#meter.read();
  }

  async devices(): Promise<readonly { readonly deviceId: string; readonly label: string }[]> {
    const devices = (await globalThis.navigator?.mediaDevices?.enumerateDevices()) ?? [];
    return devices
      .filter(({ kind, deviceId }) => kind === 'audioinput' && deviceId !== '')
      .map(({ deviceId, label }) => ({ deviceId, label }));
  }

  async #acquire(deviceId: string | null): Promise<void> {
    const wish = ++this.#wish;
    this.#set({ status: this.#track === null ? 'asking' : 'on', problem: null });
    try {
      const track = await microphoneTrack(deviceId);
      if (wish !== this.#wish) return track.stop();
      this.#letGo();
      this.#track = track;
      track.addEventListener('ended', () => void this.#onEnded(track));
      this.#set({ status: 'on', deviceId });
    } catch (error) {
      if (wish !== this.#wish) return;
      this.#letGo();
      const problem = problemOf(error);
      this.#set({ status: 'blocked', problem });
      throw new TutorError('media_blocked', `the microphone cannot be had: ${problem}`, { cause: error });
    }
  }

  /** Unplugged, or taken back by the student in the browser's settings. */
  async #onEnded(track: MediaStreamTrack): Promise<void> {
    if (track !== this.#track) return;
    this.#letGo();
    if (await isDenied()) return this.#set({ status: 'blocked', problem: 'revoked' });
    // Another microphone may be there.
    await this.#acquire(null).catch(() => {});
  }

  #turnOff(): void {
    this.#wish += 1;
    this.#letGo();
    this.#set({ status: 'off', problem: null, muted: false });
  }

  #letGo(): void {
    this.#meter?.close();
    this.#meter = null;
    this.#track?.stop();
    this.#track = null;
  }

  #set(change: Partial<MicState>): void {
    const next = { ...this.#state, ...change };
    const heard = next.mode === 'open' || this.#pressed;
    const sending = next.status === 'on' && this.#track !== null && !next.muted && heard;
    const before = this.#state;
    this.#state = { ...next, sending };
    if (sending !== before.sending || (sending && change.deviceId !== undefined)) this.#options.send(sending ? this.#track : null);
    if (!sameFields(before, this.#state)) this.#options.onState(this.#state);
    else this.#state = before;
  }
}

class NoMicrophoneHere extends Error {
  override readonly name = 'NoMicrophoneHere';
}

async function microphoneTrack(deviceId: string | null): Promise<MediaStreamTrack> {
  // Only there on secure origins: https, or this very machine.
  const devices = globalThis.navigator?.mediaDevices;
  if (devices === undefined) throw new NoMicrophoneHere('there are no media devices on an insecure origin');
  const device = deviceId === null ? {} : { deviceId: { exact: deviceId } };
  const stream = await devices.getUserMedia({
    audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1, ...device },
  });
  const [track] = stream.getAudioTracks();
  if (track === undefined) throw new NoMicrophoneHere('the browser gave no audio track');
  return track;
}

/** https://w3c.github.io/mediacapture-main/#dom-mediadevices-getusermedia */
export function problemOf(error: unknown): MicProblem {
  const name = error instanceof Error ? error.name : '';
  switch (name) {
    case 'NotAllowedError':
    case 'SecurityError':
      return 'denied';
    case 'NotFoundError':
    case 'OverconstrainedError':
      return 'no_device';
    case 'NotReadableError':
    case 'AbortError':
      return 'busy';
    default:
      return 'unsupported';
  }
}

async function isDenied(): Promise<boolean> {
  // Firefox and older Safaris do not know this name.
  const permission = await navigator.permissions.query({ name: 'microphone' }).catch(() => null);
  return permission?.state === 'denied';
}

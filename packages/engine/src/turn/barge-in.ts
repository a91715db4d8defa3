import type { Heard } from './backchannel.ts';

/*
 * Whether a voice heard while the tutor speaks takes the floor. First the tutor is held, at once and on
 * little evidence, because that can be undone; then the sound shows whether it was speech. Pure: times
 * are ms on the clock of the microphone's audio.
 */

export type BargeInInput =
  | {
      readonly type: 'frame';
      /** Where the frame ends, ms. */
      readonly atMs: number;
      readonly lengthMs: number;
      /** That it is speech, 0 to 1. */
      readonly probability: number;
      /** RMS of the frame, and what it has to be to count (see `leastLevelDb`): dB below full scale (negative). */
      readonly levelDb: number;
      readonly leastDb: number;
    }
  /** The tutor can be heard, or no longer. Being held changes nothing here. */
  | { readonly type: 'playing'; readonly on: boolean }
  /** What a transcript of the sound up to `toMs` says. */
  | { readonly type: 'heard'; readonly heard: Heard; readonly toMs: number }
  /** The sound is over and this is all that was in it, with so much voice; null: nobody can tell. */
  | { readonly type: 'ended'; readonly heard: Heard | null; readonly voicedMs: number };

export type BargeInOutput =
  | { readonly type: 'hold' }
  | { readonly type: 'release' }
  | { readonly type: 'takeFloor' }
  /** Time for a transcript of the sound so far. */
  | { readonly type: 'transcriptDue' };

interface Sound {
  /** Voice in it, ms. */
  readonly voicedMs: number;
  /** Where its last voiced frame ended, ms. */
  readonly voiceToMs: number;
  /** Voice at which the next transcript is due, ms. */
  readonly transcriptAtMs: number;
}

export type BargeInState =
  /** The tutor is silent: whoever speaks has the floor. */
  | { readonly status: 'free'; readonly atMs: number; readonly echoUntilMs: number }
  /** The tutor speaks; `voicedMs` of voice is not yet enough to hold it. */
  | { readonly status: 'guarding'; readonly atMs: number; readonly voicedMs: number; readonly echoUntilMs: number }
  | ({
      readonly status: 'held';
      readonly atMs: number;
      readonly sinceMs: number;
      readonly heard: { readonly as: Heard; readonly toMs: number } | null;
      /** The tutor would be heard if it was not held. */
      readonly playing: boolean;
      readonly echoUntilMs: number;
    } & Sound)
  /** A sound that stops nobody, unless words come out of it. */
  | ({ readonly status: 'overruled'; readonly atMs: number; readonly echoUntilMs: number } & Sound);

type Held = Extract<BargeInState, { status: 'held' }>;
type Overruled = Extract<BargeInState, { status: 'overruled' }>;
type Step = readonly [BargeInState, readonly BargeInOutput[]];

export const bargeIn = {
  /** A frame at least this likely is voice: stricter than without the tutor in the room. */
  probability: 0.6,
  /** Nobody speaks into a microphone more quietly, dB below full scale. */
  leastDb: -50,
  /** How much more quietly than usual a student speaks, dB: what is quieter is the loudspeaker's echo, or somebody behind. */
  quieterDb: 15,
  /** Voice that holds the tutor, ms: two frames. */
  holdMs: 64,
  /** Voice between transcripts, ms. */
  transcriptMs: 250,
  /**
   * Voice that takes the floor, by what a transcript makes of it, ms. From less, a recogniser guesses words: of
   * 160 coughs, hums and "yeah"s it made some out of 12, none longer than 570 ms.
   */
  enoughMs: {
    nothing: 1_000,
    backchannel: Number.POSITIVE_INFINITY,
    echo: Number.POSITIVE_INFINITY,
    word: 800,
    words: 600,
    request: 600,
  },
  /** The same of a request, once its sound is over. */
  wholeRequestMs: 200,
  /** Voice that takes the floor while nobody knows whether there are words in it, ms. */
  unknownMs: 700,
  /** Silence after which the sound is over, ms, and how much of it a transcript of the whole sound includes. */
  overMs: 250,
  tailMs: 96,
  /** The tutor is not held for longer, ms: it goes on, or is done. */
  longestHoldMs: 1_500,
  /** After the tutor heard itself only words hold it, ms. */
  echoMs: 30_000,
} as const;

export const startBargeIn: BargeInState = { status: 'free', atMs: 0, echoUntilMs: 0 };

/** How loud a voice must be to be the student's; `usualDb`: how loud it was so far, null when not known. */
export function leastLevelDb(usualDb: number | null): number {
  return usualDb === null ? bargeIn.leastDb : Math.max(bargeIn.leastDb, usualDb - bargeIn.quieterDb);
}

export function advanceBargeIn(state: BargeInState, input: BargeInInput): Step {
  switch (input.type) {
    case 'frame':
      return hearFrame({ ...state, atMs: input.atMs }, input);
    case 'playing':
      return setPlaying(state, input.on);
    case 'heard':
      return hearWords(state, input);
    case 'ended':
      return endSound(state, input);
  }
}

type Frame = Extract<BargeInInput, { type: 'frame' }>;

function hearFrame(state: BargeInState, frame: Frame): Step {
  const voiced = frame.probability >= bargeIn.probability && frame.levelDb >= frame.leastDb;
  switch (state.status) {
    case 'free':
      return [state, []];
    case 'guarding':
      return guard(state, frame, voiced);
    case 'held': {
      const [sound, outputs] = listenOn(state, frame, voiced);
      return judge({ ...state, ...sound }, outputs);
    }
    case 'overruled': {
      const [sound, outputs] = listenOn(state, frame, voiced);
      const over = frame.atMs - sound.voiceToMs >= bargeIn.overMs;
      return over ? [guardingFrom(state), []] : [{ ...state, ...sound }, outputs];
    }
  }
}

function guardingFrom({ atMs, echoUntilMs }: BargeInState): BargeInState {
  return { status: 'guarding', atMs, voicedMs: 0, echoUntilMs };
}

function guard(state: Extract<BargeInState, { status: 'guarding' }>, { atMs, lengthMs }: Frame, voiced: boolean): Step {
  // One weak frame between strong ones does not start the count again.
  const voicedMs = voiced ? state.voicedMs + lengthMs : Math.max(0, state.voicedMs - lengthMs);
  if (voicedMs < bargeIn.holdMs) return [{ ...state, voicedMs }, []];
  const sound: Sound = { voicedMs, voiceToMs: atMs, transcriptAtMs: bargeIn.transcriptMs };
  const { echoUntilMs } = state;
  if (atMs < echoUntilMs) return [{ status: 'overruled', atMs, echoUntilMs, ...sound }, []];
  return [{ status: 'held', atMs, sinceMs: atMs, heard: null, playing: true, echoUntilMs, ...sound }, [{ type: 'hold' }]];
}

/** A transcript is due every so much voice. What was said until a pause, the endpointing asks for. */
function listenOn(sound: Sound, { atMs, lengthMs }: Frame, voiced: boolean): readonly [Sound, readonly BargeInOutput[]] {
  if (!voiced) return [sound, []];
  const voicedMs = sound.voicedMs + lengthMs;
  if (voicedMs < sound.transcriptAtMs) return [{ ...sound, voicedMs, voiceToMs: atMs }, []];
  return [{ voicedMs, voiceToMs: atMs, transcriptAtMs: sound.transcriptAtMs + bargeIn.transcriptMs }, [{ type: 'transcriptDue' }]];
}

function judge(state: Held, outputs: readonly BargeInOutput[]): Step {
  const { heard, voicedMs, atMs, sinceMs, voiceToMs } = state;
  if (heard !== null && voicedMs >= bargeIn.enoughMs[heard.as]) return takeFloor(state);
  if (heard?.as === 'echo') return release({ ...state, echoUntilMs: atMs + bargeIn.echoMs });
  if (heard === null && voicedMs >= bargeIn.unknownMs) return takeFloor(state);
  const over = atMs - voiceToMs >= bargeIn.overMs;
  if (over && heard !== null && heard.toMs >= voiceToMs + bargeIn.tailMs) {
    return isEnoughWhole(heard.as, voicedMs) ? takeFloor(state) : release(state);
  }
  if (atMs - sinceMs >= bargeIn.longestHoldMs) return release(state);
  return [state, outputs];
}

function takeFloor({ atMs, echoUntilMs }: BargeInState): Step {
  return [{ status: 'free', atMs, echoUntilMs }, [{ type: 'takeFloor' }]];
}

function release(state: Held): Step {
  const { atMs, echoUntilMs, voicedMs, voiceToMs, transcriptAtMs } = state;
  const after: BargeInState = state.playing
    ? { status: 'overruled', atMs, echoUntilMs, voicedMs, voiceToMs, transcriptAtMs }
    : { status: 'free', atMs, echoUntilMs };
  return [after, [{ type: 'release' }]];
}

function setPlaying(state: BargeInState, on: boolean): Step {
  if (state.status === 'held') return [{ ...state, playing: on }, []];
  const { atMs, echoUntilMs } = state;
  if (!on) return [{ status: 'free', atMs, echoUntilMs }, []];
  return [state.status === 'free' ? guardingFrom(state) : state, []];
}

function hearWords(state: BargeInState, { heard, toMs }: { readonly heard: Heard; readonly toMs: number }): Step {
  if (state.status === 'held') return judge({ ...state, heard: { as: heard, toMs } }, []);
  if (state.status === 'overruled') return hearThrough(state, heard);
  return [state, []];
}

/** Released too early, or spoken over the tutor's own echo: words still stop it. */
function hearThrough(state: Overruled, heard: Heard): Step {
  if (heard === 'echo') return [{ ...state, echoUntilMs: state.atMs + bargeIn.echoMs }, []];
  return state.voicedMs >= bargeIn.enoughMs[heard] ? takeFloorLate(state) : [state, []];
}

function takeFloorLate(state: BargeInState): Step {
  const [after, outputs] = takeFloor(state);
  return [after, [{ type: 'hold' }, ...outputs]];
}

function isEnoughWhole(heard: Heard | null, voicedMs: number): boolean {
  if (heard === null) return false;
  return voicedMs >= (heard === 'request' ? bargeIn.wholeRequestMs : bargeIn.enoughMs[heard]);
}

function endSound(state: BargeInState, { heard, voicedMs }: { readonly heard: Heard | null; readonly voicedMs: number }): Step {
  switch (state.status) {
    case 'free':
      return [state, []];
    case 'held':
      return isEnoughWhole(heard, voicedMs) ? takeFloor(state) : release(state);
    case 'guarding':
    case 'overruled':
      // The recogniser was slow, and the tutor went on meanwhile.
      return isEnoughWhole(heard, voicedMs) ? takeFloorLate(state) : [state, []];
  }
}

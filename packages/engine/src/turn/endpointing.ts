import type { UtteranceShape } from './utterance-shape.ts';

/*
 * Where utterances begin and end in one microphone's audio. Pure: times are ms on the clock of the
 * audio itself, so a recording gives the same utterances however fast it is played in.
 */

export type EndpointingInput =
  | {
      readonly type: 'frame';
      /** Where the frame ends, ms. */
      readonly atMs: number;
      readonly lengthMs: number;
      /** That it is speech, 0 to 1. */
      readonly probability: number;
    }
  /** How the utterance sounds so far. */
  | { readonly type: 'shape'; readonly shape: UtteranceShape }
  /** Push-to-talk released. */
  | { readonly type: 'commit' };

export type EndpointingOutput =
  | { readonly type: 'voice'; readonly on: boolean }
  /** Time for a transcript of what has been said since `fromMs`. */
  | { readonly type: 'partialDue'; readonly fromMs: number; readonly toMs: number }
  /** The utterance may be over, and its voice ended at `toMs`: a transcript made now is the last one, unless the voice comes back. */
  | { readonly type: 'pause'; readonly fromMs: number; readonly toMs: number }
  | {
      readonly type: 'utterance';
      /** From before the voice began, so that no first word is cut. */
      readonly fromMs: number;
      /** Where the voice ended. */
      readonly toMs: number;
      /** Speech in it. */
      readonly voicedMs: number;
    }
  /** Push-to-talk released, and nobody had spoken. */
  | { readonly type: 'nothingSaid' };

interface Silent {
  readonly status: 'silent';
  readonly atMs: number;
  /** Speech and its beginning, while it is too little to count; 0 when there is none. */
  readonly voicedMs: number;
  readonly voiceFromMs: number;
  /** No utterance begins before: where the last one ended. */
  readonly floorMs: number;
  /** Since the last commit there was an utterance. */
  readonly spoken: boolean;
}

interface Speaking {
  readonly status: 'speaking';
  readonly atMs: number;
  readonly fromMs: number;
  readonly voicedMs: number;
  /** Where the last voiced frame ended. */
  readonly voiceToMs: number;
  readonly partialAtMs: number;
  readonly paused: boolean;
  readonly shape: UtteranceShape;
}

export type EndpointingState = Silent | Speaking;

type Step = readonly [EndpointingState, readonly EndpointingOutput[]];

export const endpointing = {
  /** A frame at least this likely is voice: to begin with, and to go on. */
  beginProbability: 0.5,
  goOnProbability: 0.35,
  /** Voice that begins an utterance, ms; less is a click. */
  beginMs: 64,
  /** Kept from before the voice began, ms. */
  preRollMs: 250,
  partialMs: 500,
  /** Silence after which a transcript is worth making, ms. Less than `complete` by what recognition takes. */
  pauseMs: 200,
  /** Silence that ends an utterance, ms, by how it sounds. */
  silenceMs: { complete: 500, unclear: 700, open: 1_200 },
  /** Longest utterance, ms; what follows is another one. */
  longestMs: 30_000,
} as const;

export const startEndpointing: EndpointingState = { status: 'silent', atMs: 0, voicedMs: 0, voiceFromMs: 0, floorMs: 0, spoken: false };

export function advanceEndpointing(state: EndpointingState, input: EndpointingInput): Step {
  switch (input.type) {
    case 'frame':
      return state.status === 'silent' ? hearInSilence(state, input) : hearInSpeech(state, input);
    case 'shape':
      return [state.status === 'speaking' ? { ...state, shape: input.shape } : state, []];
    case 'commit':
      return commit(state);
  }
}

type Frame = Extract<EndpointingInput, { type: 'frame' }>;

function silentFrom(atMs: number, spoken: boolean): Silent {
  return { status: 'silent', atMs, voicedMs: 0, voiceFromMs: atMs, floorMs: atMs, spoken };
}

function hearInSilence(state: Silent, { atMs, lengthMs, probability }: Frame): Step {
  if (probability < endpointing.beginProbability) {
    // One weak frame between two strong ones does not start the count again.
    return [{ ...state, atMs, voicedMs: Math.max(0, state.voicedMs - lengthMs) }, []];
  }
  const voiceFromMs = state.voicedMs === 0 ? atMs - lengthMs : state.voiceFromMs;
  const voicedMs = state.voicedMs + lengthMs;
  if (voicedMs < endpointing.beginMs) return [{ ...state, atMs, voicedMs, voiceFromMs }, []];
  const fromMs = Math.max(state.floorMs, voiceFromMs - endpointing.preRollMs);
  return [
    {
      status: 'speaking',
      atMs,
      fromMs,
      voicedMs,
      voiceToMs: atMs,
      partialAtMs: atMs + endpointing.partialMs,
      paused: false,
      shape: 'unclear',
    },
    [{ type: 'voice', on: true }],
  ];
}

function hearInSpeech(before: Speaking, { atMs, lengthMs, probability }: Frame): Step {
  const voiced = probability >= endpointing.goOnProbability;
  const state: Speaking = voiced
    ? // What it sounded like at the last pause says nothing about what is said now.
      {
        ...before,
        atMs,
        voicedMs: before.voicedMs + lengthMs,
        voiceToMs: atMs,
        paused: false,
        shape: before.paused ? 'unclear' : before.shape,
      }
    : { ...before, atMs };
  const { fromMs, voiceToMs } = state;
  if (atMs - fromMs >= endpointing.longestMs) return endUtterance(state, atMs);
  const silenceMs = atMs - voiceToMs;
  if (silenceMs >= endpointing.silenceMs[state.shape]) return endUtterance(state, voiceToMs);
  if (voiced && before.paused) return [state, [{ type: 'voice', on: true }]];
  if (!state.paused && silenceMs >= endpointing.pauseMs) {
    return [
      { ...state, paused: true },
      [
        { type: 'voice', on: false },
        { type: 'pause', fromMs, toMs: voiceToMs },
      ],
    ];
  }
  if (voiced && atMs >= state.partialAtMs) {
    // The longer it gets, the longer it takes to transcribe: a tenth of its length keeps the cost of an utterance linear.
    const partialAtMs = atMs + Math.max(endpointing.partialMs, (atMs - fromMs) / 10);
    return [{ ...state, partialAtMs }, [{ type: 'partialDue', fromMs, toMs: atMs }]];
  }
  return [state, []];
}

function endUtterance(state: Speaking, toMs: number): Step {
  const utterance = { type: 'utterance', fromMs: state.fromMs, toMs, voicedMs: state.voicedMs } as const;
  return [silentFrom(state.atMs, true), state.paused ? [utterance] : [{ type: 'voice', on: false }, utterance]];
}

function commit(state: EndpointingState): Step {
  if (state.status === 'silent') return [silentFrom(state.atMs, false), state.spoken ? [] : [{ type: 'nothingSaid' }]];
  const [after, outputs] = endUtterance(state, state.atMs);
  return [after.status === 'silent' ? { ...after, spoken: false } : after, outputs];
}

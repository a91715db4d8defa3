import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Heard } from './backchannel.ts';
import {
  advanceBargeIn,
  type BargeInInput,
  type BargeInOutput,
  type BargeInState,
  bargeIn,
  leastLevelDb,
  startBargeIn,
} from './barge-in.ts';

const lengthMs = 32;

type Step = number | Exclude<BargeInInput, { type: 'frame' }>;

/** Frames are given as probabilities, at the loudness of a voice. */
function play(steps: readonly Step[], { levelDb = -20, leastDb = leastLevelDb(null) } = {}) {
  let state: BargeInState = startBargeIn;
  let atMs = 0;
  const outputs: (BargeInOutput & { readonly atMs: number })[] = [];
  for (const step of steps) {
    if (typeof step === 'number') atMs += lengthMs;
    const input: BargeInInput = typeof step === 'number' ? { type: 'frame', atMs, lengthMs, probability: step, levelDb, leastDb } : step;
    const [next, said] = advanceBargeIn(state, input);
    state = next;
    outputs.push(...said.map((output) => ({ ...output, atMs })));
  }
  return { state, outputs, said: outputs.filter(({ type }) => type !== 'transcriptDue').map(({ type }) => type) };
}

const voice = (ms: number) => Array.from({ length: Math.ceil(ms / lengthMs) }, () => 0.95);
const quiet = (ms: number) => Array.from({ length: Math.ceil(ms / lengthMs) }, () => 0.02);
const playing = { type: 'playing', on: true } as const;
const stopped = { type: 'playing', on: false } as const;
const heard = (as: Heard, toMs = Number.POSITIVE_INFINITY) => ({ type: 'heard', heard: as, toMs }) as const;

describe('while the tutor speaks', () => {
  test('a voice holds it within two frames', () => {
    const { outputs } = play([playing, ...quiet(320), ...voice(320)]);
    expect(outputs[0]).toEqual({ type: 'hold', atMs: 320 + 64 });
  });

  test('a click or a distant voice does not', () => {
    expect(play([playing, ...quiet(320), 0.9, ...quiet(320), 0.9, ...quiet(320)]).outputs).toEqual([]);
    expect(play([playing, ...voice(2_000)], { levelDb: -60 }).outputs).toEqual([]);
  });

  test('a voice much quieter than the student’s usual one does not', () => {
    const leastDb = leastLevelDb(-20);
    expect(play([playing, ...voice(2_000)], { levelDb: -36, leastDb }).outputs).toEqual([]);
    expect(play([playing, ...voice(320)], { levelDb: -33, leastDb }).said).toEqual(['hold']);
  });

  test('several words take the floor while they are being said', () => {
    expect(play([playing, ...voice(640), heard('words')]).said).toEqual(['hold', 'takeFloor']);
  });

  test('words guessed from the first quarter of a second do not', () => {
    expect(play([playing, ...voice(256), heard('words')]).said).toEqual(['hold']);
  });

  test.each([
    ['nothing', 'release'],
    ['backchannel', 'release'],
    ['word', 'release'],
    ['request', 'takeFloor'],
  ] as const)('of a short sound, %s means %s', (as, outcome) => {
    expect(play([playing, ...voice(320), ...quiet(160), heard(as), ...quiet(320)]).said).toEqual(['hold', outcome]);
  });

  test('a long "yeah, right, I see" never takes the floor', () => {
    expect(play([playing, ...voice(512), heard('backchannel', 512), ...voice(700), heard('backchannel'), ...quiet(320)]).said).toEqual([
      'hold',
      'release',
    ]);
  });

  test('a transcript of only the beginning decides nothing about the whole', () => {
    const { said } = play([playing, ...voice(320), heard('nothing', 200), ...quiet(480)]);
    expect(said).toEqual(['hold']);
  });

  test('a voice nobody can transcribe takes the floor by its length', () => {
    expect(play([playing, ...voice(bargeIn.unknownMs + 64)]).said).toEqual(['hold', 'takeFloor']);
    expect(play([playing, ...voice(320), ...quiet(200), { type: 'ended', heard: null, voicedMs: 320 }]).said).toEqual(['hold', 'release']);
  });

  test('words that are recognised late still take the floor', () => {
    const late = { type: 'ended', heard: 'words', voicedMs: 640 } as const;
    expect(play([playing, ...voice(640), ...quiet(2_000), late]).said).toEqual(['hold', 'release', 'hold', 'takeFloor']);
  });

  test('one noise holds it once: it may hum on', () => {
    expect(play([playing, ...voice(320), heard('nothing'), ...quiet(96), ...voice(200), heard('nothing'), ...quiet(320)]).said).toEqual([
      'hold',
      'release',
    ]);
  });

  test('its own voice, come back through the microphone, holds it once, and after that only words do', () => {
    const echoed = [...voice(320), heard('echo'), ...voice(320), ...quiet(320)];
    expect(play([playing, ...echoed, ...echoed, ...echoed]).said).toEqual(['hold', 'release']);
    expect(play([playing, ...echoed, ...voice(640), heard('words')]).said).toEqual(['hold', 'release', 'hold', 'takeFloor']);
  });

  test('being held is not being over: the sound is still judged', () => {
    expect(play([playing, ...voice(320), stopped, ...quiet(160), heard('nothing'), ...quiet(320)]).said).toEqual(['hold', 'release']);
  });
});

test('in the tutor’s silence nobody is held', () => {
  expect(play([...voice(2_000), heard('words')]).outputs).toEqual([]);
  expect(play([playing, ...quiet(320), stopped, ...voice(2_000)]).outputs).toEqual([]);
});

const anyStep: fc.Arbitrary<readonly Step[]> = fc.oneof(
  fc.double({ min: 0, max: 1, noNaN: true }).map((probability) => [probability]),
  fc.integer({ min: 1, max: 40 }).map((frames) => voice(frames * lengthMs)),
  fc.integer({ min: 1, max: 40 }).map((frames) => quiet(frames * lengthMs)),
  fc.constantFrom<Step[]>([playing], [stopped]),
  fc
    .record({ as: fc.constantFrom<Heard>('nothing', 'backchannel', 'echo', 'word', 'words', 'request'), toMs: fc.nat(60_000) })
    .map(({ as, toMs }) => [heard(as, toMs)]),
  fc.constantFrom<Heard | null>('nothing', 'words', null).map((as) => [{ type: 'ended', heard: as, voicedMs: 640 } as const]),
);
const anySteps = fc.array(anyStep, { maxLength: 30 }).map((steps) => steps.flat());

describe('whatever is heard', () => {
  test('every hold is followed by one release or one taking of the floor, and neither comes without', () => {
    fc.assert(
      fc.property(anySteps, (steps) => {
        let held = false;
        for (const type of play(steps).said) {
          expect(type === 'hold').toBe(!held);
          held = !held;
        }
      }),
      { numRuns: 500 },
    );
  });

  test('nobody is held longer than the longest hold', () => {
    fc.assert(
      fc.property(anySteps, (steps) => {
        let heldAtMs: number | null = null;
        for (const { type, atMs } of play([...steps, ...quiet(2_000)]).outputs) {
          if (type === 'hold') heldAtMs = atMs;
          else if (type !== 'transcriptDue' && heldAtMs !== null) {
            expect(atMs - heldAtMs).toBeLessThanOrEqual(bargeIn.longestHoldMs + lengthMs);
            heldAtMs = null;
          }
        }
        expect(heldAtMs).toBeNull();
      }),
      { numRuns: 500 },
    );
  });
});

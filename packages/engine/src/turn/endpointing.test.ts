import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  advanceEndpointing,
  type EndpointingInput,
  type EndpointingOutput,
  type EndpointingState,
  endpointing,
  startEndpointing,
} from './endpointing.ts';

const lengthMs = 32;

/** Plays inputs in; frames are given as probabilities. */
function play(inputs: readonly (number | Exclude<EndpointingInput, { type: 'frame' }>)[]) {
  let state: EndpointingState = startEndpointing;
  let atMs = 0;
  const outputs: (EndpointingOutput & { readonly saidAtMs: number })[] = [];
  for (const input of inputs) {
    if (typeof input === 'number') atMs += lengthMs;
    const [next, said] = advanceEndpointing(
      state,
      typeof input === 'number' ? { type: 'frame', atMs, lengthMs, probability: input } : input,
    );
    state = next;
    outputs.push(...said.map((output) => ({ ...output, saidAtMs: atMs })));
  }
  return { state, outputs, atMs, utterances: outputs.filter((output) => output.type === 'utterance') };
}

const voice = (ms: number) => Array.from({ length: Math.ceil(ms / lengthMs) }, () => 0.95);
const quiet = (ms: number) => Array.from({ length: Math.ceil(ms / lengthMs) }, () => 0.02);

describe('an utterance', () => {
  test('begins before its voice does, so that no first word is cut', () => {
    const { utterances } = play([...quiet(960), ...voice(960), ...quiet(1_600)]);
    expect(utterances).toMatchObject([{ fromMs: 960 - endpointing.preRollMs, toMs: 1_920, voicedMs: 960 }]);
  });

  test('does not begin before the audio or in the utterance before', () => {
    const { utterances } = play([...voice(640), ...quiet(736), ...voice(640), ...quiet(1_600)]);
    expect(utterances).toHaveLength(2);
    const [first, second] = utterances;
    expect(first?.fromMs).toBe(0);
    expect(second?.fromMs).toBeGreaterThanOrEqual(first?.toMs ?? Number.NaN);
  });

  test.each([
    ['complete', 500],
    ['unclear', 700],
    ['open', 1_200],
  ] as const)('that sounds %s ends after %d ms of silence', (shape, silenceMs) => {
    const { utterances } = play([...voice(960), ...quiet(256), { type: 'shape', shape }, ...quiet(3_000)]);
    expect(utterances).toHaveLength(1);
    const waitedMs = (utterances[0]?.saidAtMs ?? 0) - 960;
    expect(waitedMs).toBeGreaterThanOrEqual(silenceMs);
    expect(waitedMs).toBeLessThan(silenceMs + lengthMs);
  });

  test('goes on when the voice comes back before it ended, and forgets how it had sounded', () => {
    const { utterances } = play([
      ...voice(640),
      ...quiet(320),
      { type: 'shape', shape: 'complete' },
      ...quiet(96),
      ...voice(320),
      ...quiet(640),
    ]);
    expect(utterances).toHaveLength(0);
  });

  test('asks for a last transcript at a pause, long before it ends', () => {
    const { outputs } = play([...voice(640), ...quiet(1_600)]);
    const pause = outputs.find(({ type }) => type === 'pause');
    expect(pause).toMatchObject({ type: 'pause', toMs: 640 });
    expect(pause?.saidAtMs).toBeLessThanOrEqual(640 + endpointing.pauseMs + lengthMs);
  });

  test('asks for partial transcripts every half second, and less often as it grows long', () => {
    const { outputs } = play(voice(20_000));
    const times = outputs.filter(({ type }) => type === 'partialDue').map(({ saidAtMs }) => saidAtMs);
    const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    expect(gaps[0]).toBeLessThanOrEqual(512 + lengthMs);
    expect(gaps.at(-1)).toBeGreaterThan(1_500);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(endpointing.partialMs);
  });

  test('of more than half a minute becomes several, without a gap', () => {
    const { utterances } = play([...voice(70_000), ...quiet(1_600)]);
    expect(utterances).toHaveLength(3);
    for (const [index, { fromMs, toMs }] of utterances.entries()) {
      expect(toMs - fromMs).toBeLessThanOrEqual(endpointing.longestMs + lengthMs);
      if (index > 0) expect(fromMs).toBe(utterances[index - 1]?.toMs);
    }
  });
});

describe('push-to-talk', () => {
  test('ends the utterance when it is released, whatever the silence', () => {
    const { utterances, atMs } = play([...quiet(320), ...voice(640), { type: 'commit' }]);
    expect(utterances).toMatchObject([{ toMs: atMs, saidAtMs: atMs }]);
  });

  test('says so when nothing was said', () => {
    expect(play([...quiet(960), { type: 'commit' }]).outputs).toMatchObject([{ type: 'nothingSaid' }]);
  });

  test('has nothing to add when the utterance had ended by itself', () => {
    const { outputs } = play([...voice(640), ...quiet(1_600), { type: 'commit' }]);
    expect(outputs.map(({ type }) => type)).not.toContain('nothingSaid');
    expect(play([...voice(640), ...quiet(1_600), { type: 'commit' }, { type: 'commit' }]).outputs.at(-1)).toMatchObject({
      type: 'nothingSaid',
    });
  });
});

test('a click is no utterance', () => {
  expect(play([...quiet(320), 0.9, ...quiet(1_600), 0.9, ...quiet(1_600)]).outputs).toEqual([]);
});

const anyInput: fc.Arbitrary<number | Exclude<EndpointingInput, { type: 'frame' }>> = fc.oneof(
  { weight: 30, arbitrary: fc.double({ min: 0, max: 1, noNaN: true }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('shape' as const), shape: fc.constantFrom('complete', 'unclear', 'open') }) },
  { weight: 1, arbitrary: fc.constant({ type: 'commit' as const }) },
);
/** Runs of speech and of silence, as there are in life, and noise. */
const anyInputs = fc
  .array(
    fc.oneof(
      fc.array(anyInput, { maxLength: 20 }),
      fc.integer({ min: 1, max: 1_200 }).map((n) => voice(n * 32)),
      fc.integer({ min: 1, max: 60 }).map((n) => quiet(n * 32)),
    ),
    {
      maxLength: 12,
    },
  )
  .map((runs) => runs.flat());

describe('whatever is heard', () => {
  test('utterances are in order, apart, and none is longer than the longest', () => {
    fc.assert(
      fc.property(anyInputs, (inputs) => {
        const { utterances } = play(inputs);
        let endMs = 0;
        for (const { fromMs, toMs, voicedMs, saidAtMs } of utterances) {
          expect(fromMs).toBeGreaterThanOrEqual(endMs);
          expect(toMs).toBeGreaterThan(fromMs);
          expect(toMs).toBeLessThanOrEqual(saidAtMs);
          expect(toMs - fromMs).toBeLessThanOrEqual(endpointing.longestMs + lengthMs);
          expect(voicedMs).toBeGreaterThanOrEqual(endpointing.beginMs);
          endMs = toMs;
        }
      }),
      { numRuns: 300 },
    );
  });

  test('the voice goes on and off in turn, and is off after every utterance', () => {
    fc.assert(
      fc.property(anyInputs, (inputs) => {
        let on = false;
        for (const output of play(inputs).outputs) {
          if (output.type === 'voice') {
            expect(output.on).toBe(!on);
            on = output.on;
          }
          if (output.type === 'utterance') expect(on).toBe(false);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('silence ends it', () => {
    fc.assert(
      fc.property(anyInputs, (inputs) => {
        expect(play([...inputs, ...quiet(2_000)]).state.status).toBe('silent');
      }),
      { numRuns: 300 },
    );
  });
});

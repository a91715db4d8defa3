import { TurnId } from '@virtual-tutor/schemas';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { frameMs, frameSamples, Playout, type PlayoutEvent, type Utterable } from './playout.ts';
import type { Speech } from './ports.ts';

const turnId = TurnId.parse('00000000-0000-4000-8000-000000000001');
const otherTurn = TurnId.parse('00000000-0000-4000-8000-000000000002');
const wordMs = 200;

/** Each word takes 200 ms and sounds like its number. */
function spoken(words: number): Speech {
  const samples = new Int16Array((words * wordMs * frameSamples) / frameMs);
  for (let at = 0; at < samples.length; at += 1) samples[at] = 1 + Math.floor((at * words) / samples.length);
  return {
    samples,
    visemes: [],
    words: Array.from({ length: words }, (_, nth) => ({
      from: nth * 5,
      to: nth * 5 + 4,
      startMs: nth * wordMs,
      endMs: (nth + 1) * wordMs,
    })),
    engine: 'test',
  };
}

function sentence(index: number, words: number, turn = turnId): Utterable {
  return { turnId: turn, index, text: 'word '.repeat(words).trimEnd(), speech: spoken(words) };
}

function started() {
  const events: PlayoutEvent[] = [];
  const playout = new Playout((event) => events.push(event));
  const run = (frames: number) => Array.from({ length: frames }, () => playout.advance().samples);
  const heard = () => events.filter((event) => event.type === 'heard').map(({ index }) => index);
  let sentences = 0;
  const said = () => sentences++;
  return { playout, events, run, heard, said };
}

describe('playout', () => {
  test('plays sentences in order, without a gap and without a sample lost', () => {
    const { playout, run } = started();
    playout.enqueue(sentence(0, 2));
    playout.enqueue(sentence(1, 1));
    const played = run(40).flatMap((frame) => (frame === null ? [] : [...frame]));
    expect(played).toEqual([...spoken(2).samples, ...spoken(1).samples]);
  });

  test('counts a sentence as heard after the browser has played it, not when it was sent', () => {
    const { playout, run, heard } = started();
    playout.enqueue(sentence(0, 1));
    run(wordMs / frameMs);
    expect(heard()).toEqual([]);
    run(100 / frameMs);
    expect(heard()).toEqual([0]);
  });

  test('believes nothing that a browser did not confirm for longer than a report may take', () => {
    const { playout, run, heard } = started();
    playout.expectReports(true);
    playout.enqueue(sentence(0, 20));
    run(400);
    expect(heard()).toEqual([]);
    expect(playout.stop(turnId)?.chars).toBeLessThan(sentence(0, 20).text.length / 2);
  });

  test('takes receipts up to now', () => {
    const { playout, run, heard } = started();
    playout.expectReports(true);
    playout.enqueue(sentence(0, 20));
    run(400);
    playout.received(400);
    run(1);
    expect(heard()).toEqual([0]);
  });

  test('is silent from the next frame on when held, but for a tail that fades out', () => {
    const { playout, run } = started();
    playout.enqueue(sentence(0, 5));
    run(12);
    playout.hold('voice');
    const [tail, ...rest] = run(20);
    expect(tail?.at(-1)).toBe(0);
    expect(rest.every((frame) => frame === null)).toBe(true);
  });

  test('says again what a lost connection took along, and counts it as heard only then', () => {
    const { playout, events, run, heard } = started();
    playout.expectReports(true);
    playout.enqueue(sentence(0, 14));
    playout.enqueue(sentence(1, 4));
    // 700 ms arrived; the second sentence has begun when the outage is noticed.
    run(35);
    playout.received(35);
    run(115);
    playout.hold('connection');
    run(1);
    playout.repeatUnconfirmed();
    playout.expectReports(true);
    playout.release('connection');
    expect(heard()).toEqual([]);
    // From the fourth word, which was under way, to the end.
    expect(events.findLast(({ type }) => type === 'speech')).toMatchObject({ sentence: { index: 0 }, fromMs: 600 });
    const again: number[] = [];
    for (let frame = 0; frame < 160; frame += 1) {
      again.push(...(run(1)[0] ?? []));
      playout.received(playout.frame);
    }
    expect(again.length / frameSamples).toBe((2_800 - 600 + 800) / frameMs);
    expect(again.at(-1)).toBe(4);
    expect(heard()).toEqual([0, 1]);
  });

  test('repeats nothing that was confirmed', () => {
    const { playout, run, heard } = started();
    playout.expectReports(true);
    playout.enqueue(sentence(0, 1));
    run(10);
    playout.received(10);
    run(20);
    playout.repeatUnconfirmed();
    expect(run(5)).toEqual([null, null, null, null, null]);
    expect(heard()).toEqual([0]);
  });

  test('goes on with the word that was cut', () => {
    const { playout, events, run } = started();
    playout.enqueue(sentence(0, 5));
    run(15);
    playout.hold('voice');
    run(10);
    playout.release('voice');
    run(1);
    expect(events.filter((event) => event.type === 'speech').map(({ fromMs, frame }) => ({ fromMs, frame }))).toEqual([
      { fromMs: 0, frame: 0 },
      { fromMs: 200, frame: 25 },
    ]);
  });

  test('stays held until every reason is gone', () => {
    const { playout, run } = started();
    playout.enqueue(sentence(0, 5));
    run(3);
    playout.hold('voice');
    playout.hold('connection');
    playout.release('voice');
    run(1);
    expect(run(3).every((frame) => frame === null)).toBe(true);
    playout.release('connection');
    expect(run(1)[0]).not.toBeNull();
  });

  test('never plays anything of a turn that was stopped, and goes on with the next', () => {
    const { playout, run } = started();
    playout.enqueue(sentence(0, 5));
    playout.enqueue(sentence(1, 5));
    run(10);
    playout.stop(turnId);
    playout.enqueue(sentence(0, 1, otherTurn));
    run(1);
    expect(
      run(10)
        .flatMap((frame) => [...(frame ?? [])])
        .every((sample) => sample === 1),
    ).toBe(true);
    expect(run(5).every((frame) => frame === null)).toBe(true);
  });

  test('says nothing was heard of a turn that was stopped before its first sound', () => {
    const { playout, run } = started();
    playout.enqueue(sentence(0, 5));
    expect(playout.stop(turnId)).toBeNull();
    expect(run(5).every((frame) => frame === null)).toBe(true);
  });

  test('heard truth: whatever happens, what counts as heard was played before, in order and once', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.boolean(), (steps, reports) => {
        const history = started();
        const { playout, events, heard } = history;
        if (reports) playout.expectReports(true);
        const soundFrames = steps.reduce((sum, now) => sum + take(now, history), 0);
        const upTo = playout.stop(turnId);
        const order = heard();
        expect(order).toEqual(order.map((_, nth) => nth));
        const places = events.flatMap((event) => (event.type === 'progress' ? [event.upTo.index * 1e6 + event.upTo.chars] : []));
        expect(places).toEqual([...new Set(places)].sort((a, b) => a - b));
        const lengths = events.flatMap((event) => (event.type === 'heard' ? [event.durationMs] : []));
        const rest = upTo?.index === order.length ? upTo.heardMs : 0;
        expect(lengths.reduce((sum, ms) => sum + ms, rest)).toBeLessThanOrEqual((soundFrames + 1) * frameMs);
      }),
      { numRuns: 300 },
    );
  });
});

type Step =
  | { readonly do: 'run'; readonly frames: number }
  /** Nothing of it arrives, and then the connection is made anew. */
  | { readonly do: 'lose'; readonly frames: number }
  | { readonly do: 'say'; readonly words: number }
  | { readonly do: 'skip'; readonly frames: number }
  | { readonly do: 'hold' }
  | { readonly do: 'release' };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('run' as const), frames: fc.integer({ min: 1, max: 60 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('lose' as const), frames: fc.integer({ min: 1, max: 60 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('say' as const), words: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('skip' as const), frames: fc.integer({ min: 1, max: 100 }) }) },
  { weight: 2, arbitrary: fc.constant({ do: 'hold' as const }) },
  { weight: 2, arbitrary: fc.constant({ do: 'release' as const }) },
);

/** Returns the frames of sound that were played. */
function take(now: Step, { playout, run, said }: ReturnType<typeof started>): number {
  switch (now.do) {
    case 'run': {
      const sounds = run(now.frames).filter((frame) => frame !== null).length;
      playout.received(playout.frame);
      return sounds;
    }
    case 'lose': {
      const sounds = run(now.frames).filter((frame) => frame !== null).length;
      playout.repeatUnconfirmed();
      playout.received(playout.frame);
      return sounds;
    }
    case 'say':
      playout.enqueue(sentence(said(), now.words));
      return 0;
    case 'skip':
      playout.skip(now.frames);
      return 0;
    default:
      playout[now.do]('voice');
      return 0;
  }
}

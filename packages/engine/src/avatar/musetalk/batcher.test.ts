import fc from 'fast-check';
import { expect, test } from 'vitest';
import { planBatch, type WantedFrame } from './batch-plan.ts';
import { FrameBatcher } from './batcher.ts';

const costMs = (frames: number) => 8 + 2 * frames;
const nobodyMissed = () => 0;
const options = { nowMs: 0, mostFrames: 16, costMs, missed: nobodyMissed };
const frame = (sessionId: string, number: number, deadlineMs: number): WantedFrame => ({ sessionId, frame: number, deadlineMs });

test('everybody has a first frame before anybody has a second', () => {
  const wanted = [frame('a', 0, 100), frame('a', 1, 101), frame('b', 0, 500), frame('c', 0, 300)];
  expect(planBatch(wanted, { ...options, mostFrames: 3 }).batch.map(({ sessionId }) => sessionId)).toEqual(['a', 'c', 'b']);
});

test('a frame that is late even alone is given up', () => {
  expect(planBatch([frame('a', 0, 9), frame('a', 1, 49), frame('b', 0, 60)], options)).toMatchObject({
    batch: [frame('a', 1, 49), frame('b', 0, 60)],
    late: [frame('a', 0, 9)],
  });
});

test('a tight frame goes alone while others can wait, and is given up when they cannot', () => {
  const tight = frame('tight', 0, 11);
  const patient = [frame('b', 0, 100), frame('c', 0, 100)];
  expect(planBatch([tight, ...patient], options)).toEqual({ batch: [tight], late: [] });
  const urgent = [frame('b', 0, 20), frame('c', 0, 20)];
  expect(planBatch([tight, ...urgent], options)).toEqual({ batch: urgent, late: [tight] });
});

const wantedFrames = fc
  .array(fc.record({ session: fc.integer({ min: 0, max: 9 }), afterMs: fc.integer({ min: 0, max: 40 }) }), { maxLength: 60 })
  .map((wishes) => {
    const last = new Map<number, { readonly number: number; readonly deadlineMs: number }>();
    return wishes.map(({ session, afterMs }) => {
      const before = last.get(session) ?? { number: -1, deadlineMs: 0 };
      const next = { number: before.number + 1, deadlineMs: before.deadlineMs + afterMs };
      last.set(session, next);
      return frame(`s${session}`, next.number, next.deadlineMs);
    });
  });

test('property: no planned frame is late, none is lost without a word, and the order within a session is kept', () => {
  fc.assert(
    fc.property(wantedFrames, fc.integer({ min: 1, max: 16 }), (wanted, mostFrames) => {
      const { batch, late } = planBatch(wanted, { ...options, mostFrames });
      const given = [...batch, ...late];
      expect(new Set(given).size).toBe(given.length);
      expect(batch.length).toBeLessThanOrEqual(mostFrames);
      for (const { deadlineMs } of batch) expect(deadlineMs).toBeGreaterThanOrEqual(costMs(batch.length));
      if (batch.length === 0) expect(late).toHaveLength(wanted.length);
      for (const sessionId of new Set(wanted.map((wish) => wish.sessionId))) {
        const own = wanted.filter((wish) => wish.sessionId === sessionId);
        const settled = own.filter((wish) => given.includes(wish));
        // What is drawn or given up comes before what waits on.
        expect(settled).toEqual(own.slice(0, settled.length));
        const drawn = batch.filter((wish) => wish.sessionId === sessionId).map((wish) => wish.frame);
        expect(drawn).toEqual(drawn.toSorted((a, b) => a - b));
      }
    }),
  );
});

/** A card with a clock of its own: an inference takes `costMs`, and the tick after it comes 40 ms on or later. */
function card(mostFrames: number) {
  let nowMs = 0;
  const batches: (readonly string[])[] = [];
  const batcher = new FrameBatcher<string, string>({
    cost: { baseMs: 8, perFrameMs: 2 },
    mostFrames,
    nowMs: () => nowMs,
    infer: async (inputs) => {
      batches.push(inputs);
      nowMs += costMs(inputs.length);
      return inputs.map((input) => `drawn ${input}`);
    },
  });
  return {
    batcher,
    batches,
    nowMs: () => nowMs,
    passTo: (timeMs: number) => {
      nowMs = Math.max(nowMs, timeMs);
    },
  };
}

test('property: under overload nobody starves: each session is drawn at least once in so many ticks as it takes to draw everybody, and one more', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 16 }), async (sessions, mostFrames) => {
      const { batcher, passTo } = card(mostFrames);
      const lastDrawn = new Map<number, number>();
      const patience = Math.ceil(sessions / mostFrames) + 1;
      for (let tick = 0; tick < 40; tick += 1) {
        passTo(tick * 40);
        const outcomes = Array.from({ length: sessions }, async (_, session) => {
          // The higher the number, the later the deadline: without fairness these would always come last.
          const { status } = await batcher.want({
            sessionId: `s${session}`,
            frame: tick,
            deadlineMs: tick * 40 + 45 + session / 100,
            input: `${session}`,
          });
          if (status === 'drawn') lastDrawn.set(session, tick);
        });
        await batcher.tick();
        passTo(tick * 40 + 39.9);
        await Promise.race([Promise.all(outcomes), Promise.resolve()]);
        await new Promise(setImmediate);
        for (let session = 0; session < sessions; session += 1) expect(tick - (lastDrawn.get(session) ?? -1)).toBeLessThanOrEqual(patience);
      }
    }),
    { numRuns: 30 },
  );
});

test('eight sessions miss no deadline that one alone would meet', async () => {
  const { batcher, batches, passTo } = card(16);
  const statuses: string[] = [];
  for (let tick = 0; tick < 50; tick += 1) {
    passTo(tick * 40);
    const outcomes = Array.from({ length: 8 }, (_, session) =>
      batcher.want({ sessionId: `s${session}`, frame: tick, deadlineMs: tick * 40 + 40, input: `${session}` }),
    );
    await batcher.tick();
    statuses.push(...(await Promise.all(outcomes)).map(({ status }) => status));
  }
  expect(new Set(statuses)).toEqual(new Set(['drawn']));
  expect(batches).toHaveLength(50);
});

test('what a session still wants is late when it leaves', async () => {
  const { batcher, batches } = card(16);
  const [gone, kept] = [
    batcher.want({ sessionId: 'a', frame: 0, deadlineMs: 100, input: 'a0' }),
    batcher.want({ sessionId: 'b', frame: 0, deadlineMs: 100, input: 'b0' }),
  ];
  batcher.leave('a');
  await batcher.tick();
  expect([await gone, await kept]).toEqual([{ status: 'late' }, { status: 'drawn', output: 'drawn b0' }]);
  expect(batches).toEqual([['b0']]);
});

test('of more than a second of waiting frames the oldest is given up', async () => {
  const { batcher } = card(16);
  const outcomes = Array.from({ length: 26 }, (_, number) =>
    batcher.want({ sessionId: 'a', frame: number, deadlineMs: 10_000, input: `${number}` }),
  );
  expect(await outcomes[0]).toEqual({ status: 'late' });
});

test('an inference that fails is told to its sessions, and the next one runs', async () => {
  const broken = new Error('out of memory');
  let runs = 0;
  const batcher = new FrameBatcher<string, string>({
    cost: { baseMs: 1, perFrameMs: 1 },
    nowMs: () => 0,
    infer: async (inputs) => {
      runs += 1;
      if (runs === 1) throw broken;
      return inputs;
    },
  });
  const want = () => batcher.want({ sessionId: 'a', frame: 0, deadlineMs: 100, input: 'x' });
  const first = want();
  await batcher.tick();
  const second = want();
  await batcher.tick();
  expect([await first, await second]).toEqual([
    { status: 'failed', error: broken },
    { status: 'drawn', output: 'x' },
  ]);
});

test('a slow spell lowers what is promised, and is forgotten', async () => {
  let nowMs = 0;
  let slowness = 50;
  const batcher = new FrameBatcher<number, number>({
    cost: { baseMs: 8, perFrameMs: 2 },
    nowMs: () => nowMs,
    infer: async (inputs) => {
      nowMs += slowness * costMs(inputs.length);
      return inputs;
    },
  });
  const statusOf = async (number: number) => {
    const outcome = batcher.want({ sessionId: 'a', frame: number, deadlineMs: nowMs + 40, input: number });
    await batcher.tick();
    return (await outcome).status;
  };
  expect(await statusOf(0)).toBe('late');
  const spentMs = nowMs;
  expect(await statusOf(1)).toBe('late');
  expect(nowMs).toBe(spentMs);
  slowness = 1;
  const later: string[] = [];
  for (let number = 2; number < 40; number += 1) later.push(await statusOf(number));
  expect(later.at(-1)).toBe('drawn');
});

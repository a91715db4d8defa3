/*
 * Which frames of all speaking sessions are made in the next inference. Earliest deadline first; nobody gets a
 * second frame before everybody has a first. A frame that cannot be in time is given up, not waited for.
 */

export interface WantedFrame {
  readonly sessionId: string;
  /** Counts up within a session. */
  readonly frame: number;
  /** Milliseconds of a clock that never goes back: the picture is of no use after this. */
  readonly deadlineMs: number;
}

export interface PlanOptions {
  readonly nowMs: number;
  /** In one inference; more than 16 gained nothing on the cards measured. */
  readonly mostFrames: number;
  /** How long an inference of so many frames takes; never less for more. */
  readonly costMs: (frames: number) => number;
  /** Frames that a session lost in a row: after those who lost more, others wait. */
  readonly missed: (sessionId: string) => number;
}

export interface BatchPlan<Frame extends WantedFrame> {
  readonly batch: readonly Frame[];
  /** Shown as idle frames: too late even alone, or only at others' expense. */
  readonly late: readonly Frame[];
}

/** `wanted`: in order within each session. */
export function planBatch<Frame extends WantedFrame>(wanted: readonly Frame[], options: PlanOptions): BatchPlan<Frame> {
  const soonest = options.nowMs + options.costMs(1);
  const late = wanted.filter(({ deadlineMs }) => deadlineMs < soonest);
  let candidates = inTurn(
    wanted.filter(({ deadlineMs }) => deadlineMs >= soonest),
    options,
  );
  for (;;) {
    const batch = grown(candidates, options);
    const hindering = batch.length < options.mostFrames ? hinderingFrame(candidates, batch, options) : undefined;
    if (hindering === undefined) return { batch, late };
    late.push(hindering);
    candidates = candidates.filter((frame) => frame !== hindering);
  }
}

/** First frames of all sessions, then second ones; within a round those who lost most, then the most urgent. */
function inTurn<Frame extends WantedFrame>(frames: readonly Frame[], { missed }: PlanOptions): readonly Frame[] {
  const counts = new Map<string, number>();
  return frames
    .map((frame) => {
      const round = counts.get(frame.sessionId) ?? 0;
      counts.set(frame.sessionId, round + 1);
      return { frame, round, lost: missed(frame.sessionId) };
    })
    .sort((a, b) => a.round - b.round || b.lost - a.lost || a.frame.deadlineMs - b.frame.deadlineMs)
    .map(({ frame }) => frame);
}

/** As many as fit without making one of them late; a session that was passed over gets no later frame either. */
function grown<Frame extends WantedFrame>(candidates: readonly Frame[], { nowMs, mostFrames, costMs }: PlanOptions): readonly Frame[] {
  const batch: Frame[] = [];
  const passedOver = new Set<string>();
  let earliest = Number.POSITIVE_INFINITY;
  for (const frame of candidates) {
    if (batch.length === mostFrames) break;
    const limit = Math.min(earliest, frame.deadlineMs);
    if (passedOver.has(frame.sessionId) || nowMs + costMs(batch.length + 1) > limit) {
      passedOver.add(frame.sessionId);
      continue;
    }
    batch.push(frame);
    earliest = limit;
  }
  return batch;
}

/** The frame that keeps the batch small, where others would be late for it that could have been in it. */
function hinderingFrame<Frame extends WantedFrame>(
  candidates: readonly Frame[],
  batch: readonly Frame[],
  { nowMs, costMs }: PlanOptions,
): Frame | undefined {
  const served = new Set(batch.map(({ sessionId }) => sessionId));
  const waiting = new Map<string, Frame>();
  for (const frame of candidates) {
    if (!served.has(frame.sessionId) && !waiting.has(frame.sessionId)) waiting.set(frame.sessionId, frame);
  }
  const nextDone = nowMs + costMs(batch.length) + costMs(Math.max(1, waiting.size));
  const harmed = [...waiting.values()].some(({ deadlineMs }) => deadlineMs < nextDone);
  if (!harmed || batch.length === 0) return undefined;
  const tightest = batch.reduce((a, b) => (b.deadlineMs < a.deadlineMs ? b : a));
  return nowMs + costMs(batch.length + 1) > tightest.deadlineMs ? tightest : undefined;
}

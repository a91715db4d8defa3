/** Of everything that is made from a clip: 25 pictures a second. */
export const tickMs = 40;

/** Containers round timestamps to a millisecond; without it a film of 25 frames a second would now and then lose one and show another twice. */
const roundingMs = 2;
/** The longest that a clip's last frame stands, ms: what a header says about it is often nonsense. */
export const longestLastMs = 1_000;

/** Picks the frames of a film of any rate for a constant one: each tick shows the last frame at or before it. */
export interface ConstantRate {
  /**
   * A frame begins at `atMs` (from the start of the first frame). Says for how many ticks the frame before it is shown; 0 for the
   * first frame. Time never goes back: a frame that says it began before its predecessor begins with it, and replaces it.
   */
  next(atMs: number): number;
  /** No more frames; the last one says to last `durationMs` (0: it does not say). Says for how many ticks it is shown. */
  end(durationMs: number): number;
}

export function createConstantRate(): ConstantRate {
  let last: number | null = null;
  let gapMs = tickMs;
  let ticks = 0;

  /** Ticks before `endMs` that nothing was shown at yet. */
  function until(endMs: number): number {
    const all = Math.max(0, Math.ceil((endMs - roundingMs) / tickMs));
    const shown = Math.max(0, all - ticks);
    ticks += shown;
    return shown;
  }

  return {
    next(atMs) {
      if (last === null) {
        last = atMs;
        return 0;
      }
      const at = Math.max(last, atMs);
      if (at > last) gapMs = at - last;
      last = at;
      return until(at);
    },
    end(durationMs) {
      if (last === null) return 0;
      const lasts = Math.min(durationMs > 0 ? durationMs : gapMs, longestLastMs);
      // A clip of one instant is still one picture.
      return until(last + lasts) || (ticks === 0 ? until(tickMs) : 0);
    },
  };
}

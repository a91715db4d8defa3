import { frameMs } from './playout.ts';

/** Late frames are made up for in one go up to this many; after a longer stop the clock jumps. */
const mostMadeUp = 15;

export interface PacerOptions {
  /** ms of a clock that never goes back. */
  readonly nowMs: () => number;
  readonly onFrame: () => void;
  /** The process did not run for so many frames. */
  readonly onSkip: (frames: number) => void;
}

/**
 * One call per 20 ms of real time, for all sessions of a worker. Each deadline counts from the start, so a
 * busy event loop delays a frame but never shifts the ones after it: voice does not drift.
 */
export function startPacer({ nowMs, onFrame, onSkip }: PacerOptions): Disposable {
  const startedAtMs = nowMs();
  let frames = 0;
  let timer: NodeJS.Timeout;
  const run = (): void => {
    const due = Math.floor((nowMs() - startedAtMs) / frameMs) + 1;
    if (due - frames > mostMadeUp) {
      onSkip(due - frames - 1);
      frames = due - 1;
    }
    for (; frames < due; frames += 1) onFrame();
    timer = setTimeout(run, Math.max(0, startedAtMs + frames * frameMs - nowMs()));
  };
  timer = setTimeout(run, 0);
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}

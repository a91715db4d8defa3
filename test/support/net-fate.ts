import { type Random, seeded } from './seeded.ts';

/** What a network does to packets that go one way. */
export interface Conditions {
  /** ms, 0 or more. */
  readonly delayMs: number;
  /** Evenly spread on top of the delay, 0 to so many ms. */
  readonly jitterMs: number;
  /** Share of packets that never arrive, 0 to 1. */
  readonly loss: number;
  /** Share that arrives twice, 0 to 1. */
  readonly duplicate: number;
  /** Share that is overtaken by those behind it, 0 to 1. Without it, jitter never changes the order. */
  readonly reorder: number;
}

export const perfect: Conditions = { delayMs: 0, jitterMs: 0, loss: 0, duplicate: 0, reorder: 0 };

/** ms from now until each copy arrives; none: lost. */
export type Fate = readonly number[];

/** An overtaken packet arrives so much later, ms. */
const overtakenMs = 25;
/** A copy comes so much later, ms. */
const copyMs = 3;

/**
 * One direction of one path. The nth packet has the same fate in every run with the same seed and
 * conditions, whatever the machine is busy with; only keeping the order depends on when packets come.
 */
export class Fates {
  readonly #random: Random;
  #lastDueMs = 0;

  constructor(seed: number) {
    this.#random = seeded(seed);
  }

  next(conditions: Conditions, nowMs: number): Fate {
    // Always as many numbers a packet: a change of conditions does not shift what comes after it.
    const [lost, late, again, overtaken] = [this.#random(), this.#random(), this.#random(), this.#random()];
    if (lost < conditions.loss) return [];
    const dueMs = nowMs + conditions.delayMs + late * conditions.jitterMs;
    const isOvertaken = overtaken < conditions.reorder;
    const inOrderMs = isOvertaken ? dueMs + overtakenMs : Math.max(dueMs, this.#lastDueMs);
    if (!isOvertaken) this.#lastDueMs = inOrderMs;
    const first = inOrderMs - nowMs;
    return again < conditions.duplicate ? [first, first + copyMs] : [first];
  }
}

import { expect } from 'vitest';
import type { Decider } from '../../packages/server/src/domain/decision.ts';

/** Given these events, when this command comes, what is decided: `given(session, [...]).when(command).yields(...)`. */
export function given<S, C, E, N extends E>(decider: Decider<S, C, E, N>, history: readonly E[]) {
  const state = history.reduce((before: S, event) => decider.evolve(before, event), decider.initial);
  return {
    state,
    when(command: C) {
      const decision = decider.decide(command, state);
      return {
        yields(...events: readonly N[]) {
          expect(decision).toEqual({ accepted: events });
        },
        refuses(code: string) {
          expect(decision).toMatchObject({ refused: { code } });
        },
      };
    },
  };
}

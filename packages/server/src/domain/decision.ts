import type { ErrorCode } from '@virtual-tutor/schemas';

/** Why a command is not carried out. `message` is static text that tells the caller what to do. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
  /** ms until the same command may succeed. */
  readonly retryAfterMs?: number;
}

/** No events and no refusal means: it is already so. That makes every command safe to repeat. */
export type Decision<Event> = { readonly accepted: readonly Event[] } | { readonly refused: Refusal };

export function accept<Event>(...events: readonly Event[]): Decision<Event> {
  return { accepted: events };
}

export function refuse(code: ErrorCode, message: string): { readonly refused: Refusal } {
  return { refused: { code, message } };
}

/** One kind of stream: how its state folds and how commands on it are decided. Pure. */
export interface Decider<State, Command, Event, NewEvent> {
  readonly initial: State;
  evolve(state: State, event: Event): State;
  decide(command: Command, state: State): Decision<NewEvent>;
}

import type { ConnectionState, TutorErrorShape, TutorSession } from './contract.ts';
import { asTutorError } from './errors.ts';

export type Connect = (signal: AbortSignal) => Promise<TutorSession>;

export interface StoredSession {
  readonly session: TutorSession | null;
  /** `idle` before the first start and after a stop. */
  readonly state: ConnectionState | 'idle';
  /** Why it closed by itself. */
  readonly error: TutorErrorShape | null;
}

export const idle: StoredSession = { session: null, state: 'idle', error: null };

/** One session at a time for a component: starting again closes the one before. */
export class SessionStore {
  readonly #listeners = new Set<() => void>();
  #snapshot: StoredSession = idle;
  #attempt: AbortController | null = null;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly snapshot = (): StoredSession => this.#snapshot;

  async start(connect: Connect): Promise<void> {
    this.stop();
    const attempt = new AbortController();
    this.#attempt = attempt;
    this.#set({ session: null, state: 'connecting', error: null });
    try {
      const session = await connect(attempt.signal);
      if (attempt.signal.aborted) return await session.close();
      attempt.signal.addEventListener('abort', () => void session.close());
      session.on('state', ({ state, error = null }) => this.#set({ session, state, error }), { signal: attempt.signal });
      this.#set({ session, state: session.state, error: null });
    } catch (error) {
      if (!attempt.signal.aborted) this.#set({ session: null, state: 'closed', error: asTutorError(error) });
    }
  }

  stop(): void {
    this.#attempt?.abort();
    this.#attempt = null;
    if (this.#snapshot !== idle) this.#set(idle);
  }

  #set(snapshot: StoredSession): void {
    this.#snapshot = snapshot;
    for (const listener of [...this.#listeners]) listener();
  }
}

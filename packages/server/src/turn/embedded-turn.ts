import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { DependencyHealth } from '@virtual-tutor/schemas';
import { type ServeOrder, TurnFact, type TurnOrder } from './turn-messages.ts';

type State = 'starting' | 'serving' | 'restarting' | { readonly refused: string };

/** Between a crash and the next start: doubled each time up to the last, back to the first once it has served a while. ms. */
const firstPauseMs = 250;
const longestPauseMs = 8_000;
const servedWellMs = 30_000;
/** A process that does not answer this long is replaced, ms. */
const pingEveryMs = 5_000;
/** Longest wait for the first start, ms. */
const startWithinMs = 10_000;

/** Keeps the TURN process alive, on the same port. */
export class EmbeddedTurn implements AsyncDisposable {
  readonly #order: ServeOrder;
  #child: ChildProcess | null = null;
  #state: State = 'starting';
  #pauseMs = firstPauseMs;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  readonly #settled = Promise.withResolvers<void>();

  private constructor(order: ServeOrder) {
    this.#order = order;
  }

  /** Resolves once it serves, or once it is known why not. */
  static async start(order: ServeOrder): Promise<EmbeddedTurn> {
    const turn = new EmbeddedTurn(order);
    turn.#spawn();
    const timer = setTimeout(() => turn.#settled.resolve(), startWithinMs);
    await turn.#settled.promise;
    clearTimeout(timer);
    return turn;
  }

  /** Of the process that serves now; for tests, which kill it. */
  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  health(): Pick<DependencyHealth, 'status' | 'reason'> {
    if (this.#state === 'serving') return { status: 'ok', reason: null };
    if (typeof this.#state === 'object') {
      return {
        status: 'degraded',
        reason: `${this.#state.refused}: stop what listens there, or set WEBRTC_PORT_MIN to another port. Until then tutors write instead of speaking.`,
      };
    }
    return { status: 'degraded', reason: 'the relay is being started again: media comes back within seconds' };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    const child = this.#child;
    if (child === null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  #spawn(): void {
    const child = fork(fileURLToPath(new URL('./turn-process.ts', import.meta.url)), {
      // The secrets of the engine's environment are none of its business. Windows cannot start a process without this one.
      env: { SystemRoot: process.env['SystemRoot'] },
      execArgv: [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      serialization: 'advanced',
    });
    this.#child = child;
    const startedAtMs = performance.now();
    let answered = true;
    const pings = setInterval(() => {
      if (!answered) child.kill('SIGKILL');
      answered = false;
      this.#tell(child, { type: 'ping' });
    }, pingEveryMs);
    pings.unref();
    child.on('message', (message) => {
      const fact = TurnFact.parse(message);
      if (fact.type === 'pong') answered = true;
      else this.#became(fact.type === 'serving' ? 'serving' : { refused: fact.reason });
    });
    child.on('error', () => {});
    child.once('exit', () => {
      clearInterval(pings);
      this.#child = null;
      this.#ended(performance.now() - startedAtMs);
    });
    this.#tell(child, this.#order);
  }

  #tell(child: ChildProcess, order: TurnOrder): void {
    if (child.connected) child.send(order, () => {});
  }

  #became(state: State): void {
    this.#state = state;
    this.#settled.resolve();
  }

  #ended(livedMs: number): void {
    if (this.#stopped) return;
    if (typeof this.#state === 'string') this.#state = 'restarting';
    if (livedMs > servedWellMs) this.#pauseMs = firstPauseMs;
    this.#timer = setTimeout(() => this.#spawn(), this.#pauseMs);
    this.#timer.unref();
    this.#pauseMs = Math.min(longestPauseMs, this.#pauseMs * 2);
  }
}

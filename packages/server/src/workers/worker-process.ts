import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { ComponentHealth, WorkerCommand, WorkerConfig, WorkerFact } from '@virtual-tutor/engine/media';
import { inheritedEnvironment } from './inherited-environment.ts';

export interface WorkerProcessOptions {
  readonly config: WorkerConfig;
  readonly onFact: (fact: WorkerFact) => void;
  /** It died or hung and was ended; a new one is on its way. */
  readonly onLost: () => void;
  /** A fault in the worker, on one line: kinds and places, never words. */
  readonly onFault: (fault: string) => void;
}

export type WorkerStatus = 'starting' | 'ready' | 'waiting' | 'closed';

const program = fileURLToPath(import.meta.resolve('@virtual-tutor/engine/worker'));
/** A worker that has not answered for so long hangs, ms. */
const hangMs = 10_000;
const pingMs = 2_000;
/** Wait before the next start after so many crashes in a row, ms. */
const backOffMs = [100, 500, 2_000, 10_000, 30_000] as const;
/** A worker that lived so long had no trouble starting, ms. */
const settledMs = 60_000;
/** Loading speech models takes seconds on a busy machine, ms. */
const startMs = 60_000;
const stopMs = 3_000;

/**
 * Pictures pass through buffers outside V8's heap, and V8 collects the whole of a small heap whenever enough of them have gone by:
 * twice a second, a sixth of a worker's CPU. From this size on, MiB, it is worth collecting.
 */
const execArgv = ['--initial-old-space-size=160'];

/** One engine worker, kept alive: replaced when it crashes or hangs, ever more slowly when it does so again and again. */
export class WorkerProcess implements AsyncDisposable {
  readonly #options: WorkerProcessOptions;
  #child: ChildProcess | null = null;
  #status: WorkerStatus = 'starting';
  #startedAtMs = 0;
  #heardAtMs = 0;
  #crashes = 0;
  #restart: NodeJS.Timeout | null = null;
  readonly #watch: NodeJS.Timeout;
  readonly #ready = Promise.withResolvers<void>();
  load = { sessions: 0, speaking: 0 };
  components: readonly ComponentHealth[] = [];

  constructor(options: WorkerProcessOptions) {
    this.#options = options;
    this.#watch = setInterval(() => this.#check(), pingMs);
    this.#watch.unref();
    this.#start();
  }

  get status(): WorkerStatus {
    return this.#status;
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /** Resolves when it first was ready. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  send(command: WorkerCommand): void {
    if (this.#child?.connected === true) this.#child.send(command);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#status = 'closed';
    clearInterval(this.#watch);
    if (this.#restart !== null) clearTimeout(this.#restart);
    const child = this.#child;
    this.#ready.resolve();
    if (child === null || child.exitCode !== null) return;
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    const timer = setTimeout(() => child.kill('SIGKILL'), stopMs);
    if (child.connected) child.disconnect();
    await exited;
    clearTimeout(timer);
  }

  #start(): void {
    this.#status = 'starting';
    this.#startedAtMs = Date.now();
    this.#heardAtMs = Date.now();
    const stdio = ['ignore', 'ignore', 'ignore', 'ipc'] as const;
    const child = fork(program, { serialization: 'advanced', stdio: [...stdio], env: inheritedEnvironment(), execArgv });
    this.#child = child;
    child.on('message', (fact: WorkerFact) => this.#onFact(fact));
    child.once('error', () => this.#onExit(child));
    child.once('exit', () => this.#onExit(child));
    child.send({ type: 'configure', config: this.#options.config } satisfies WorkerCommand);
  }

  #onFact(fact: WorkerFact): void {
    this.#heardAtMs = Date.now();
    switch (fact.type) {
      case 'ready':
        this.#status = 'ready';
        this.components = fact.speech;
        this.#ready.resolve();
        break;
      case 'health':
        this.components = fact.speech;
        break;
      case 'load':
        this.load = fact;
        break;
      case 'defect':
        this.#options.onFault(fact.fault);
        break;
      case 'pong':
        break;
      default:
        this.#options.onFact(fact);
    }
  }

  #onExit(child: ChildProcess): void {
    if (this.#child !== child) return;
    this.#child = null;
    if (this.#status === 'closed') return;
    this.#status = 'waiting';
    this.load = { sessions: 0, speaking: 0 };
    this.#crashes = Date.now() - this.#startedAtMs > settledMs ? 0 : this.#crashes + 1;
    this.#options.onLost();
    const delayMs = backOffMs[Math.min(this.#crashes, backOffMs.length - 1)];
    this.#restart = setTimeout(() => this.#start(), delayMs);
    this.#restart.unref();
    // A worker that cannot start must not keep the text lesson from starting.
    this.#ready.resolve();
  }

  #check(): void {
    if (this.#child === null) return;
    this.send({ type: 'ping', sentAtMs: Date.now() });
    const silentMs = Date.now() - this.#heardAtMs;
    if (silentMs > (this.#status === 'starting' ? startMs : hangMs)) this.#child.kill('SIGKILL');
  }
}

import { Worker } from 'node:worker_threads';
import { type Speech, type SpeechRequest, SpeechUnavailable } from '../media/ports.ts';
import type { SynthesisOrder, SynthesisReport, SynthesisSetup } from './synthesis-messages.ts';

export interface SynthesiserLimits {
  /** Sentences at work at once. */
  readonly parallel: number;
  /** Sentences that may wait; more are refused. */
  readonly waiting: number;
  /** A sentence, or the opening of the engine, that takes longer has hung its thread, which is replaced, ms. */
  readonly timeoutMs: number;
  /** Failures in a row before there is a pause. */
  readonly failures: number;
  /** How long that pause is, ms; the sentence after it is a trial. */
  readonly pauseMs: number;
}

export interface SynthesiserOptions {
  readonly setup: SynthesisSetup;
  readonly limits: SynthesiserLimits;
  /** A module that says `SynthesisReport` to `SynthesisOrder`. */
  readonly program: URL;
  /** Monotonic, ms. */
  readonly now: () => number;
}

export type SynthesiserState =
  | { readonly status: 'working' }
  /** Fails now, and will be tried again. */
  | { readonly status: 'failing'; readonly reason: string }
  /** Cannot be tried on this machine. */
  | { readonly status: 'absent'; readonly reason: string };

interface Job {
  readonly id: number;
  readonly request: SpeechRequest;
  readonly resolve: (speech: Speech) => void;
  readonly reject: (error: Error) => void;
  timer: NodeJS.Timeout | null;
}

/** One engine in a thread of its own: sentences in order, a new thread when it dies or hangs, a pause when it keeps failing. */
export class Synthesiser implements AsyncDisposable {
  readonly #options: SynthesiserOptions;
  readonly #waiting: Job[] = [];
  readonly #running = new Map<number, Job>();
  #thread: Worker | null = null;
  #opened = false;
  #openingTimer: NodeJS.Timeout | null = null;
  #absent: SpeechUnavailable | null = null;
  #nextId = 1;
  #failures = 0;
  #lastReason = '';
  #pausedUntilMs = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(options: SynthesiserOptions) {
    this.#options = options;
    this.#start();
  }

  get state(): SynthesiserState {
    if (this.#absent !== null) return { status: 'absent', reason: this.#absent.message };
    if (this.#failures >= this.#options.limits.failures) return { status: 'failing', reason: this.#lastReason };
    return { status: 'working' };
  }

  /** Worth asking: installed, and not in a pause. */
  get available(): boolean {
    return !this.#closed && this.#absent === null && this.#options.now() >= this.#pausedUntilMs;
  }

  /** Throws `SpeechUnavailable`; an `AbortError` once the signal aborts. */
  synthesize(request: SpeechRequest): Promise<Speech> {
    if (request.signal.aborted) return Promise.reject(aborted());
    if (this.#absent !== null) return Promise.reject(this.#absent);
    if (!this.available) return Promise.reject(new SpeechUnavailable('unreachable', `${this.#options.setup.engine} is in a pause`));
    if (this.#waiting.length >= this.#options.limits.waiting) {
      return Promise.reject(new SpeechUnavailable('unreachable', 'too many sentences wait to be spoken'));
    }
    return new Promise((resolve, reject) => {
      const { signal } = request;
      const abandon = () => this.#abandon(job);
      const settled = () => signal.removeEventListener('abort', abandon);
      const job: Job = {
        id: this.#nextId++,
        request,
        timer: null,
        resolve: (speech) => {
          settled();
          resolve(speech);
        },
        reject: (error) => {
          settled();
          reject(error);
        },
      };
      signal.addEventListener('abort', abandon, { once: true });
      this.#waiting.push(job);
      if (this.#thread === null) this.#start();
      this.#runNext();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#stopOpeningTimer();
    const thread = this.#thread;
    this.#thread = null;
    this.#failAll(new SpeechUnavailable('unreachable', 'the speaker is closed'));
    await thread?.terminate();
  }

  #start(): void {
    const { program, setup } = this.#options;
    const thread = new Worker(program, { workerData: setup, name: `speech ${setup.engine}` });
    this.#thread = thread;
    this.#opened = false;
    this.#openingTimer = setTimeout(() => void thread.terminate(), this.#options.limits.timeoutMs);
    // Speech alone keeps no process alive.
    thread.unref();
    thread.on('message', (report: SynthesisReport) => {
      if (this.#thread === thread) this.#handleReport(report);
    });
    // An uncaught error is followed by the exit.
    thread.on('error', () => {});
    thread.on('exit', () => this.#handleExit(thread));
  }

  #handleReport(report: SynthesisReport): void {
    this.#stopOpeningTimer();
    switch (report.type) {
      case 'opened':
        this.#opened = true;
        break;
      case 'absent':
        this.#absent = new SpeechUnavailable(report.code, report.reason);
        this.#failAll(this.#absent);
        break;
      case 'spoken':
        this.#failures = 0;
        this.#finish(report.id)?.resolve(report.speech);
        break;
      case 'failed':
        this.#handleFailure(report);
    }
    this.#runNext();
  }

  #handleFailure({ id, code, reason }: Extract<SynthesisReport, { type: 'failed' }>): void {
    const job = this.#finish(id);
    if (job === undefined) return;
    this.#countFailure(reason);
    job.reject(new SpeechUnavailable(code, reason));
  }

  #finish(id: number): Job | undefined {
    const job = this.#running.get(id);
    this.#running.delete(id);
    if (job !== undefined && job.timer !== null) clearTimeout(job.timer);
    // Cancelled in the meantime: the sentence is for nobody, and no failure.
    return job?.request.signal.aborted === true ? undefined : job;
  }

  #runNext(): void {
    if (!this.#opened) return;
    const thread = this.#thread;
    while (thread !== null && this.#running.size < this.#options.limits.parallel) {
      const job = this.#waiting.shift();
      if (job === undefined) return;
      const { text, language, voice } = job.request;
      this.#running.set(job.id, job);
      job.timer = setTimeout(() => void thread.terminate(), this.#options.limits.timeoutMs);
      this.#order({ type: 'speak', id: job.id, text, language, voice });
    }
  }

  /** What is said to a thread that just died is answered by its exit. */
  #order(order: SynthesisOrder): void {
    this.#thread?.postMessage(order);
  }

  /** Waiting: it never starts. At work: the thread is told, and its answer is for nobody. */
  #abandon(job: Job): void {
    const place = this.#waiting.indexOf(job);
    if (place >= 0) this.#waiting.splice(place, 1);
    else if (this.#running.has(job.id)) this.#order({ type: 'cancel', id: job.id });
    job.reject(aborted());
  }

  /** Only the sentences at hand fail; those that wait go to the next thread. */
  #handleExit(thread: Worker): void {
    if (this.#thread !== thread || this.#closed) return;
    this.#stopOpeningTimer();
    this.#thread = null;
    if (this.#absent !== null) return;
    this.#countFailure('it crashed');
    const lost = [...this.#running.values()];
    this.#running.clear();
    for (const job of lost) {
      if (job.timer !== null) clearTimeout(job.timer);
      job.reject(new SpeechUnavailable('crashed', `${this.#options.setup.engine} crashed`));
    }
    if (this.available) this.#start();
    else this.#failAll(new SpeechUnavailable('crashed', `${this.#options.setup.engine} keeps crashing and pauses`));
  }

  #stopOpeningTimer(): void {
    if (this.#openingTimer !== null) clearTimeout(this.#openingTimer);
    this.#openingTimer = null;
  }

  #countFailure(reason: string): void {
    this.#failures += 1;
    this.#lastReason = reason;
    if (this.#failures >= this.#options.limits.failures) this.#pausedUntilMs = this.#options.now() + this.#options.limits.pauseMs;
  }

  #failAll(error: SpeechUnavailable): void {
    const jobs = [...this.#running.values(), ...this.#waiting.splice(0)];
    this.#running.clear();
    for (const job of jobs) {
      if (job.timer !== null) clearTimeout(job.timer);
      job.reject(error);
    }
  }
}

function aborted(): DOMException {
  return new DOMException('the sentence was cancelled', 'AbortError');
}

import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Locale } from '@virtual-tutor/schemas';
import { findWhisper } from '../adapters/whisper-files.ts';
import { SpeechUnavailable, type Transcript } from '../media/ports.ts';
import type { ComponentHealth, WorkerConfig } from '../media/protocol.ts';
import { modelEnvironment } from '../model-environment.ts';
import { recognitionHealth } from './recognition-health.ts';
import type { RecognitionOrder, RecognitionReport } from './recognition-messages.ts';
import { RecognitionQueue } from './recognition-queue.ts';

export interface RecognitionRequest {
  /** Whose microphone it is: owners take turns. */
  readonly owner: string;
  /** Finals go before partials; a partial is dropped for a newer one or for the final. */
  readonly kind: 'partial' | 'final';
  /** At `listeningRate`, -1 to 1. */
  readonly samples: Float32Array;
  readonly language: Locale;
  readonly signal: AbortSignal;
}

export interface Recogniser extends AsyncDisposable {
  /** Throws `SpeechUnavailable`; an `AbortError` once the signal aborts, or when a partial was dropped. */
  transcribe(request: RecognitionRequest): Promise<Transcript>;
  supports(language: Locale): boolean;
  health(): readonly ComponentHealth[];
}

export interface RecogniserLimits {
  /** A recognition that takes longer has hung: its process is replaced, ms. */
  readonly timeoutMs: number;
  /** Processes lost in a row before there is a pause. */
  readonly crashes: number;
  /** How long that pause is, ms. */
  readonly pauseMs: number;
}

/** Half a minute of speech takes Whisper base on a slow core 10 s. */
const usualLimits: RecogniserLimits = { timeoutMs: 30_000, crashes: 3, pauseMs: 30_000 };

interface Job extends RecognitionRequest {
  readonly id: number;
  readonly resolve: (transcript: Transcript) => void;
  readonly reject: (error: Error) => void;
  /** Tried once before, in a process that died. */
  retried: boolean;
}

const usualProgram = new URL('./recognition-process.ts', import.meta.url);

/**
 * Recognition in a process of its own, which is replaced when it dies or hangs. Not a thread: ending
 * one in the middle of an inference aborts the whole process (onnxruntime-node 1.30), media and all.
 */
export function createRecogniser(config: WorkerConfig['asr'], limits: RecogniserLimits = usualLimits): Recogniser {
  return new ProcessRecogniser({ config, limits, program: usualProgram });
}

interface ProcessOptions {
  readonly config: WorkerConfig['asr'];
  readonly limits: RecogniserLimits;
  /** A module that says `RecognitionReport` to `RecognitionOrder`. */
  readonly program: URL;
}

export class ProcessRecogniser implements Recogniser {
  readonly #options: ProcessOptions;
  readonly #waiting = new RecognitionQueue<Job>();
  #languages: readonly Locale[];
  #health: readonly ComponentHealth[];
  #child: ChildProcess | null = null;
  #running: { readonly job: Job; readonly timer: NodeJS.Timeout } | null = null;
  #nextId = 1;
  #crashes = 0;
  #resumeTimer: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(options: ProcessOptions) {
    this.#options = options;
    const { config } = options;
    this.#health = recognitionHealth(config, { moonshine: null, whisper: null });
    this.#languages = config.enabled ? ['en', ...(hasWhisper(config) ? (['zh'] as const) : [])] : [];
    if (config.enabled) this.#start();
  }

  supports(language: Locale): boolean {
    return this.#languages.includes(language);
  }

  health(): readonly ComponentHealth[] {
    if (this.#resumeTimer === null) return this.#health;
    return this.#health.map((component) => ({ ...component, status: 'down', reason: 'the recogniser keeps crashing and pauses' }));
  }

  transcribe(request: RecognitionRequest): Promise<Transcript> {
    const { signal, language } = request;
    if (signal.aborted) return Promise.reject(aborted());
    if (this.#closed) return Promise.reject(new SpeechUnavailable('unreachable', 'the recogniser is closed'));
    if (!this.supports(language)) {
      return Promise.reject(new SpeechUnavailable('language_unsupported', `no recogniser for ${language} is installed`));
    }
    if (this.#resumeTimer !== null) return Promise.reject(new SpeechUnavailable('crashed', 'the recogniser keeps crashing and pauses'));
    return new Promise((resolve, reject) => {
      const end = () => this.#abandon(job);
      const job: Job = {
        ...request,
        id: this.#nextId++,
        retried: false,
        resolve: (transcript) => {
          signal.removeEventListener('abort', end);
          resolve(transcript);
        },
        reject: (error) => {
          signal.removeEventListener('abort', end);
          reject(error);
        },
      };
      signal.addEventListener('abort', end, { once: true });
      for (const dropped of this.#waiting.push(job)) {
        dropped.reject(
          dropped.kind === 'partial' ? aborted() : new SpeechUnavailable('unreachable', 'too many utterances wait to be recognised'),
        );
      }
      this.#runNext();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    if (this.#resumeTimer !== null) clearTimeout(this.#resumeTimer);
    const child = this.#child;
    this.#child = null;
    this.#failEverything(new SpeechUnavailable('unreachable', 'the recogniser is closed'));
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const gone = Promise.withResolvers<void>();
    child.once('exit', () => gone.resolve());
    child.kill('SIGKILL');
    await gone.promise;
  }

  #start(): void {
    const { program, config } = this.#options;
    const child = fork(fileURLToPath(program), {
      serialization: 'advanced',
      execArgv: [],
      env: modelEnvironment(),
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#child = child;
    child.on('message', (report: RecognitionReport) => {
      if (this.#child === child) this.#handleReport(report);
    });
    // A program that cannot be started or spoken to: seen as its end.
    child.on('error', () => this.#handleExit(child));
    child.on('exit', () => this.#handleExit(child));
    this.#order({ type: 'load', config });
  }

  #handleReport(report: RecognitionReport): void {
    if (report.type === 'loaded') {
      this.#languages = report.languages;
      this.#health = report.health;
      return;
    }
    const running = this.#running;
    if (running?.job.id !== report.id) return;
    clearTimeout(running.timer);
    this.#running = null;
    this.#crashes = 0;
    if (report.type === 'done') running.job.resolve(report.transcript);
    else running.job.reject(report.code === 'aborted' ? aborted() : new SpeechUnavailable(report.code, report.reason));
    this.#runNext();
  }

  /** The student spoke on, or left: whatever is decoded now is for nobody, but ends by itself soon. */
  #abandon(job: Job): void {
    this.#waiting.remove(job);
    if (this.#running?.job === job) this.#order({ type: 'cancel', id: job.id });
    job.reject(aborted());
  }

  #runNext(): void {
    if (this.#running !== null || this.#child === null) return;
    const job = this.#waiting.take();
    if (job !== undefined) this.#run(job);
  }

  #run(job: Job): void {
    const child = this.#child;
    const timer = setTimeout(() => child?.kill('SIGKILL'), this.#options.limits.timeoutMs);
    this.#running = { job, timer };
    const { id, samples, language, kind } = job;
    this.#order({ type: 'transcribe', id, samples, language, kind });
  }

  #order(order: RecognitionOrder): void {
    // A process that just died is noticed by its exit.
    if (this.#child?.connected) this.#child.send(order, () => {});
  }

  #handleExit(child: ChildProcess): void {
    if (this.#child !== child || this.#closed) return;
    this.#child = null;
    this.#crashes += 1;
    const running = this.#running;
    this.#running = null;
    if (running !== null) clearTimeout(running.timer);
    if (this.#crashes >= this.#options.limits.crashes) {
      running?.job.reject(new SpeechUnavailable('crashed', 'the recogniser crashed'));
      this.#pause();
      return;
    }
    this.#start();
    if (running === null) this.#runNext();
    else if (running.job.retried || running.job.signal.aborted) {
      running.job.reject(new SpeechUnavailable('crashed', 'the recogniser crashed twice on this utterance'));
      this.#runNext();
    } else {
      running.job.retried = true;
      this.#run(running.job);
    }
  }

  /** Something is wrong with the machine or the files: trying on at full speed would take it from the sessions. */
  #pause(): void {
    this.#failEverything(new SpeechUnavailable('crashed', 'the recogniser keeps crashing and pauses'));
    this.#resumeTimer = setTimeout(() => {
      this.#resumeTimer = null;
      this.#crashes = 0;
      this.#start();
    }, this.#options.limits.pauseMs);
    this.#resumeTimer.unref();
  }

  #failEverything(error: SpeechUnavailable): void {
    if (this.#running !== null) {
      clearTimeout(this.#running.timer);
      this.#running.job.reject(error);
      this.#running = null;
    }
    for (let job = this.#waiting.take(); job !== undefined; job = this.#waiting.take()) job.reject(error);
  }
}

function hasWhisper(config: WorkerConfig['asr']): boolean {
  const { modelsFolder } = config;
  return modelsFolder !== null && findWhisper({ ...config, modelsFolder }).found;
}

function aborted(): DOMException {
  return new DOMException('the recognition was aborted', 'AbortError');
}

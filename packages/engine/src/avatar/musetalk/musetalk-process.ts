import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Speech } from '../../media/ports.ts';
import type { ComponentHealth } from '../../media/protocol.ts';
import { modelEnvironment } from '../../model-environment.ts';
import { readManifest } from '../artifact/open-avatar.ts';
import type { Dress } from './dress.ts';
import { madeOf, readDress } from './dress-file.ts';
import type { MuseTalkOrder, MuseTalkReport, PatchOutcome, PatchRequest } from './process-messages.ts';
import type { HiddenStates } from './windows.ts';

export interface LiveMuseTalk {
  /** Where a frame's audio begins, relative to it, ms. */
  readonly windowOffsetMs: number;
  hear(speech: Speech): Promise<HiddenStates | null>;
  draw(request: PatchRequest): Promise<PatchOutcome>;
  leave(viewer: string): void;
}

export interface MuseTalkProcessOptions {
  /** `MUSETALK_BASE` */
  readonly folder: string;
  /** A process that died is replaced after this, ms. Default 10 s. */
  readonly againMs?: number;
}

type State =
  | { readonly status: 'starting' }
  | { readonly status: 'live'; readonly loaded: Extract<MuseTalkReport, { type: 'loaded' }>; readonly muse: LiveMuseTalk }
  /** Files or machine do not allow it; they stay as they are until somebody mends them and starts anew. */
  | { readonly status: 'unavailable'; readonly reason: string }
  | { readonly status: 'crashed' };

const program = fileURLToPath(new URL('./process.ts', import.meta.url));
/** Ten seconds of film on a processor, with room, ms. */
const mostDressingMs = 10 * 60_000;
const failed: PatchOutcome = { status: 'failed' };
const meanwhile = 'Until then filmed tutors speak by the warp renderer.';

/** MuseTalk in a process of its own, shared by all sessions of a worker, so that their frames are made together. */
export class MuseTalkProcess implements AsyncDisposable {
  readonly #options: MuseTalkProcessOptions;
  #child: ChildProcess | null = null;
  #state: State = { status: 'starting' };
  readonly #settled = Promise.withResolvers<void>();
  readonly #hearing = new Map<number, (states: HiddenStates | null) => void>();
  readonly #drawing = new Map<number, (outcome: PatchOutcome) => void>();
  #lastId = 0;
  #dressing: Promise<unknown> = Promise.resolve();
  readonly #dressers = new Set<ChildProcess>();
  #again: NodeJS.Timeout | null = null;
  #onChange: () => void = () => {};
  #closed = false;

  constructor(options: MuseTalkProcessOptions) {
    this.#options = options;
    this.#start();
  }

  /** Null: not to be had now. */
  get live(): LiveMuseTalk | null {
    return this.#state.status === 'live' ? this.#state.muse : null;
  }

  /** Of the process that paints; null: there is none now. */
  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /** One listener: it can be had from now on, or not any more. */
  onChange(listener: () => void): void {
    this.#onChange = listener;
  }

  health(): ComponentHealth {
    const state = this.#state;
    switch (state.status) {
      case 'live': {
        const { device, framesPerSecond } = state.loaded;
        return { name: 'MuseTalk', status: 'ok', runsOn: `${device.name}, ${Math.round(framesPerSecond)} frames a second`, reason: null };
      }
      case 'starting':
        return degraded('its models are being loaded');
      case 'crashed':
        return degraded('its process ended and will be started again; if that repeats, look at the memory that is left on the card');
      case 'unavailable':
        return degraded(state.reason);
    }
  }

  /** Of each idle frame. Made if it is not there yet, one avatar at a time, beside all else. Null: it cannot be. Throws `AvatarDamaged`. */
  async dress(avatarFolder: string): Promise<Dress | null> {
    await this.#settled.promise;
    if (this.#state.status !== 'live') return null;
    const manifest = await readManifest(avatarFolder);
    const made = madeOf(manifest, this.#state.loaded.models);
    const there = await readDress(avatarFolder, made);
    if (there === null) await this.#dressInTurn(avatarFolder);
    const dress = there ?? (await readDress(avatarFolder, made));
    return dress && manifest.order.map((frame) => dress[frame] ?? null);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#settled.resolve();
    if (this.#again !== null) clearTimeout(this.#again);
    const child = this.#child;
    this.#onGone();
    await Promise.all([...this.#dressers, ...(child === null ? [] : [child])].map(ended));
  }

  #start(): void {
    const child = forked();
    this.#child = child;
    this.#state = { status: 'starting' };
    child.on('message', (report: MuseTalkReport) => {
      if (this.#child === child) this.#onReport(report);
    });
    const gone = () => {
      if (this.#child === child) this.#onGone();
    };
    child.on('error', gone);
    // Not `exit`, which may come before what the process said last has been read.
    child.on('close', gone);
    this.#order({ type: 'live', folder: this.#options.folder });
  }

  #onReport(report: MuseTalkReport): void {
    switch (report.type) {
      case 'loaded':
        this.#become({ status: 'live', loaded: report, muse: this.#museOf(report) });
        break;
      case 'unavailable':
        this.#become({ status: 'unavailable', reason: report.reason });
        break;
      case 'heard':
        take(this.#hearing, report.id)?.(report.states);
        break;
      case 'drawn':
        take(this.#drawing, report.id)?.(report.outcome);
        break;
      case 'dressed':
        break;
    }
  }

  #museOf({ windowOffsetMs }: Extract<MuseTalkReport, { type: 'loaded' }>): LiveMuseTalk {
    return {
      windowOffsetMs,
      hear: ({ samples }) => this.#ask(this.#hearing, null, (id) => ({ type: 'hear', id, samples })),
      draw: (request) => this.#ask(this.#drawing, failed, (id) => ({ type: 'draw', id, ...request })),
      leave: (viewer) => this.#order({ type: 'leave', viewer }),
    };
  }

  /** `without`: the answer when there is nobody to ask. */
  #ask<Answer>(waiting: Map<number, (answer: Answer) => void>, without: Answer, orderOf: (id: number) => MuseTalkOrder): Promise<Answer> {
    if (this.#state.status !== 'live') return Promise.resolve(without);
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve) => {
      waiting.set(id, resolve);
      this.#order(orderOf(id));
    });
  }

  #order(order: MuseTalkOrder): void {
    // A process that just died is noticed by its end.
    if (this.#child?.connected) this.#child.send(order, () => {});
  }

  #onGone(): void {
    this.#child = null;
    for (const resolve of this.#hearing.values()) resolve(null);
    for (const resolve of this.#drawing.values()) resolve(failed);
    this.#hearing.clear();
    this.#drawing.clear();
    if (this.#closed || this.#state.status === 'unavailable') return;
    this.#become({ status: 'crashed' });
    this.#again = setTimeout(() => this.#start(), this.#options.againMs ?? 10_000);
  }

  #become(state: State): void {
    const was = this.live;
    this.#state = state;
    this.#settled.resolve();
    if (was !== this.live) this.#onChange();
  }

  #dressInTurn(avatarFolder: string): Promise<unknown> {
    const done = this.#dressing.then(() => this.#dress(avatarFolder));
    this.#dressing = done;
    return done;
  }

  /** Resolves when the process is done, whatever came of it. */
  async #dress(avatarFolder: string): Promise<void> {
    if (this.#closed) return;
    const child = forked();
    this.#dressers.add(child);
    const timer = setTimeout(() => child.kill('SIGKILL'), mostDressingMs);
    child.send({ type: 'dress', folder: this.#options.folder, avatarFolder } satisfies MuseTalkOrder, () => {});
    await new Promise<void>((resolve) => {
      child.once('error', () => resolve());
      child.once('close', () => resolve());
    });
    clearTimeout(timer);
    this.#dressers.delete(child);
  }
}

function forked(): ChildProcess {
  return fork(program, {
    serialization: 'advanced',
    execArgv: [],
    env: modelEnvironment(),
    // Libraries of the card write what nobody reads; what matters is reported.
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGKILL');
  await gone;
}

function take<Value>(from: Map<number, Value>, id: number): Value | undefined {
  const value = from.get(id);
  from.delete(id);
  return value;
}

function degraded(reason: string): ComponentHealth {
  return { name: 'MuseTalk', status: 'degraded', runsOn: 'warped film', reason: `${reason}. ${meanwhile}` };
}

import type { ComponentHealth, OpenMedia, WorkerConfig, WorkerFact } from '@virtual-tutor/engine/media';
import type { SessionId } from '@virtual-tutor/schemas';
import type { MediaAnswer, MediaOrder, MediaPlane, MediaRequest, SessionFact } from '../app/media-plane.ts';
import type { Refusal } from '../domain/decision.ts';
import { WorkerProcess } from './worker-process.ts';

export interface MediaWorkersOptions {
  readonly config: WorkerConfig;
  /** Worker processes; each gets its share of the ports. */
  readonly workers: number;
  /** A fault in a worker, on one line: kinds and places, never words. */
  readonly onFault: (fault: string) => void;
}

export interface MediaWorkers extends MediaPlane, AsyncDisposable {
  /** Of the processes that run. */
  readonly pids: readonly number[];
  /** Resolves when all are ready, or have failed to become so once. */
  readonly ready: Promise<unknown>;
}

const requestMs = 5_000;
const fullRetryMs = 15_000;
const restartRetryMs = 3_000;

/** Starts the engine workers. Until they are ready, nothing can be opened on them. */
export function startMediaWorkers(options: MediaWorkersOptions): MediaWorkers {
  return new Workers(options);
}

interface Waiting {
  readonly sessionId: SessionId;
  readonly resolve: (answer: MediaAnswer) => void;
  readonly timer: NodeJS.Timeout;
}

interface Placed {
  readonly worker: WorkerProcess;
  connected: string | null;
  quality: 'video' | 'voice' | 'text';
}

class Workers implements MediaWorkers {
  readonly #workers: readonly WorkerProcess[];
  readonly #capacity: number;
  readonly #paints: boolean;
  readonly #sessions = new Map<SessionId, Placed>();
  readonly #waiting = new Map<string, Waiting>();
  readonly #listeners = new Set<(fact: SessionFact) => void>();
  #requests = 0;

  constructor({ config, workers, onFault }: MediaWorkersOptions) {
    this.#capacity = config.capacity.sessions;
    this.#paints = config.avatar.museTalkFolder !== null;
    this.#workers = Array.from({ length: workers }, (_, nth) => {
      const worker: WorkerProcess = new WorkerProcess({
        config: { ...config, avatar: avatarOf(config, nth), mediaPorts: shareOf(config.mediaPorts, nth, workers) },
        onFact: (fact) => this.#onFact(fact),
        onLost: () => this.#onLost(worker),
        onFault,
      });
      return worker;
    });
  }

  get ready(): Promise<unknown> {
    return Promise.all(this.#workers.map((worker) => worker.ready));
  }

  get pids(): readonly number[] {
    return this.#workers.map(({ pid }) => pid).filter((pid) => pid !== null);
  }

  open(media: OpenMedia): Refusal | null {
    if (this.#sessions.has(media.sessionId)) return null;
    const running = this.#workers.filter(({ status }) => status === 'ready');
    if (running.length === 0) {
      return { code: 'unavailable', message: 'voice and video are starting: try again in a moment', retryAfterMs: restartRetryMs };
    }
    const worker =
      this.#painting(media, running) ?? running.reduce((best, next) => (this.#placedOn(next) < this.#placedOn(best) ? next : best));
    if (this.#sessions.size >= this.#capacity) {
      const places = this.#capacity;
      return {
        code: 'capacity_exceeded',
        message: `all ${places} places for voice and video are taken (MAX_MEDIA_SESSIONS): text goes on, try again later`,
        retryAfterMs: fullRetryMs,
      };
    }
    this.#sessions.set(media.sessionId, { worker, connected: null, quality: 'text' });
    worker.send({ type: 'open', ...media });
    return null;
  }

  isOpen(sessionId: SessionId): boolean {
    return this.#sessions.has(sessionId);
  }

  order(order: MediaOrder): void {
    const placed = this.#sessions.get(order.sessionId);
    placed?.worker.send(order);
    if (order.type === 'close') this.#sessions.delete(order.sessionId);
  }

  request(request: MediaRequest): Promise<MediaAnswer> {
    const placed = this.#sessions.get(request.sessionId);
    this.#requests += 1;
    const requestId = String(this.#requests);
    if (placed === undefined) return Promise.resolve(gone(requestId));
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#settle(gone(requestId)), requestMs);
      this.#waiting.set(requestId, { sessionId: request.sessionId, resolve, timer });
      placed.worker.send({ ...request, requestId });
    });
  }

  onFact(listener: (fact: SessionFact) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  health(): readonly ComponentHealth[] {
    const starting = this.#workers.some(({ status }) => status === 'starting');
    const down = this.#workers.filter(({ status }) => status !== 'ready').length;
    const processes: ComponentHealth = {
      name: 'voice and video',
      runsOn: `${this.#workers.length} engine worker${this.#workers.length === 1 ? '' : 's'}`,
      status: down === 0 ? 'ok' : down === this.#workers.length ? 'down' : 'degraded',
      reason: reasonOf(down, starting),
    };
    return [processes, ...worstOf(this.#workers.filter(({ status }) => status === 'ready').flatMap(({ components }) => components))];
  }

  load(): { readonly sessions: number; readonly speaking: number; readonly maxSessions: number } {
    return {
      sessions: this.#sessions.size,
      speaking: this.#workers.reduce((sum, { load }) => sum + load.speaking, 0),
      maxSessions: this.#capacity,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const requestId of [...this.#waiting.keys()]) this.#settle(gone(requestId));
    await Promise.all(this.#workers.map((worker) => worker[Symbol.asyncDispose]()));
  }

  /** MuseTalk paints the frames of all sessions together, so those who may need it are in one place. */
  #painting({ face }: OpenMedia, running: readonly WorkerProcess[]): WorkerProcess | undefined {
    return face.kind === 'filmed' && this.#paints ? running.find((worker) => worker === this.#workers[0]) : undefined;
  }

  #placedOn(worker: WorkerProcess): number {
    let placed = 0;
    for (const session of this.#sessions.values()) if (session.worker === worker) placed += 1;
    return placed;
  }

  #onFact(fact: WorkerFact): void {
    if ('requestId' in fact) this.#settle(fact);
    if (!('sessionId' in fact)) return;
    const placed = this.#sessions.get(fact.sessionId);
    // A session that was closed here has nothing more to say.
    if (placed === undefined) return;
    if (fact.type === 'connected') placed.connected = fact.peerId;
    if (fact.type === 'disconnected' && placed.connected === fact.peerId) placed.connected = null;
    if (fact.type === 'quality') placed.quality = fact.to;
    this.#tell(fact);
  }

  /** Its sessions are told apart one by one, and may be opened again at once. */
  #onLost(worker: WorkerProcess): void {
    for (const [sessionId, placed] of this.#sessions) {
      if (placed.worker !== worker) continue;
      this.#sessions.delete(sessionId);
      if (placed.connected !== null) {
        this.#tell({ type: 'disconnected', sessionId, peerId: placed.connected, reason: 'failed', connectedMs: 0, bytesSent: 0 });
      }
      if (placed.quality !== 'text') this.#tell({ type: 'quality', sessionId, to: 'text', reason: 'worker_crashed' });
      for (const [requestId, waiting] of this.#waiting) if (waiting.sessionId === sessionId) this.#settle(gone(requestId));
    }
  }

  #tell(fact: SessionFact): void {
    for (const listener of this.#listeners) listener(fact);
  }

  #settle(answer: MediaAnswer): void {
    const waiting = this.#waiting.get(answer.requestId);
    if (waiting === undefined) return;
    this.#waiting.delete(answer.requestId);
    clearTimeout(waiting.timer);
    waiting.resolve(answer);
  }
}

/** Each component once: as the worker that has most trouble with it says. */
function worstOf(components: readonly ComponentHealth[]): readonly ComponentHealth[] {
  const worst = new Map<string, ComponentHealth>();
  for (const component of components) {
    const known = worst.get(component.name);
    if (known === undefined || severity[component.status] > severity[known.status]) worst.set(component.name, component);
  }
  return [...worst.values()];
}

const severity = { ok: 0, degraded: 1, down: 2 } as const;

function reasonOf(down: number, starting: boolean): string | null {
  if (down === 0) return null;
  if (starting) return 'starting: ready in a few seconds';
  return `${down} not running, being restarted: see the log of this engine for "an engine worker failed"`;
}

function gone(requestId: string): MediaAnswer {
  return { type: 'refused', requestId, code: 'internal', reason: 'the engine worker is gone: connect again' };
}

/** Ports of the nth of so many workers, inclusive. */
function shareOf([first, last]: readonly [number, number], nth: number, workers: number): readonly [number, number] {
  const each = Math.floor((last - first + 1) / workers);
  return [first + nth * each, nth === workers - 1 ? last : first + (nth + 1) * each - 1];
}

/** One worker has MuseTalk. */
function avatarOf({ avatar }: WorkerConfig, nth: number): WorkerConfig['avatar'] {
  return nth === 0 ? avatar : { ...avatar, museTalkFolder: null };
}

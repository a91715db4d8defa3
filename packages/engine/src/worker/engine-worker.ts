import type { SessionId } from '@virtual-tutor/schemas';
import { LiveSession, type SessionParts } from '../media/live-session.ts';
import { startPacer } from '../media/pacer.ts';
import { OfferRefused } from '../media/ports.ts';
import type { ComponentHealth, OpenMedia, WorkerCommand, WorkerFact } from '../media/protocol.ts';

/** What a worker's sessions share. */
export interface WorkerParts extends AsyncDisposable {
  partsOf(media: OpenMedia): Omit<SessionParts, 'mayDraw' | 'emit' | 'now' | 'onDefect'>;
  health(): readonly ComponentHealth[];
}

export interface EngineWorkerOptions {
  readonly parts: WorkerParts;
  /** Sessions that may show a moving mouth at once. */
  readonly maxSpeaking: number;
  readonly emit: (fact: WorkerFact) => void;
  /** Epoch ms. */
  readonly now: () => number;
  /** ms of a clock that never goes back. */
  readonly nowMs: () => number;
  readonly onDefect: (error: unknown) => void;
}

type Addressed = Extract<WorkerCommand, { readonly sessionId: SessionId }>;
type Asked = Extract<WorkerCommand, { readonly requestId: string }>;

/** All live media of one worker process: its sessions, and the clock that they share. */
export class EngineWorker implements AsyncDisposable {
  readonly #options: EngineWorkerOptions;
  readonly #sessions = new Map<SessionId, LiveSession>();
  readonly #pacer: Disposable;

  constructor(options: EngineWorkerOptions) {
    this.#options = options;
    this.#pacer = startPacer({
      nowMs: options.nowMs,
      onFrame: () => this.#each((session) => session.frame()),
      onSkip: (frames) => this.#each((session) => session.skip(frames)),
    });
  }

  get load(): { readonly sessions: number; readonly speaking: number } {
    return { sessions: this.#sessions.size, speaking: this.#speaking() };
  }

  obey(command: WorkerCommand): void {
    switch (command.type) {
      case 'configure':
        break;
      case 'ping':
        this.#options.emit({ type: 'pong', sentAtMs: command.sentAtMs });
        break;
      case 'open':
        this.#open(command);
        break;
      default:
        this.#obeySession(command);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#pacer[Symbol.dispose]();
    await Promise.all([...this.#sessions.values()].map((session) => session.close()));
    this.#sessions.clear();
    await this.#options.parts[Symbol.asyncDispose]();
  }

  #open(media: OpenMedia): void {
    if (this.#sessions.has(media.sessionId)) return;
    const { parts, emit, now, maxSpeaking, onDefect } = this.#options;
    const mayDraw = () => this.#speaking() < maxSpeaking;
    this.#sessions.set(media.sessionId, new LiveSession(media, { ...parts.partsOf(media), emit, now, mayDraw, onDefect }));
  }

  #obeySession(command: Exclude<Addressed, { type: 'open' }>): void {
    const session = this.#sessions.get(command.sessionId);
    if (session === undefined) {
      if ('requestId' in command) this.#refuse(command, 'this session has no media here');
      return;
    }
    switch (command.type) {
      case 'negotiate':
        this.#answer(command, async () => {
          const answerSdp = await session.negotiate(command.peerId, command.offerSdp);
          return { type: 'answered', requestId: command.requestId, answerSdp };
        });
        break;
      case 'addCandidate':
        this.#answer(command, async () => {
          session.addCandidate(command.peerId, command.candidate);
          return { type: 'done', requestId: command.requestId };
        });
        break;
      case 'say':
        session.say(command);
        break;
      case 'stop': {
        const { requestId, sessionId, turnId } = command;
        this.#options.emit({ type: 'stopped', requestId, sessionId, turnId, heard: session.stop(turnId) });
        break;
      }
      case 'appendAudio':
        session.listen(new Int16Array(command.pcm.slice().buffer));
        break;
      case 'commitAudio':
        session.commit();
        break;
      case 'stream':
        session.stream(command.on);
        break;
      case 'wear':
        session.wear(command.face);
        break;
      case 'close':
        this.#sessions.delete(command.sessionId);
        session.close().catch(this.#options.onDefect);
        break;
    }
  }

  #answer(command: Asked, work: () => Promise<WorkerFact>): void {
    work().then(this.#options.emit, (error: unknown) => {
      if (error instanceof OfferRefused) {
        this.#options.emit({ type: 'refused', requestId: command.requestId, code: error.code, reason: error.message });
        return;
      }
      this.#options.onDefect(error);
      this.#refuse(command, 'the engine worker failed');
    });
  }

  #refuse({ requestId }: Asked, reason: string): void {
    this.#options.emit({ type: 'refused', requestId, code: 'internal', reason });
  }

  /** One session's fault is its own. */
  #each(act: (session: LiveSession) => void): void {
    for (const session of this.#sessions.values()) {
      try {
        act(session);
      } catch (error) {
        this.#options.onDefect(error);
      }
    }
  }

  #speaking(): number {
    let speaking = 0;
    for (const session of this.#sessions.values()) if (session.speaking) speaking += 1;
    return speaking;
  }
}

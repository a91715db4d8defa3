import { converse, ReplyFailure } from '@virtual-tutor/engine';
import {
  DocumentId,
  type ErrorCode,
  type Locale,
  type SessionEvent,
  type SessionId,
  type SessionState,
  streams,
  type TenantId,
  type Turn,
  type TurnId,
  type TurnTimings,
} from '@virtual-tutor/schemas';
import { asHeard, openTurn } from '../domain/session.ts';
import { sessions, tutors } from './aggregates.ts';
import { type ClearEvent, decodeClear } from './event-codec.ts';
import { FactQueue } from './fact-queue.ts';
import type { Handle } from './handle.ts';
import type { LessonFeeds } from './lesson-feeds.ts';
import type { Library } from './library.ts';
import { LiveReply } from './live-reply.ts';
import type { TutorModels } from './models.ts';
import type { Clock, EventStore } from './ports.ts';
import type { Voice } from './voice.ts';

export interface RepliesOptions {
  readonly store: EventStore;
  readonly handle: Handle;
  readonly feeds: LessonFeeds;
  readonly library: Library;
  readonly models: TutorModels;
  readonly voice: Voice;
  readonly clock: Clock;
  readonly node: string;
  /** Longest wait for a model's first text, and longest silence within a reply, ms. */
  readonly firstTextMs: number;
  readonly stallMs: number;
  /** Told of failures that no student caused; carries no words of the lesson. */
  readonly onFailure: (failure: { readonly sessionId: SessionId; readonly code: ErrorCode; readonly error: unknown }) => void;
}

export interface ReplyTask {
  readonly sessionId: SessionId;
  readonly tenantId: TenantId;
  readonly turnId: TurnId;
  readonly epoch: number;
  /** Of the message to answer. Null: found open after a take-over, when the log may hold part of the turn already. */
  readonly messageRevision: number | null;
  /** How long the student's voice took to become text, ms; null: typed, or not known any more. */
  readonly asrMs: number | null;
  /** The student was being spoken to when the reply was left unfinished: the voice may be back in a moment. */
  readonly awaitVoice: boolean;
}

type Active = Extract<SessionState, { status: 'active' }>;
type OpenTurn = Extract<Turn, { status: 'waiting' | 'replying' }>;

/** How long a resumed reply waits for the student's media to come back, ms. */
const voiceReturnMs = 5_000;
/** Passages a reply may cite. */
const passageLimit = 5;

/** Makes the replies of the sessions that this node hosts, one at a time per session. */
export class Replies {
  readonly #options: RepliesOptions;
  readonly #running = new Map<TurnId, { readonly live: LiveReply; readonly done: Promise<void> }>();
  #closed = false;

  constructor(options: RepliesOptions) {
    this.#options = options;
  }

  get underWay(): number {
    return this.#running.size;
  }

  start(task: ReplyTask): void {
    if (this.#closed || this.#running.has(task.turnId)) return;
    const reply = new ReplyInTheMaking(task, this.#options);
    const done = reply.run().finally(() => this.#running.delete(task.turnId));
    this.#running.set(task.turnId, { live: reply.live, done });
  }

  /** Stops them without a word in the log: the next host goes on where they were. */
  async close(): Promise<void> {
    this.#closed = true;
    const running = [...this.#running.values()];
    for (const { live } of running) live.abort.abort();
    await Promise.all(running.map(({ done }) => done));
  }
}

/** One reply, from the committed message to its end in the log. */
class ReplyInTheMaking {
  readonly live: LiveReply;
  readonly #task: ReplyTask;
  readonly #options: RepliesOptions;
  readonly #facts: FactQueue;
  readonly #startedAtMs: number;
  #firstTokenMs: number | null = null;
  #retrieveMs = 0;

  constructor(task: ReplyTask, options: RepliesOptions) {
    this.#task = task;
    this.#options = options;
    this.#startedAtMs = options.clock.now();
    this.live = new LiveReply(task.turnId, task.messageRevision, (index, playout) =>
      this.#facts.push({ type: 'RecordHeard', index, playout }),
    );
    this.#facts = new FactQueue({
      ...task,
      handle: options.handle,
      context: { tenantId: task.tenantId, actor: { kind: 'system', id: options.node }, correlationId: task.turnId },
      onRefused: () => this.live.abort.abort(),
      onFailed: (error) => {
        this.live.abort.abort();
        options.onFailure({ sessionId: task.sessionId, code: 'unavailable', error });
      },
    });
  }

  async run(): Promise<void> {
    const { sessionId, tenantId, turnId } = this.#task;
    using held = this.#options.feeds.hold(sessionId);
    try {
      const { state } = await this.#options.handle.load(sessions, streams.session(sessionId), { tenantId });
      const turn = openTurn(state);
      if (state.status !== 'active' || turn?.turnId !== turnId) return;
      held.feed.show(this.live);
      this.#options.voice.accompany(this.live, sessionId);
      await this.#make(state, turn, () => held.feed.changed());
    } catch (error) {
      this.#fail(error);
    }
    await this.#facts.idle();
  }

  async #make(state: Active, turn: OpenTurn, changed: () => void): Promise<void> {
    const { models, stallMs, firstTextMs } = this.#options;
    const before = this.#task.messageRevision === null ? await this.#resume(turn) : null;
    if (this.live.abort.signal.aborted) return;
    await this.#resumeVoice(turn);
    const passages = this.#retrieve(state, turn, before);
    const { tutor, llm, fallback } = await this.#tutorOf(state);
    const request = {
      question: turn.message ?? '',
      language: turn.language,
      tutor: { ...tutor, ...models.choose(state.tutorId, tutor) },
      history: state.turns.slice(0, -1).map(asHeard),
      passages,
      topics: this.#library(state)?.titles ?? [],
      spoken: this.#options.voice.reaches(this.#task.sessionId),
      resume: turn.status === 'replying' ? { fromIndex: turn.sentences.length, prefix: joined(turn), provider: turn.provider } : null,
    };
    for await (const fact of converse(request, { llm, fallback }, { signal: this.live.abort.signal, stallMs, firstTextMs })) {
      switch (fact.type) {
        case 'started': {
          const { type: _, ...started } = fact;
          if (turn.status === 'waiting') this.#facts.push({ type: 'StartReply', ...started, tutorRevision: tutor.revision });
          break;
        }
        case 'delta':
          this.#firstTokenMs ??= this.#elapsedMs();
          this.live.push({ index: fact.index, text: fact.text, madeAtMs: this.#options.clock.now() });
          changed();
          break;
        case 'sentence':
          this.#facts.push({ type: 'RecordSentence', index: fact.index, text: fact.text, citations: [...fact.citations] });
          this.#say(fact.index, fact.text, turn.language);
          this.live.closed(fact.index);
          break;
        case 'done':
          await this.#finish(fact.usage);
          break;
      }
    }
  }

  async #finish(usage: Extract<Parameters<FactQueue['push']>[0], { type: 'CompleteReply' }>['usage']): Promise<void> {
    const totalMs = this.#elapsedMs();
    this.live.generated();
    const { signal } = this.live.abort;
    const aborted = Promise.withResolvers<void>();
    signal.addEventListener('abort', () => aborted.resolve(), { once: true });
    // Cut after the model's last word, it would never be told.
    if (signal.aborted) return;
    // Without a connected student nothing is heard: the reply stays open until one comes back or the session ends.
    await Promise.race([this.live.settled, aborted.promise]);
    if (signal.aborted) return;
    this.#facts.push({ type: 'CompleteReply', usage, timings: this.#timings(totalMs) });
  }

  #timings(totalMs: number): TurnTimings {
    const sinceStart = (atMs: number | null) => (atMs === null ? null : Math.max(0, atMs - this.#startedAtMs));
    return {
      asrMs: this.#task.asrMs,
      retrieveMs: this.#retrieveMs,
      firstTokenMs: this.#firstTokenMs ?? totalMs,
      firstAudioMs: sinceStart(this.live.firstAudioAtMs),
      firstFrameMs: sinceStart(this.live.firstFrameAtMs),
      totalMs,
    };
  }

  /** A student who was being spoken to when the engine stopped is coming back: what was not heard is said then, and read only if not. */
  async #resumeVoice(turn: OpenTurn): Promise<void> {
    const { voice } = this.#options;
    const { sessionId, awaitVoice, messageRevision } = this.#task;
    if (messageRevision !== null) return;
    const unheard = turn.sentences.filter(({ heard }) => !heard);
    if (awaitVoice) {
      for (const { index } of unheard) this.live.givenToVoice(index);
      await voice.toReach(sessionId, voiceReturnMs);
    }
    voice.accompany(this.live, sessionId);
    for (const { index, text } of unheard) this.#say(index, text ?? '', turn.language);
  }

  #say(index: number, text: string, language: Locale): void {
    const { sessionId, turnId } = this.#task;
    this.#options.voice.say(this.live, { sessionId, turnId, index, text, language });
  }

  /** Takes an unfinished reply over: what is in the log of it stays, the rest is made again. */
  async #resume(turn: OpenTurn): Promise<TurnLog> {
    const log = await readTurn(this.#options.store, this.#task);
    for (const sentence of turn.sentences) {
      const revision = log.sentences.get(sentence.index);
      if (!sentence.heard && revision !== undefined) this.live.inherited(sentence.index, { text: sentence.text ?? '', revision });
    }
    this.#facts.push({ type: 'ResumeReply' });
    await this.#facts.idle();
    return log;
  }

  #library(state: Active) {
    return state.knowledgeBaseId === null ? null : this.#options.library.find(this.#task.tenantId, state.knowledgeBaseId);
  }

  #retrieve(state: Active, turn: OpenTurn, before: TurnLog | null) {
    const library = this.#library(state);
    if (library === null || state.knowledgeBaseId === null) return [];
    if (before?.passages != null) return library.passages(before.passages.map(({ passageId, score }) => ({ passageId, score })));
    const startedAt = this.#options.clock.now();
    const passages = library.search(turn.message ?? '', passageLimit);
    this.#retrieveMs = this.#options.clock.now() - startedAt;
    this.#facts.push({
      type: 'RecordPassages',
      knowledgeBaseId: state.knowledgeBaseId,
      knowledgeRevision: library.revision,
      passages: passages.map(({ documentId, passageId, contentHash, score }) => ({
        documentId: DocumentId.parse(documentId),
        passageId,
        contentHash,
        score,
      })),
    });
    return passages;
  }

  async #tutorOf(state: Active) {
    const { handle, models } = this.#options;
    const { tenantId } = this.#task;
    const tutor = await handle.load(tutors, streams.tutor(tenantId, state.tutorId), { tenantId });
    if (tutor.state.status === 'absent') throw new Error('a session names a tutor that never was');
    return { tutor: { ...tutor.state.settings, revision: tutor.revision }, ...models.providers };
  }

  #fail(error: unknown): void {
    // Interrupted, ended, or this process is stopping: whoever did it has said what there is to say.
    if (this.live.abort.signal.aborted) return;
    const code: ErrorCode = error instanceof ReplyFailure ? error.code : 'internal';
    this.#facts.push({ type: 'FailReply', code, retryable: code !== 'internal' });
    this.#options.onFailure({ sessionId: this.#task.sessionId, code, error });
  }

  #elapsedMs(): number {
    return this.#options.clock.now() - this.#startedAtMs;
  }
}

interface TurnLog {
  /** Revisions of the sentences already generated, by index. */
  readonly sentences: ReadonlyMap<number, number>;
  readonly passages: Extract<SessionEvent, { type: 'PassagesRetrieved' }>['payload']['passages'] | null;
}

const pageSize = 500;

/** What the log has of a turn, without opening anybody's words. */
async function readTurn(store: EventStore, { sessionId, turnId }: ReplyTask): Promise<TurnLog> {
  const sentences = new Map<number, number>();
  let passages: TurnLog['passages'] = null;
  for (let after = 0; ; ) {
    const page = await store.readStream(streams.session(sessionId), { after, limit: pageSize });
    for (const event of page.map(decodeClear).filter((candidate) => isOf(candidate, turnId))) {
      if (event.type === 'SentenceGenerated') sentences.set(event.payload.index, event.stored.revision);
      if (event.type === 'PassagesRetrieved') passages = event.payload.passages;
    }
    const last = page.at(-1);
    if (last === undefined || page.length < pageSize) return { sentences, passages };
    after = last.revision;
  }
}

function isOf(event: ClearEvent, turnId: TurnId): boolean {
  return 'turnId' in event.payload && event.payload.turnId === turnId;
}

function joined(turn: Turn): string {
  return turn.sentences.map((sentence) => sentence.text ?? '').join('');
}

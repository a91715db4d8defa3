import {
  type Locale,
  type Recognition,
  type SessionEndReason,
  type SessionId,
  type SessionLimits,
  streams,
  type TenantId,
  type TurnId,
} from '@virtual-tutor/schemas';
import type { Refusal } from '../domain/decision.ts';
import { languageOf } from '../domain/language.ts';
import { type Cut, openTurn, type SessionCommand } from '../domain/session.ts';
import { sessions } from './aggregates.ts';
import type { ClearEvent } from './event-codec.ts';
import type { CommandContext, Handle, Handled } from './handle.ts';
import { commandIdOf, turnIdOf } from './ids.ts';
import type { LessonFeeds } from './lesson-feeds.ts';
import type { LiveReply } from './live-reply.ts';
import type { Clock } from './ports.ts';
import type { Replies, ReplyTask } from './replies.ts';
import type { Voice } from './voice.ts';

export interface LessonsOptions {
  readonly handle: Handle;
  readonly feeds: LessonFeeds;
  readonly replies: Replies;
  readonly voice: Voice;
  readonly clock: Clock;
  /** Name of this node in the log. */
  readonly node: string;
  /** `MAX_SESSIONS`: lessons under way on this node. */
  readonly maxSessions: number;
  readonly onDefect: (error: unknown) => void;
}

/** A lesson under way on this node. */
interface Hosted {
  readonly tenantId: TenantId;
  readonly limits: SessionLimits;
  readonly createdAtMs: number;
  lastMessageAtMs: number;
  /** Null until this process has said in the log that it hosts the session. */
  epoch: Promise<number | null> | null;
  ending: boolean;
}

export interface HostedSession {
  readonly sessionId: SessionId;
  readonly tenantId: TenantId;
  readonly limits: SessionLimits;
  readonly createdAtMs: number;
  readonly lastMessageAtMs: number;
}

export interface StudentMessage {
  readonly clientMessageId: string;
  readonly text: string;
  /** Null: typed. */
  readonly spoken: { readonly language: Locale; readonly asr: Recognition } | null;
}

type SessionState = (typeof sessions)['initial'];
export type Outcome<T> = T | { readonly refused: Refusal };

/** When to look again while all places are taken, ms. */
const capacityRetryMs = 30_000;
const sweepMs = 1_000;
/** How long an interruption waits for an unreachable log, ms. */
const interruptPatienceMs = 10_000;

/** The lessons that this node hosts: their limits, their messages, and what interrupts their replies. */
export class Lessons {
  readonly #options: LessonsOptions;
  readonly #hosted = new Map<SessionId, Hosted>();
  readonly #sweeper: NodeJS.Timeout;
  #reserved = 0;

  constructor(options: LessonsOptions) {
    this.#options = options;
    this.#sweeper = setInterval(() => this.#sweep(), sweepMs);
    this.#sweeper.unref();
  }

  get active(): number {
    return this.#hosted.size;
  }

  /** Takes back what this node hosted before it stopped, and goes on with replies that were under way. */
  async recover(known: readonly HostedSession[]): Promise<void> {
    for (const { sessionId, ...lesson } of known) {
      this.#hosted.set(sessionId, { ...lesson, epoch: null, ending: false });
    }
    for (const { sessionId, tenantId } of known) {
      const { state } = await this.#options.handle.load(sessions, streams.session(sessionId), { tenantId });
      const open = openTurn(state);
      const awaitVoice = state.status === 'active' && state.quality !== 'text';
      if (open !== null) await this.#reply(sessionId, open.turnId, { messageRevision: null, asrMs: null, awaitVoice });
    }
  }

  /** Creates a session here, if there is room. */
  async create(
    sessionId: SessionId,
    command: Omit<Extract<SessionCommand, { type: 'CreateSession' }>, 'type' | 'node'>,
    context: CommandContext,
  ): Promise<Outcome<Handled<SessionState>>> {
    const { handle, node, clock, maxSessions } = this.#options;
    if (!this.#hosted.has(sessionId) && this.#hosted.size + this.#reserved >= maxSessions) return { refused: this.#full() };
    this.#reserved += 1;
    try {
      const handled = await handle.handle({
        aggregate: sessions,
        stream: streams.session(sessionId),
        commands: (): readonly SessionCommand[] => [{ type: 'CreateSession', node, ...command }],
        context,
      });
      if (handled.status === 'done' && handled.position !== null && !this.#hosted.has(sessionId)) {
        const now = clock.now();
        const { tenantId } = context;
        this.#hosted.set(sessionId, {
          tenantId,
          limits: command.limits,
          createdAtMs: now,
          lastMessageAtMs: now,
          epoch: Promise.resolve(1),
          ending: false,
        });
      }
      return handled;
    } finally {
      this.#reserved -= 1;
    }
  }

  /** A student's message: commits it, stops the reply under way if there is one, and starts the next. */
  async receive(sessionId: SessionId, { spoken, ...message }: StudentMessage, context: CommandContext): Promise<Handled<SessionState>> {
    const turnId = turnIdOf(sessionId, message.clientMessageId);
    const cut = await this.#silenceFor(sessionId, message.clientMessageId, context);
    const received = this.#options.handle.handle({
      aggregate: sessions,
      stream: streams.session(sessionId),
      commands: (state): readonly SessionCommand[] => [
        {
          type: 'ReceiveMessage',
          turnId,
          ...message,
          modality: spoken === null ? 'text' : 'voice',
          asr: spoken?.asr ?? null,
          language: spoken?.language ?? languageOf(message.text, state.status === 'absent' ? 'en' : state.locale),
          ...this.#cutOf(sessionId, { state, cut }),
        },
      ],
      context: { ...context, commandId: commandIdOf('message', sessionId, message.clientMessageId), correlationId: turnId },
    });
    const handled = await (cut === null ? received : orReadOn(cut, received));
    if (handled.status === 'done' && handled.position !== null) {
      const hosted = this.#hosted.get(sessionId);
      if (hosted !== undefined) hosted.lastMessageAtMs = this.#options.clock.now();
      this.#live(sessionId, (live) => live.turnId !== turnId)?.abort.abort();
      const task = { messageRevision: handled.revision, asrMs: spoken?.asr.asrMs ?? null, awaitVoice: false };
      this.#reply(sessionId, turnId, task).catch(this.#options.onDefect);
    }
    return handled;
  }

  /** Stops the reply at once and says so in the log. */
  async interrupt(
    sessionId: SessionId,
    request: { readonly turnId: TurnId | null; readonly by: 'student' | 'operator' },
    context: CommandContext,
  ): Promise<Outcome<{ readonly turnId: TurnId }>> {
    const cut = this.#live(sessionId, (live) => request.turnId === null || request.turnId === live.turnId);
    cut?.abort.abort();
    if (cut !== null) await this.#options.voice.stop(sessionId, cut);
    let turnId = request.turnId;
    const handled = await this.#options.handle.handle({
      aggregate: sessions,
      stream: streams.session(sessionId),
      commands: (state): readonly SessionCommand[] => {
        turnId = request.turnId ?? openTurn(state)?.turnId ?? null;
        return [{ type: 'InterruptReply', ...request, ...this.#cutOf(sessionId, { state, cut }) }];
      },
      context: { ...context, patienceMs: interruptPatienceMs },
    });
    if (handled.status === 'refused') return { refused: handled.refusal };
    return turnId === null ? { refused: nothing } : { turnId };
  }

  async end(sessionId: SessionId, reason: SessionEndReason, context: CommandContext): Promise<Handled<SessionState>> {
    const cut = this.#live(sessionId, () => true);
    cut?.abort.abort();
    if (cut !== null) await this.#options.voice.stop(sessionId, cut);
    const handled = await this.#options.handle.handle({
      aggregate: sessions,
      stream: streams.session(sessionId),
      commands: (state): readonly SessionCommand[] => [{ type: 'EndSession', reason, ...this.#cutOf(sessionId, { state, cut }) }],
      context,
    });
    if (handled.status === 'done') {
      this.#hosted.delete(sessionId);
      this.#options.voice.close(sessionId);
    }
    return handled;
  }

  /** Sessions may end by another node or another hand: their log says so. */
  follow(event: ClearEvent): void {
    if (event.type !== 'SessionEnded') return;
    for (const sessionId of this.#hosted.keys()) {
      if (streams.session(sessionId) !== event.stored.stream) continue;
      this.#hosted.delete(sessionId);
      this.#options.voice.close(sessionId);
    }
  }

  /** Stops the work in memory; what was open goes on after the next start. */
  async close(): Promise<void> {
    clearInterval(this.#sweeper);
    await this.#options.replies.close();
  }

  async #reply(sessionId: SessionId, turnId: TurnId, task: Pick<ReplyTask, 'messageRevision' | 'asrMs' | 'awaitVoice'>): Promise<void> {
    const hosted = this.#hosted.get(sessionId);
    if (hosted === undefined) return;
    hosted.epoch ??= this.#claim(sessionId, hosted);
    const epoch = await hosted.epoch;
    if (epoch === null) this.#hosted.delete(sessionId);
    else this.#options.replies.start({ sessionId, tenantId: hosted.tenantId, turnId, epoch, ...task });
  }

  async #claim(sessionId: SessionId, hosted: Hosted): Promise<number | null> {
    const handled = await this.#options.handle.handle({
      aggregate: sessions,
      stream: streams.session(sessionId),
      commands: (): readonly SessionCommand[] => [{ type: 'HostSession', node: this.#options.node }],
      context: { tenantId: hosted.tenantId, actor: { kind: 'system', id: this.#options.node }, patienceMs: 30_000 },
    });
    return handled.status === 'done' && handled.state.status === 'active' ? (handled.state.host?.epoch ?? null) : null;
  }

  #live(sessionId: SessionId, which: (live: LiveReply) => boolean): LiveReply | null {
    const live = this.#options.feeds.find(sessionId)?.live ?? null;
    return live !== null && which(live) ? live : null;
  }

  /** A new message silences the voice before the log hears of it, since how far it came belongs into the log; one sent again does not. */
  async #silenceFor(sessionId: SessionId, clientMessageId: string, { tenantId }: CommandContext): Promise<LiveReply | null> {
    const live = this.#live(sessionId, ({ spoken }) => spoken);
    if (live === null) return null;
    const { state } = await this.#options.handle.load(sessions, streams.session(sessionId), { tenantId });
    if (state.status !== 'active' || state.turns.some((turn) => turn.clientMessageId === clientMessageId)) return null;
    await this.#options.voice.stop(sessionId, live);
    return live;
  }

  /** What the student was shown or heard of the reply under way, after its last sentence that the log knows as heard. */
  #cutOf(sessionId: SessionId, { state, cut }: { readonly state: SessionState; readonly cut: LiveReply | null }): Cut {
    const open = openTurn(state);
    if (open === null) return nothingHeard;
    const heard = open.sentences.filter((sentence) => sentence.heard).length;
    // A reply that was stopped is not shown any more, unless somebody reads it.
    const live = cut?.turnId === open.turnId ? cut : this.#live(sessionId, (candidate) => candidate.turnId === open.turnId);
    return live?.cutFrom(heard) ?? nothingHeard;
  }

  #full(): Refusal {
    const { maxSessions } = this.#options;
    return {
      code: 'capacity_exceeded',
      message: `all ${maxSessions} places of this engine are taken (MAX_SESSIONS): try again when a lesson has ended`,
      retryAfterMs: capacityRetryMs,
    };
  }

  #sweep(): void {
    const now = this.#options.clock.now();
    for (const [sessionId, hosted] of this.#hosted) {
      const reason = overdue(hosted, now);
      if (reason === null || hosted.ending) continue;
      hosted.ending = true;
      const context: CommandContext = { tenantId: hosted.tenantId, actor: { kind: 'system', id: this.#options.node } };
      this.end(sessionId, reason, context)
        .catch(this.#options.onDefect)
        .finally(() => {
          hosted.ending = false;
        });
    }
  }
}

/** A reply that was silenced for a message that then did not get into the log goes on, for the eyes. */
async function orReadOn(silenced: LiveReply, received: Promise<Handled<SessionState>>): Promise<Handled<SessionState>> {
  try {
    const handled = await received;
    if (handled.status === 'refused') silenced.voiceLost();
    return handled;
  } catch (error) {
    silenced.voiceLost();
    throw error;
  }
}

const nothingHeard: Cut = { partial: '', heardMs: null };
const nothing: Refusal = { code: 'nothing_to_interrupt', message: 'no reply is under way' };

function overdue(hosted: Hosted, nowMs: number): 'timeout' | 'idle' | null {
  if (nowMs - hosted.createdAtMs >= hosted.limits.maxDurationMs) return 'timeout';
  return nowMs - hosted.lastMessageAtMs >= hosted.limits.idleMs ? 'idle' : null;
}

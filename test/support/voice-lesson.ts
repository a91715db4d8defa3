import { randomUUID } from 'node:crypto';
import { createMiniSearchIndex, type Llm } from '@virtual-tutor/engine';
import { type AvatarId, type SessionEvent, SessionId, StudentId, streams, TenantId, type TurnId, TutorId } from '@virtual-tutor/schemas';
import { v7 as uuidv7 } from 'uuid';
import { expect } from 'vitest';
import { sessions, tutors } from '../../packages/server/src/app/aggregates.ts';
import { createEventCodec, decodeClear, type OpenEvent } from '../../packages/server/src/app/event-codec.ts';
import { Handle } from '../../packages/server/src/app/handle.ts';
import { systemIds, turnIdOf } from '../../packages/server/src/app/ids.ts';
import { LessonFeeds } from '../../packages/server/src/app/lesson-feeds.ts';
import { Lessons } from '../../packages/server/src/app/lessons.ts';
import { Library } from '../../packages/server/src/app/library.ts';
import { Media } from '../../packages/server/src/app/media.ts';
import type { MediaPlane } from '../../packages/server/src/app/media-plane.ts';
import { createTutorModels } from '../../packages/server/src/app/models.ts';
import type { Clock, EventStore } from '../../packages/server/src/app/ports.ts';
import { createPresentation } from '../../packages/server/src/app/presentation.ts';
import { Replies } from '../../packages/server/src/app/replies.ts';
import { Tail } from '../../packages/server/src/app/tail.ts';
import type { TurnAccess } from '../../packages/server/src/app/turn-access.ts';
import { Voice } from '../../packages/server/src/app/voice.ts';
import type { TutorCommand } from '../../packages/server/src/domain/tutor.ts';
import { MemoryEventStore } from '../../packages/server/src/store/memory-event-store.ts';
import { plainVault } from './plain-vault.ts';
import { ScriptedMedia } from './scripted-media.ts';

export const tenantId = TenantId.parse('default');
export const student = { tenantId, actor: { kind: 'student', id: 's-1' } } as const;
const operator = { tenantId, actor: { kind: 'operator', id: 'op' } } as const;
const tutorId = TutorId.parse('ada');
const clock: Clock = { now: () => Date.now() };

export interface VoiceLessonOptions {
  readonly llm: Llm;
  /** The log to go on with, after a node died. */
  readonly before?: { readonly store: EventStore; readonly sessionId: SessionId };
  readonly turn?: TurnAccess | null;
  readonly voice?: string | null;
  /** The tutor's filmed face. */
  readonly avatarId?: AvatarId | null;
}

/** One node's lesson with voice, without network or database: the log is in memory. */
export interface NodeLesson extends AsyncDisposable {
  readonly sessionId: SessionId;
  readonly store: EventStore;
  readonly media: Media;
  readonly lessons: Lessons;
  readonly handle: Handle;
  readonly defects: readonly unknown[];
  /** A student's page that reads along, until disposed. */
  read(): Disposable;
  ask(text: string): Promise<TurnId>;
  interrupt(turnId: TurnId): Promise<void>;
  events(): Promise<readonly OpenEvent<SessionEvent>[]>;
  /** Resolves when the log satisfies this; fails after a while. */
  until(condition: (events: readonly OpenEvent<SessionEvent>[]) => boolean): Promise<readonly OpenEvent<SessionEvent>[]>;
}

/** A lesson whose engine workers play a script. */
export interface VoiceLesson extends NodeLesson {
  readonly plane: ScriptedMedia;
  /** Media is open and connected. */
  connect(quality?: 'video' | 'voice'): Promise<void>;
}

/** A relay that works. */
export const relay: TurnAccess = {
  grant: () => ({
    iceServers: [{ urls: ['turn:127.0.0.1:10110'], username: 'u', credential: 'c' }],
    expiresAt: '2026-01-01T00:00:00.000Z',
  }),
  engineRelay: () => null,
  relayAddresses: ['127.0.0.1'],
  relayPorts: [10_111, 10_115],
  mediaAddress: '127.0.0.1',
  mediaPorts: [20_000, 20_999],
  publicIp: '127.0.0.1',
  portRange: { min: 10_110, max: 10_110 },
  health: () => ({ name: 'media relay', runsOn: 'a script', status: 'ok', reason: null }),
  [Symbol.asyncDispose]: async () => {},
};

export async function openVoiceLesson(options: VoiceLessonOptions): Promise<VoiceLesson> {
  const plane = new ScriptedMedia();
  const lesson = await openLessonOn(plane, options);
  const { sessionId, media } = lesson;
  return {
    ...lesson,
    plane,
    async connect(quality = 'video') {
      const peerId = randomUUID();
      const answer = await media.negotiate(tenantId, { sessionId, peerId, offer: 'v=0' });
      if ('refused' in answer) throw new Error(answer.refused.message);
      plane.connect(sessionId, { peerId, quality });
    },
  };
}

export async function openLessonOn(plane: MediaPlane, options: VoiceLessonOptions): Promise<NodeLesson> {
  const { llm, before, turn = relay, voice: tutorVoice = null, avatarId = null } = options;
  const store = before?.store ?? new MemoryEventStore();
  const defects: unknown[] = [];
  const onDefect = (error: unknown) => void defects.push(error);
  const codec = createEventCodec(plainVault);
  const handle = new Handle({ store, codec, clock, ids: systemIds });
  const tail = await Tail.start(store, onDefect);
  const blobs = { put: async () => '', get: async () => null };
  const library = new Library({ store, blobs, handle, createIndex: createMiniSearchIndex, node: 'n1', onDefect });
  const feeds = new LessonFeeds({ store, codec, tail, clock, onDelta: () => {}, present: createPresentation(handle, library) });
  const voice = new Voice(plane, feeds);
  const models = createTutorModels({ llm, fallback: null }, { defaultModel: 'm', defaultTemperature: 0, overrides: new Map() });
  const patience = { firstTextMs: 30_000, stallMs: 30_000 };
  const onFailure = () => {};
  const replies = new Replies({ store, handle, feeds, library, models, voice, clock, node: 'n1', onFailure, ...patience });
  const lessons = new Lessons({ handle, feeds, replies, voice, clock, node: 'n1', maxSessions: 10, onDefect });
  const enabled = { speech: true, listening: true, face: true };
  const media = new Media({ plane, turn, enabled, handle, lessons, voice, clock, node: 'n1', onDefect });
  for (const follower of [lessons, media]) tail.onEvent((stored) => follower.follow(decodeClear(stored)));
  const sessionId = before?.sessionId ?? SessionId.parse(uuidv7());
  const stream = streams.session(sessionId);
  const limits = { maxDurationMs: 3_600_000, idleMs: 3_600_000 };
  if (before === undefined) {
    const settings = {
      name: 'Ada',
      language: 'en',
      systemPrompt: '',
      llmModel: null,
      temperature: null,
      knowledgeBaseId: null,
      greeting: '',
    } as const;
    await handle.handle({
      aggregate: tutors,
      stream: streams.tutor(tenantId, tutorId),
      commands: (): readonly TutorCommand[] => [
        { type: 'ConfigureTutor', settings: { ...settings, voice: tutorVoice, face: null, avatarId } },
      ],
      context: operator,
    });
    const lesson = {
      tutorId,
      tutorRevision: 1,
      studentId: StudentId.parse('s-1'),
      knowledgeBaseId: null,
      locale: 'en',
      limits,
      mode: 'session',
    } as const;
    await lessons.create(sessionId, lesson, operator);
  } else {
    const known = [{ sessionId, tenantId, limits, createdAtMs: clock.now(), lastMessageAtMs: clock.now() }];
    await lessons.recover(known);
    await media.recover(known);
  }

  async function events(): Promise<readonly OpenEvent<SessionEvent>[]> {
    const page = await store.readStream(stream, { after: 0, limit: 1_000 });
    const opened = await Promise.all(page.map((stored) => codec.open(stored)));
    return opened.map((event) => ({ ...sessions.eventOf(event), stored: event.stored }));
  }

  return {
    sessionId,
    store,
    media,
    lessons,
    handle,
    defects,
    events,
    read() {
      const stop = new AbortController();
      const held = feeds.hold(sessionId);
      const reading = (async () => {
        for await (const _ of held.feed.read({ revision: 0, delta: 0 }, stop.signal));
      })();
      reading.catch(onDefect);
      return {
        [Symbol.dispose]() {
          stop.abort();
          held[Symbol.dispose]();
        },
      };
    },
    async ask(text) {
      const clientMessageId = randomUUID();
      const handled = await lessons.receive(sessionId, { clientMessageId, text, spoken: null }, student);
      if (handled.status === 'refused') throw new Error(handled.refusal.message);
      return turnIdOf(sessionId, clientMessageId);
    },
    async interrupt(turnId) {
      const outcome = await lessons.interrupt(sessionId, { turnId, by: 'student' }, student);
      if ('refused' in outcome) throw new Error(outcome.refused.message);
    },
    async until(condition) {
      let seen: readonly OpenEvent<SessionEvent>[] = [];
      await expect
        .poll(
          async () => {
            seen = await events();
            return condition(seen);
          },
          { interval: 1, timeout: 10_000 },
        )
        .toBe(true);
      return seen;
    },
    async [Symbol.asyncDispose]() {
      media.close();
      await lessons.close();
      await tail.close();
    },
  };
}

const terminals: ReadonlySet<string> = new Set(['ReplyCompleted', 'ReplyInterrupted', 'ReplyFailed']);

export function isTerminal({ type }: { readonly type: string }): boolean {
  return terminals.has(type);
}

/** What a turn's log says was generated, and what of it was heard. */
export function truthOf(events: readonly OpenEvent<SessionEvent>[], turnId: TurnId) {
  const mine = events.filter((event) => 'turnId' in event.payload && event.payload.turnId === turnId);
  const texts = mine.flatMap((event) => (event.type === 'SentenceGenerated' ? [event.personal?.text ?? ''] : []));
  const playouts = mine.flatMap((event) => (event.type === 'SentenceHeard' ? [event.payload] : []));
  const cut = mine.find((event) => event.type === 'ReplyInterrupted');
  const whole = [...playouts].sort((a, b) => a.index - b.index).map(({ index }) => texts[index] ?? '');
  return {
    generated: texts.join(''),
    heard: cut === undefined ? whole.join('') : (cut.personal?.heardText ?? ''),
    heardMs: cut?.payload.heardMs ?? null,
    playouts,
    terminals: mine.filter(isTerminal).map(({ type }) => type),
  };
}

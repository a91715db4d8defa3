import type { Llm, PassageIndex } from '@virtual-tutor/engine';
import type { ErrorCode, Health, SessionId } from '@virtual-tutor/schemas';
import { Access, defaultTenant } from './access.ts';
import { Audit } from './audit.ts';
import { type AvatarBuilder, AvatarBuilds } from './avatar-builds.ts';
import { Avatars } from './avatars.ts';
import type { ClipStore } from './clip-store.ts';
import { type ClearEvent, createEventCodec, decodeClear, type EventCodec, UnknownEvent } from './event-codec.ts';
import { Evidence } from './evidence.ts';
import { Handle } from './handle.ts';
import { HealthCheck } from './health.ts';
import { Knowledge } from './knowledge.ts';
import { LessonFeeds } from './lesson-feeds.ts';
import { Lessons } from './lessons.ts';
import { Library } from './library.ts';
import { createLimits, type Limits, type RateLimits } from './limits.ts';
import { Materials } from './materials.ts';
import { Media, type MediaOptions } from './media.ts';
import type { MediaPlane, SessionFact } from './media-plane.ts';
import { createTutorModels, type ModelDefaults } from './models.ts';
import type { BlobStore, Clock, EventStore, Ids, KeyVault, Leases, StoredEvent } from './ports.ts';
import { createPresentation } from './presentation.ts';
import { Privacy } from './privacy.ts';
import type { Projections, ReadModel } from './read-model.ts';
import { Replies } from './replies.ts';
import { Retention } from './retention.ts';
import { Seals, type SealsOptions } from './seals.ts';
import { Sessions } from './sessions.ts';
import { StudentExport } from './student-export.ts';
import { Tail } from './tail.ts';
import { Tokens } from './tokens.ts';
import type { TurnAccess } from './turn-access.ts';
import { Tutors } from './tutors.ts';
import { Voice } from './voice.ts';

export interface AppOptions {
  readonly store: EventStore;
  readonly seals: Omit<SealsOptions, 'events'>;
  readonly vault: KeyVault;
  readonly leases: Leases;
  readonly blobs: BlobStore;
  readonly readModel: ReadModel;
  readonly projections: Projections;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Null: switched off. */
  readonly llm: Llm | null;
  /** Answers when `llm` cannot. */
  readonly extractive: Llm;
  readonly createIndex: () => PassageIndex;
  readonly media: {
    readonly plane: MediaPlane;
    readonly turn: TurnAccess | null;
    readonly enabled: MediaOptions['enabled'];
  };
  readonly avatars: {
    readonly clips: ClipStore;
    /** Null: none here; clips wait. */
    readonly builder: AvatarBuilder | null;
    /** Between a failed build and the next attempt, ms. */
    readonly retryMs: number;
  };
  readonly models: ModelDefaults;
  /** Signs tokens; 32 bytes or more. */
  readonly tokenSecret: Uint8Array;
  readonly tokenTtlMs: number;
  readonly rates: RateLimits;
  readonly maxSessions: number;
  /** `SESSION_TIMEOUT_SECONDS`, ms. */
  readonly sessionTimeoutMs: number;
  readonly sessionIdleMs: number;
  /** Longest wait for a model's first text, and longest silence within a reply, ms. */
  readonly firstTextMs: number;
  readonly stallMs: number;
  readonly publicUrl: string;
  readonly grantUrl: string;
  readonly loopbackOnly: boolean;
  readonly node: string;
  readonly version: string;
  readonly logRunsOn: string;
  readonly readModelRunsOn: string;
  readonly onDefect: (error: unknown) => void;
  readonly onReplyFailure: (failure: { readonly sessionId: SessionId; readonly code: ErrorCode; readonly error: unknown }) => void;
}

export interface App extends AsyncDisposable {
  /** This engine is meant for browsers of its own machine alone. */
  readonly loopbackOnly: boolean;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly limits: Limits;
  readonly tokens: Tokens;
  readonly access: Access;
  readonly sessions: Sessions;
  readonly lessons: Lessons;
  readonly feeds: LessonFeeds;
  readonly media: Media;
  readonly tutors: Tutors;
  readonly knowledge: Knowledge;
  readonly avatars: Avatars;
  readonly audit: Audit;
  readonly materials: Materials;
  readonly seals: Seals;
  readonly evidence: Evidence;
  readonly privacy: Privacy;
  readonly studentExport: StudentExport;
  readonly projections: Projections;
  readonly repliesUnderWay: () => number;
  /** Sessions with voice or picture, those whose tutor is speaking, and how many there may be. */
  readonly mediaLoad: MediaPlane['load'];
  health(): Promise<Health>;
  /** For a page on the engine machine itself: all roles, for an hour. */
  signInConsole(): Promise<{ readonly token: string; readonly expiresAt: string }>;
  /** Tells how long each piece of a reply waited for its reader, ms. */
  onDelta(listener: (waitedMs: number) => void): void;
  /** Tells everything that happens to voice and picture. Returns the unsubscribe. */
  onMedia(listener: (fact: SessionFact) => void): () => void;
  /** Tells every event that can be read, in order. Returns the unsubscribe. */
  onEvent(listener: (event: ClearEvent) => void): () => void;
}

const consoleTtlMs = 3_600_000;

/** Wires the application and takes up what the node left when it stopped. */
export async function openApp(options: AppOptions): Promise<App> {
  const { store, vault, blobs, readModel, projections, clock, ids, node, onDefect } = options;
  const codec = createEventCodec(vault);
  const handle = new Handle({ store, codec, clock, ids });
  const tail = await Tail.start(store, onDefect);
  const library = new Library({ store, blobs, handle, createIndex: options.createIndex, node, onDefect });
  const deltaListeners = new Set<(waitedMs: number) => void>();
  const onDelta = (waitedMs: number) => {
    for (const listener of deltaListeners) listener(waitedMs);
  };
  const feeds = new LessonFeeds({ store, codec, tail, clock, onDelta, present: createPresentation(handle, library) });
  const voice = new Voice(options.media.plane, feeds);
  const replies = new Replies({
    ...options,
    handle,
    voice,
    feeds,
    library,
    models: createTutorModels(
      { llm: options.llm ?? options.extractive, fallback: options.llm === null ? null : options.extractive },
      options.models,
    ),
    onFailure: options.onReplyFailure,
  });
  const lessons = new Lessons({ handle, feeds, replies, voice, clock, node, maxSessions: options.maxSessions, onDefect });
  const media = new Media({ ...options.media, handle, lessons, voice, clock, node, onDefect });
  const builds = new AvatarBuilds({ ...options.avatars, handle, readModel, node, onDefect });
  const tutors: Tutors = new Tutors({ handle, readModel, projections, giveFace: (...wanted) => avatars.mayBeWorn(...wanted) });
  const avatars: Avatars = new Avatars({
    ...{ handle, codec, store, vault, tail, readModel, projections, builds, ids, clock, node, onDefect },
    clips: options.avatars.clips,
    enabled: options.media.enabled.face,
    assign: (...given) => tutors.wear(...given),
  });
  const tokens = new Tokens(options.tokenSecret, clock);
  const access = new Access({ handle, readModel, projections, ids });
  const privacy = new Privacy({ handle, lessons, feeds, store, vault, readModel, projections });
  const limits = { maxDurationMs: options.sessionTimeoutMs, idleMs: options.sessionIdleMs };
  const filmed = options.avatars.builder === null ? null : { builds, clips: options.avatars.clips };
  const health = new HealthCheck({ ...options, filmed, lessons, defaultModel: options.models.defaultModel });

  const onEvent = (listener: (event: ClearEvent) => void) => tail.onEvent((stored) => tellReadable(stored, listener));
  for (const follower of [library, lessons, media, access, privacy, builds, avatars]) onEvent((event) => follower.follow(event));
  await library.open();
  await projections.waitFor(tail.position);
  const hosted = await hostedHere(readModel, node);
  await lessons.recover(hosted);
  await media.recover(hosted);
  await avatars.recover();
  await builds.recover();
  const retention = new Retention({ ...options, handle, privacy });
  retention.start();

  return {
    loopbackOnly: options.loopbackOnly,
    clock,
    ids,
    limits: createLimits(options.rates),
    tokens,
    access,
    sessions: new Sessions({ ...options, handle, lessons, codec, tokens, limits }),
    lessons,
    feeds,
    media,
    tutors,
    avatars,
    knowledge: new Knowledge({ handle, store, tail, library, blobs, ids, readModel, projections }),
    ...readersOf(options, { handle, codec, tail }),
    privacy,
    studentExport: new StudentExport({ handle, store, codec, readModel, projections, clock }),
    projections,
    repliesUnderWay: () => replies.underWay,
    mediaLoad: () => options.media.plane.load(),
    health: () => health.read(),
    signInConsole: () => tokens.signConsole({ tenantId: defaultTenant, roles: ['operator', 'teacher', 'auditor'] }, consoleTtlMs),
    onDelta: (listener) => void deltaListeners.add(listener),
    onMedia: (listener) => options.media.plane.onFact(listener),
    onEvent,
    async [Symbol.asyncDispose]() {
      await retention.close();
      media.close();
      avatars.close();
      await builds.close();
      await lessons.close();
      await tail.close();
    },
  };
}

/** What auditors are given. */
function readersOf(
  { store, blobs, clock, version, ...options }: AppOptions,
  { handle, codec, tail }: { readonly handle: Handle; readonly codec: EventCodec; readonly tail: Tail },
) {
  const seals = new Seals({ ...options.seals, events: store });
  return {
    seals,
    audit: new Audit({ store, codec, handle, tail }),
    materials: new Materials({ handle, store, blobs }),
    evidence: new Evidence({ store, codec, seals, blobs, clock, version }),
  };
}

function tellReadable(stored: StoredEvent, listener: (event: ClearEvent) => void): void {
  try {
    listener(decodeClear(stored));
  } catch (error) {
    // A newer engine's event: this one cannot act on it, and says so where it matters.
    if (!(error instanceof UnknownEvent)) throw error;
  }
}

async function hostedHere(readModel: ReadModel, node: string) {
  const active = await readModel.activeSessions();
  return active
    .filter((session) => session.node === node)
    .map(({ sessionId, tenantId, limits, createdAt, lastMessageAt }) => ({
      sessionId,
      tenantId,
      limits,
      createdAtMs: Date.parse(createdAt),
      lastMessageAtMs: Date.parse(lastMessageAt),
    }));
}

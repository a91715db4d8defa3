import { createHash } from 'node:crypto';
import {
  AvatarBuildFailure,
  AvatarFault,
  AvatarId,
  AvatarStage,
  CommandId,
  catalogue,
  DocumentId,
  type EventCatalogue,
  EventId,
  KeyId,
  KnowledgeBaseId,
  PassageId,
  SessionId,
  type StreamName,
  StudentId,
  streams,
  TenantId,
  TurnId,
  TutorId,
} from '@virtual-tutor/schemas';
import fc from 'fast-check';
import type { ClearEvent } from '../../packages/server/src/app/event-codec.ts';
import type { EventStore, StoredEvent, StoredEventDraft } from '../../packages/server/src/app/ports.ts';

/** What happened, before it has a place in a log. */
export interface Happening {
  readonly tenantId: TenantId;
  readonly stream: StreamName;
  readonly type: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

type PayloadOf<T extends ClearEvent['type']> = Extract<ClearEvent, { readonly type: T }>['payload'];

const uuid = (kind: string, n: number) => `00000000-0000-4000-8000-${kind}${String(n).padStart(11, '0')}`;
const few = <T>(make: (n: number) => T) => fc.integer({ min: 1, max: 3 }).map(make);
const hash = few((n) => String(n).repeat(64));
const count = fc.integer({ min: 0, max: 9 });
const text = fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' }).map((value) => value.toWellFormed());
const locale = fc.constantFrom('en' as const, 'zh' as const);
const turnId = few((n) => TurnId.parse(uuid('a', n)));
const documentId = few((n) => DocumentId.parse(uuid('b', n)));
const keyId = few((n) => KeyId.parse(uuid('c', n)));
const studentId = few((n) => StudentId.parse(`student-${n}`));
const tutorId = few((n) => TutorId.parse(`tutor-${n}`));
const knowledgeBaseId = few((n) => KnowledgeBaseId.parse(`course-${n}`));
const avatarId = few((n) => AvatarId.parse(`01900000-0000-7000-8000-a0000000000${n}`));
const wordsDays = fc.integer({ min: 1, max: 365 });
const limits = fc.constant({ maxDurationMs: 3_600_000, idleMs: 600_000 });
const expiresAt = fc.constant('2026-01-01T01:00:00.000Z');
const settings = fc.record({
  name: text,
  language: locale,
  systemPrompt: text,
  llmModel: fc.option(text),
  temperature: fc.option(fc.constantFrom(0, 0.7, 2)),
  knowledgeBaseId: fc.option(knowledgeBaseId),
  greeting: text,
  voice: fc.option(text),
  face: fc.option(fc.constantFrom('ada' as const, 'xiaolan' as const)),
  avatarId: fc.option(avatarId),
});
const artifact = fc.record({
  name: fc.constantFrom('thumbnail.jpg', 'idle.webm', 'fault-1.jpg'),
  sha256: hash,
  bytes: count.map((n) => n + 1),
});
const mediaCandidate = fc.record({
  type: fc.constantFrom('host', 'relay'),
  port: fc.integer({ min: 1, max: 65_535 }),
  protocol: fc.constantFrom('udp', 'tcp'),
});

/** Of every event type there is: the compiler asks for more when the catalogue grows. */
const payloads: { readonly [T in ClearEvent['type']]: fc.Arbitrary<PayloadOf<T>> } = {
  SessionCreated: fc.record({
    tutorId,
    tutorRevision: fc.constant(1),
    studentId,
    knowledgeBaseId: fc.option(knowledgeBaseId),
    locale,
    limits,
    mode: fc.constantFrom('session', 'user'),
  }),
  JoinLinkIssued: fc.record({ linkId: keyId, codeHash: hash, expiresAt }),
  JoinLinkRedeemed: fc.record({ linkId: keyId }),
  SessionHosted: fc.record({ node: fc.constantFrom('node-1', 'node-2'), epoch: fc.integer({ min: 1, max: 9 }) }),
  SessionReleased: fc.record({ epoch: fc.constant(1), reason: fc.constantFrom('shutdown', 'ended') }),
  MessageReceived: fc.record({
    turnId,
    clientMessageId: fc.uuid(),
    modality: fc.constantFrom('text', 'voice'),
    language: locale,
    asr: fc.option(fc.record({ engine: text, model: text, asrMs: count, durationMs: count })),
  }),
  PassagesRetrieved: fc.record({
    turnId,
    knowledgeBaseId,
    knowledgeRevision: count,
    passages: fc.array(
      fc.record({
        documentId,
        passageId: documentId.map((id) => PassageId.parse(`${id}#1`)),
        contentHash: hash,
        score: fc.double({ noNaN: true, noDefaultInfinity: true }),
      }),
      { maxLength: 2 },
    ),
  }),
  ReplyStarted: fc.record({
    turnId,
    provider: text,
    model: text,
    promptHash: hash,
    temperature: fc.constant(0.7),
    tutorRevision: fc.constant(1),
    fallback: fc.option(fc.constant({ from: 'ollama', code: 'unavailable' as const })),
  }),
  ReplyResumed: fc.record({ turnId, fromIndex: count, attempt: fc.integer({ min: 1, max: 3 }) }),
  SentenceGenerated: fc.record({ turnId, index: count, citations: fc.constant([]) }),
  SentenceHeard: fc.record({
    turnId,
    index: count,
    playout: fc.constantFrom({ medium: 'text' as const }, { medium: 'voice' as const, heardMs: 900, durationMs: 1_000 }),
  }),
  ReplyCompleted: fc.record({
    turnId,
    sentences: count,
    usage: fc.option(fc.record({ promptTokens: count, completionTokens: count })),
    timings: fc.record({
      asrMs: fc.option(count),
      retrieveMs: count,
      firstTokenMs: count,
      firstAudioMs: fc.option(count),
      firstFrameMs: fc.option(count),
      totalMs: fc.constantFrom(0, 0.25, 1e6),
    }),
  }),
  ReplyInterrupted: fc.record({
    turnId,
    by: fc.constantFrom('student', 'operator', 'timeout'),
    heardSentences: count,
    discardedSentences: count,
    heardMs: fc.option(count),
  }),
  ReplyFailed: fc.record({ turnId, code: fc.constant('unavailable'), retryable: fc.boolean() }),
  MediaConnected: fc.record({ peerId: fc.uuid(), local: mediaCandidate, remote: mediaCandidate }),
  MediaDisconnected: fc.record({
    peerId: fc.uuid(),
    reason: fc.constantFrom('closed', 'replaced', 'lost', 'failed'),
    connectedMs: count,
    bytesSent: count,
  }),
  QualityChanged: fc.record({
    from: fc.constantFrom('video', 'voice', 'text'),
    to: fc.constantFrom('video', 'voice', 'text'),
    reason: fc.constant('connected'),
  }),
  SessionEnded: fc.record({ reason: fc.constantFrom('student', 'operator', 'timeout', 'idle', 'revoked') }),
  SessionWordsExpired: fc.record({ studentId, afterDays: fc.integer({ min: 1, max: 365 }) }),
  TutorConfigured: fc.record({ before: fc.option(settings), after: settings }),
  TutorRetired: fc.constant({}),
  KnowledgeBaseCreated: fc.record({ name: text }),
  DocumentAdded: fc.record({
    documentId,
    title: text,
    mime: fc.constantFrom('text/plain', 'text/markdown'),
    bytes: count,
    sha256: hash,
  }),
  DocumentIndexed: fc.record({ documentId, passages: fc.integer({ min: 1, max: 9 }), embedder: fc.constant('bigrams') }),
  DocumentRejected: fc.record({ documentId, code: fc.constantFrom('empty', 'not_utf8', 'no_passages') }),
  DocumentRemoved: fc.record({ documentId }),
  AvatarRegistered: fc.record({
    source: fc.constantFrom('upload', 'path'),
    bytes: fc.integer({ min: 1, max: 9 }),
    sha256: hash,
    node: fc.constantFrom('node-1', 'node-2'),
    tutorId: fc.option(tutorId),
    consentedAt: expiresAt,
  }),
  AvatarBuildStarted: fc.record({ attempt: fc.integer({ min: 1, max: 3 }), node: fc.constantFrom('node-1', 'node-2') }),
  AvatarBuildProgressed: fc.record({ stage: fc.constantFrom(...AvatarStage.options), fraction: fc.constantFrom(0, 0.3, 1) }),
  AvatarReady: fc.record({
    frames: fc.integer({ min: 1, max: 9 }),
    fps: fc.constant(25),
    width: fc.constant(512),
    height: fc.constant(512),
    renderer: fc.constantFrom('warp', 'musetalk'),
    quality: fc.constant({ faceHeightPx: 240, brightness: 120.5, mouthOpening: 0.01, turn: 0.1, motion: 0 }),
    artifacts: fc.array(artifact, { minLength: 1, maxLength: 3 }),
  }),
  AvatarRejected: fc.record({
    reasons: fc.array(fc.record({ code: fc.constantFrom(...AvatarFault.options), atMs: fc.option(count), picture: fc.option(artifact) }), {
      minLength: 1,
      maxLength: 2,
    }),
  }),
  AvatarBuildFailed: fc.record({
    code: fc.constantFrom(...AvatarBuildFailure.options),
    retryable: fc.boolean(),
    attempt: fc.integer({ min: 1, max: 3 }),
  }),
  AvatarAssigned: fc.record({ tutorId }),
  AvatarRevoked: fc.record({ reason: fc.constantFrom('consent_withdrawn', 'replaced', 'misuse', 'other') }),
  AvatarDeleted: fc.constant({}),
  TenantCreated: fc.record({ name: text }),
  ApiKeyIssued: fc.record({ keyId, role: fc.constantFrom('operator', 'teacher', 'auditor'), label: text, keyHash: hash }),
  ApiKeyRevoked: fc.record({ keyId }),
  RetentionConfigured: fc.record({ before: fc.option(wordsDays), after: fc.option(wordsDays) }),
  StudentExported: fc.record({ studentId }),
  StudentForgotten: fc.record({ studentId }),
};

const tenantId = fc.constantFrom('north', 'south').map((id) => TenantId.parse(id));
const streamOf = {
  session: (_: TenantId, n: number) => streams.session(SessionId.parse(`01900000-0000-7000-8000-00000000000${n}`)),
  avatar: (_: TenantId, n: number) => streams.avatar(AvatarId.parse(`01900000-0000-7000-8000-a0000000000${n}`)),
  tutor: (tenant: TenantId, n: number) => streams.tutor(tenant, TutorId.parse(`tutor-${n}`)),
  knowledge: (tenant: TenantId, n: number) => streams.knowledge(tenant, KnowledgeBaseId.parse(`course-${n}`)),
  tenant: (tenant: TenantId, _: number) => streams.tenant(tenant),
};

function happeningsOf(category: keyof typeof streamOf, types: readonly ClearEvent['type'][]): fc.Arbitrary<Happening> {
  return fc
    .tuple(tenantId, fc.integer({ min: 1, max: 3 }), fc.oneof(...types.map((type) => payloads[type].map((payload) => ({ type, payload })))))
    .map(([tenant, n, { type, payload }]) => ({ tenantId: tenant, stream: streamOf[category](tenant, n), type, payload: { ...payload } }));
}

/** Any events in any order, sensible or not: a fold has an answer to all of them. */
export const history: fc.Arbitrary<readonly Happening[]> = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: happeningsOf('session', [
        'SessionCreated',
        'JoinLinkIssued',
        'JoinLinkRedeemed',
        'SessionHosted',
        'SessionReleased',
        'MessageReceived',
        'PassagesRetrieved',
        'ReplyStarted',
        'ReplyResumed',
        'SentenceGenerated',
        'SentenceHeard',
        'ReplyCompleted',
        'ReplyInterrupted',
        'ReplyFailed',
        'MediaConnected',
        'MediaDisconnected',
        'QualityChanged',
        'SessionEnded',
        'SessionWordsExpired',
      ]),
    },
    {
      weight: 2,
      arbitrary: happeningsOf('avatar', [
        'AvatarRegistered',
        'AvatarBuildStarted',
        'AvatarBuildProgressed',
        'AvatarReady',
        'AvatarRejected',
        'AvatarBuildFailed',
        'AvatarAssigned',
        'AvatarRevoked',
        'AvatarDeleted',
      ]),
    },
    { weight: 1, arbitrary: happeningsOf('tutor', ['TutorConfigured', 'TutorRetired']) },
    {
      weight: 2,
      arbitrary: happeningsOf('knowledge', [
        'KnowledgeBaseCreated',
        'DocumentAdded',
        'DocumentIndexed',
        'DocumentRejected',
        'DocumentRemoved',
      ]),
    },
    {
      weight: 1,
      arbitrary: happeningsOf('tenant', [
        'TenantCreated',
        'ApiKeyIssued',
        'ApiKeyRevoked',
        'RetentionConfigured',
        'StudentExported',
        'StudentForgotten',
      ]),
    },
  ),
  { minLength: 40, maxLength: 120, size: 'max' },
);

const versions = new Map(
  Object.values<EventCatalogue>(catalogue).flatMap((events) =>
    Object.entries(events).map(([type, { version }]) => [type, version] as const),
  ),
);
let made = 0;

export function draftOf({ tenantId: tenant, type, payload }: Omit<Happening, 'stream'>): StoredEventDraft {
  made += 1;
  const id = uuid('e', made);
  return {
    id: EventId.parse(id),
    type,
    schemaVersion: versions.get(type) ?? 1,
    payload,
    sealed: null,
    keyId: null,
    meta: {
      tenantId: tenant,
      actor: { kind: 'system', id: 'test' },
      causationId: id,
      correlationId: id,
      occurredAt: new Date(Date.UTC(2026, 0, 1) + made * 1_000).toISOString(),
    },
  };
}

/** Position of the last one. */
export async function append(store: EventStore, happenings: readonly Happening[]): Promise<number> {
  let position = await store.head();
  for (const [stream, run] of runsOf(happenings)) {
    const events = run.map(draftOf);
    const commandId = CommandId.parse(events[0]?.id.replace('-e', '-d'));
    const fingerprint = createHash('sha256').update(commandId).digest('hex');
    const result = await store.append({ commandId, stream, expected: 'any', events, fingerprint });
    if (result.status !== 'appended') throw new Error(`the log answered ${result.status}`);
    position = result.lastPosition;
  }
  return position;
}

/** Neighbours of one stream travel together, in order. */
function runsOf(happenings: readonly Happening[]): readonly (readonly [StreamName, readonly Happening[]])[] {
  const runs: [StreamName, Happening[]][] = [];
  for (const one of happenings) {
    const last = runs.at(-1);
    if (last !== undefined && last[0] === one.stream && last[1].length < 100) last[1].push(one);
    else runs.push([one.stream, [one]]);
  }
  return runs;
}

/** The whole log of a store. */
export async function wholeLog(store: EventStore): Promise<readonly StoredEvent[]> {
  const events: StoredEvent[] = [];
  for (;;) {
    const page = await store.readAll({ after: events.length, limit: 1_000 });
    if (page.length === 0) return events;
    events.push(...page);
  }
}

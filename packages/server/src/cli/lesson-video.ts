import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { LessonScore, RenderedLesson } from '@virtual-tutor/engine/lesson-video';
import {
  type AuditedEvent,
  type AvatarId,
  catalogue,
  type EventDefinition,
  type SessionEvent,
  type SessionId,
  upcast,
  type Appearance as WasSeen,
} from '@virtual-tutor/schemas';
import type { EngineClient } from './engine-client.ts';
import { readEvents } from './replay.ts';
import { UsageError } from './usage-error.ts';

/** What the log has of a session. */
export interface LoggedLesson {
  readonly sessionId: SessionId;
  readonly events: readonly AuditedEvent[];
  readonly seen: readonly WasSeen[];
}

export interface VideoRequest {
  /** The MP4 to write. */
  readonly path: string;
  /** `AVATARS_DIR`: films are read from this machine's disk. */
  readonly avatarsFolder: string;
}

export interface VideoReport extends Pick<RenderedLesson, 'durationMs' | 'sentences'> {
  readonly sessionId: SessionId;
  /** Of the last event that it shows. */
  readonly revision: number;
  readonly file: string;
  readonly bytes: number;
  /** The same lesson, rendered again, has the same. */
  readonly sha256: string;
  readonly renderMs: number;
  /** Length of the lesson over the time that it took. */
  readonly realTimeFactor: number;
  /** Heard then, silent now. */
  readonly silent: RenderedLesson['silent'];
  /** Spoken by another voice than then, in the time that each had: how many sentences. */
  readonly otherVoice: number;
  /** Films in whose place a drawn tutor is seen. */
  readonly films: readonly { readonly avatarId: AvatarId; readonly why: string }[];
}

/** `at`: not beyond this revision. */
export async function readLesson(
  client: EngineClient,
  { sessionId, at }: { readonly sessionId: SessionId; readonly at: number | undefined },
) {
  const events = (await readEvents(client, sessionId)).filter(({ revision }) => at === undefined || revision <= at);
  return { sessionId, events, seen: await client.audit.appearances.query({ sessionId }) } satisfies LoggedLesson;
}

/** Shows a lesson again as a video, from the log alone. */
export async function lessonVideo({ sessionId, events, seen }: LoggedLesson, { path, avatarsFolder }: VideoRequest): Promise<VideoReport> {
  // An absolute path is no address of any protocol.
  const file = resolve(path);
  // Speech and picture are loaded only here.
  const { lessonScore, renderLesson } = await import('@virtual-tutor/engine/lesson-video');
  const score = lessonScore(events.map((event) => ({ atMs: Date.parse(event.occurredAt), event: sessionEventOf(event) })));
  if (score.durationMs === 0) throw new UsageError('nothing has happened in this session yet');
  const lesson = { score, appearances: appearancesIn(score, { events, seen }), avatarsFolder };
  const unfinished = `${file}.part`;
  await makePrivate(unfinished);
  const startedAt = performance.now();
  try {
    const rendered = await renderLesson({ ...lesson, path: unfinished });
    const renderMs = Math.round(performance.now() - startedAt);
    await rename(unfinished, file);
    const { durationMs, sentences, silent, films } = rendered;
    const lastRevision = events.at(-1)?.revision ?? 0;
    return {
      ...{ sessionId, revision: lastRevision, file, bytes: (await stat(file)).size, sha256: await sha256Of(file) },
      ...{ durationMs, renderMs, realTimeFactor: Math.round((durationMs / renderMs) * 10) / 10, sentences, silent },
      otherVoice: sentences.filter(({ fit }) => fit === 'cut_off' || fit === 'padded').length,
      films: [...notShown(seen.filter(({ revision }) => revision <= lastRevision)), ...films],
    };
  } finally {
    await rm(unfinished, { force: true });
  }
}

/** For people. */
export function describeVideo({ file, durationMs, sentences, sha256, realTimeFactor, silent, otherVoice, films }: VideoReport): string {
  const spoken = sentences.filter(({ medium }) => medium === 'voice').length;
  return [
    `${file}: ${(durationMs / 1_000).toFixed(3)} s, ${spoken} sentences spoken, ${sentences.length - spoken} written; ${realTimeFactor} times as fast as the lesson`,
    `sha256 ${sha256}`,
    ...(otherVoice === 0
      ? []
      : [`${otherVoice} sentences have another voice than then, each in the time that it had: cut off, or followed by silence`]),
    ...(silent.length === 0 ? [] : [`${silent.length} sentences are silent: ${[...new Set(silent.map(({ why }) => why))].join(', ')}`]),
    ...films.map(({ avatarId, why }) => `the drawn tutor stands in for avatar ${avatarId}: ${why}`),
  ].join('\n');
}

const sessionCatalogue: Readonly<Record<string, EventDefinition>> = catalogue.session;

/** An audited event as this version knows it. */
export function sessionEventOf({ type, schemaVersion, payload, personal, revision }: AuditedEvent): SessionEvent {
  const definition = sessionCatalogue[type];
  if (definition === undefined || schemaVersion > definition.version)
    throw new UsageError(`event ${revision} is a ${type} v${schemaVersion}, which this version does not know: upgrade it`);
  const parsed = definition.payload.parse(upcast(definition, schemaVersion, payload));
  // The catalogue ties the type's name to its schemas; the compiler cannot follow that through the look-up.
  return { type, payload: parsed, personal } as unknown as SessionEvent;
}

/** Those of the events that are shown. */
function appearancesIn(
  { startedAtMs }: LessonScore,
  { events, seen }: { readonly events: readonly AuditedEvent[]; readonly seen: readonly WasSeen[] },
) {
  return seen.flatMap(({ revision, voice, face, film }) => {
    const opened = events.find((event) => event.revision === revision);
    if (opened === undefined) return [];
    const fromMs = Math.max(0, Date.parse(opened.occurredAt) - startedAtMs);
    return [{ fromMs, voice, character: face, film: film?.status === 'ready' ? film : null }];
  });
}

/** Each film once, however often it was put on. */
function notShown(seen: readonly WasSeen[]): VideoReport['films'] {
  const films = new Map(seen.flatMap(({ film }) => (film === null || film.status === 'ready' ? [] : [[film.avatarId, film.status]])));
  return [...films].map(([avatarId, why]) => ({ avatarId, why }));
}

/** It will hold a student's words. */
async function makePrivate(path: string): Promise<void> {
  try {
    const file = await open(path, 'w', 0o600);
    await file.close();
  } catch (error) {
    throw new UsageError('the file of --video cannot be written: is its folder there, and yours?', { cause: error });
  }
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path)) hash.update(piece);
  return hash.digest('hex');
}

import {
  type AuditedEvent,
  createTutorClient,
  type Grant,
  signInOnLoopback,
  type TurnEvent,
  type TutorClient,
  type TutorSession,
} from '@virtual-tutor/sdk';
import { connectSession } from '@virtual-tutor/sdk/browser';
import type { RunningEngine } from './engine.ts';

/** The page's own credential on loopback: every role. */
export async function consoleClient(engine: RunningEngine): Promise<TutorClient> {
  const { token } = await signInOnLoopback(engine.url);
  return createTutorClient({ url: engine.url, apiKey: token });
}

export interface Joined extends AsyncDisposable {
  readonly sessionId: string;
  readonly grant: Grant;
  readonly session: TutorSession;
}

/** A lesson, joined over a socket; the token is asked for anew as a web server's page would. */
export async function joinLesson(
  client: TutorClient,
  lesson: { readonly tutorId?: string; readonly studentId?: string } = {},
): Promise<Joined> {
  const { session, grant } = await client.sessions.create({ tutorId: lesson.tutorId ?? 'ada', studentId: lesson.studentId ?? 'student-1' });
  const joined = await connectSession({
    url: grant.url,
    sessionId: session.id,
    token: grant.token,
    reconnect: { nextDelayMs: ({ elapsedMs }) => (elapsedMs > 60_000 ? null : 100) },
  });
  return { sessionId: session.id, grant, session: joined, [Symbol.asyncDispose]: () => joined.close() };
}

export async function eventsOf(client: TutorClient, sessionId: string): Promise<AuditedEvent[]> {
  const events: AuditedEvent[] = [];
  for await (const event of client.audit.events(sessionId)) events.push(event);
  return events;
}

export const terminal = new Set(['ReplyCompleted', 'ReplyInterrupted', 'ReplyFailed']);

/** The text that the deltas of a turn add up to, the way a page would show it. */
export function shownText(events: readonly TurnEvent[]): string {
  const sentences: string[] = [];
  for (const event of events) {
    if (event.type === 'text') sentences[event.index] = (sentences[event.index] ?? '') + event.delta;
    if (event.type === 'rewrite') sentences[event.index] = event.text;
  }
  return sentences.join('');
}

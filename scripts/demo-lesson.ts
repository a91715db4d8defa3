import { stdout } from 'node:process';
import { styleText } from 'node:util';
import type { Session, Turn, TutorClient, TutorSession, ViewedTurn } from '@virtual-tutor/sdk';
import { connectSession } from '@virtual-tutor/sdk/browser';
import type { DemoLesson, Question } from './demo-script.ts';

export interface Asked {
  /** From the question to the first text on this side, ms. */
  readonly firstTokenMs: number;
  readonly replyMs: number;
  readonly reason: 'completed' | 'interrupted' | 'failed';
  /** Passages of the course that the reply names. */
  readonly citations: number;
  /** The pieces joined are the reply that the log holds. */
  readonly whole: boolean;
}

export interface HeldLesson {
  readonly asked: readonly Asked[];
  /** In the session's log. */
  readonly events: number;
  /** How often the connection came back. */
  readonly resumed: number;
  /** Null: the key may not audit. */
  readonly verdict: 'intact' | 'broken' | null;
}

/** Pieces of a reply after which the demo breaks its connection. */
const cutAfterPieces = 12;
/** The second: the first only says where the rest is from. */
const interruptAtSentence = 1;
const dim = (text: string) => styleText('dim', text);

/** One lesson from beginning to end, as a student's page and a school's server would hold it together. */
export async function holdLesson(client: TutorClient, { tutorId, questions }: DemoLesson, signal: AbortSignal): Promise<HeldLesson> {
  const { session: created, grant } = await client.sessions.create({ tutorId, studentId: 'demo-student' }, { signal });
  const sockets: WebSocket[] = [];
  class KeptWebSocket extends WebSocket {
    constructor(url: string | URL) {
      super(url);
      sockets.push(this);
    }
  }
  let resumed = 0;
  await using session = await connectSession({
    url: grant.url,
    sessionId: grant.sessionId,
    token: async () => (await client.sessions.issueToken(created.id, { signal })).token,
    WebSocket: KeptWebSocket,
    signal,
  });
  session.on('resumed', () => {
    resumed += 1;
    stdout.write(dim(' [back, nothing lost] '));
  });
  console.log(`${styleText('bold', session.view.tutorName ?? tutorId)}  ${session.view.greeting ?? ''}`);
  const asked: Asked[] = [];
  for (const question of questions) asked.push(await ask(session, question, () => sockets.at(-1)?.close()));
  const ended = new Promise((resolve) => session.on('ended', resolve));
  await client.sessions.end(created.id, { signal });
  await ended;
  console.log(dim('  [the lesson has ended]\n'));
  return { asked, events: revisionOf(session), resumed, verdict: await verdictOf(client, created, signal) };
}

async function ask(session: TutorSession, question: Question, cut: () => void): Promise<Asked> {
  console.log(`\n${styleText('bold', 'You')}  ${question.text}`);
  const startedAt = performance.now();
  const turn = session.chat.send(question.text);
  const { shown, firstTextAt } = await show(turn, question, cut);
  const replyMs = performance.now() - startedAt;
  const replied = session.view.turns.find(({ clientMessageId }) => clientMessageId === turn.clientMessageId);
  if (replied === undefined || replied.status === 'waiting' || replied.status === 'replying') throw new Error('the reply did not end');
  const interrupted = replied.status === 'interrupted';
  stdout.write(interrupted ? dim(' [interrupted]\n') : '\n');
  const cited = citedBy(replied);
  for (const title of new Set(cited.map(({ title }) => title))) console.log(dim(`  from: ${title}`));
  return {
    firstTokenMs: firstTextAt === null ? Number.NaN : firstTextAt - startedAt,
    replyMs,
    reason: replied.status,
    citations: cited.length,
    whole: interrupted ? shown.startsWith(replied.reply) : shown === replied.reply,
  };
}

/** Prints the reply as it comes, and does in the middle of it what the question is to try. */
async function show(turn: Turn, { event }: Question, cut: () => void) {
  const sentences: string[] = [];
  let firstTextAt: number | null = null;
  let pieces = 0;
  for await (const happening of turn) {
    if (happening.type === 'rewrite') sentences[happening.index] = happening.text;
    if (happening.type === 'sentence' && event === 'interrupt' && happening.index === interruptAtSentence) await turn.cancel();
    if (happening.type !== 'text') continue;
    firstTextAt ??= performance.now();
    sentences[happening.index] = (sentences[happening.index] ?? '') + happening.delta;
    stdout.write(happening.delta);
    pieces += 1;
    if (event !== 'cut' || pieces !== cutAfterPieces) continue;
    stdout.write(dim(' [connection cut] '));
    cut();
  }
  return { shown: sentences.join(''), firstTextAt };
}

function citedBy({ sentences, passages }: ViewedTurn) {
  const cited = new Set(sentences.flatMap(({ citations }) => citations));
  return passages.filter(({ passageId, title }) => cited.has(passageId) && title !== null);
}

/** Feed ids are `revision.delta`; revisions count the session's events. */
function revisionOf({ lastEventId }: TutorSession): number {
  return Number(lastEventId?.split('.')[0] ?? 0);
}

async function verdictOf(client: TutorClient, { id }: Session, signal: AbortSignal): Promise<HeldLesson['verdict']> {
  const { roles } = await client.whoami({ signal });
  return roles.includes('auditor') ? (await client.audit.verify(id, { signal })).verdict : null;
}

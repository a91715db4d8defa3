import type { Quality, SessionEvent, SessionState, TurnId } from '@virtual-tutor/schemas';
import { session } from '../../domain/session.ts';

type PayloadOf<T extends SessionEvent['type']> = Extract<SessionEvent, { readonly type: T }>['payload'];
export type Opening = PayloadOf<'SessionCreated'>;

/** What the fold does not keep of a turn. */
export interface TurnFacts {
  /** Voice or picture reached the student when the reply began. */
  readonly spoken: boolean;
  readonly retrieved: PayloadOf<'PassagesRetrieved'> | null;
  readonly started: PayloadOf<'ReplyStarted'> | null;
  readonly timings: PayloadOf<'ReplyCompleted'>['timings'] | null;
}

export interface LessonTurns {
  readonly opening: Opening;
  readonly state: Exclude<SessionState, { status: 'absent' }>;
  readonly facts: ReadonlyMap<TurnId, TurnFacts>;
}

const nothing: TurnFacts = { spoken: false, retrieved: null, started: null, timings: null };

/** A lesson by its turns; null: these are not the events of one. */
export function lessonTurns(events: readonly SessionEvent[]): LessonTurns | null {
  const [created] = events;
  if (created?.type !== 'SessionCreated') return null;
  const state = events.reduce(session.evolve, session.initial);
  if (state.status === 'absent') return null;
  const facts = new Map<TurnId, TurnFacts>();
  const add = (turnId: TurnId, more: Partial<TurnFacts>) => facts.set(turnId, { ...(facts.get(turnId) ?? nothing), ...more });
  let quality: Quality = 'text';
  for (const { type, payload } of events) {
    if (type === 'QualityChanged') quality = payload.to;
    if (type === 'PassagesRetrieved') add(payload.turnId, { retrieved: payload });
    if (type === 'ReplyStarted') add(payload.turnId, { started: payload, spoken: quality !== 'text' });
    if (type === 'ReplyCompleted') add(payload.turnId, { timings: payload.timings });
  }
  return { opening: created.payload, state, facts };
}

/** Revisions of tutor and course that the lesson's answers were made of. */
export function revisionsIn({ opening, facts }: LessonTurns): { readonly tutor: readonly number[]; readonly course: readonly number[] } {
  const all = [...facts.values()];
  return {
    tutor: [...new Set([opening.tutorRevision, ...all.flatMap(({ started }) => started?.tutorRevision ?? [])])],
    course: [...new Set(all.flatMap(({ retrieved }) => retrieved?.knowledgeRevision ?? []))],
  };
}

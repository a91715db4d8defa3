import type {
  AvatarEvent,
  KnowledgeEvent,
  NewAvatarEvent,
  NewKnowledgeEvent,
  NewSessionEvent,
  NewTenantEvent,
  NewTutorEvent,
  SessionEvent,
  SessionState,
  TenantEvent,
  TutorEvent,
} from '@virtual-tutor/schemas';
import { AvatarId, catalogue, type EventCatalogue, idOf } from '@virtual-tutor/schemas';
import { type AvatarCommand, type AvatarState, avatar } from '../domain/avatar.ts';
import { type KnowledgeCommand, type KnowledgeState, knowledgeBase } from '../domain/knowledge-base.ts';
import { type SessionCommand, session } from '../domain/session.ts';
import { type TenantCommand, type TenantState, tenant } from '../domain/tenant.ts';
import { type TutorCommand, type TutorState, tutor } from '../domain/tutor.ts';
import type { DomainEvent } from './event-codec.ts';
import type { Aggregate } from './folds.ts';

/** Narrows an event to its category by name: the codec has already parsed it against the same catalogue. */
function narrow<E extends DomainEvent>(events: EventCatalogue): (event: DomainEvent) => E {
  return (event) => {
    if (!(event.type in events)) throw new Error(`${event.type} does not belong to this kind of stream`);
    return event as E;
  };
}

export const sessions: Aggregate<SessionState, SessionCommand, SessionEvent, NewSessionEvent> = {
  ...session,
  subjectOf: (state, stream) => (state.status === 'absent' ? null : { subjectId: state.studentId, part: idOf(stream) }),
  eventOf: narrow(catalogue.session),
};

/** The person who is seen has a data key of her own; a colon cannot be in a student's id. */
export function subjectOfAvatar(avatarId: AvatarId): string {
  return `avatar:${avatarId}`;
}

export const avatars: Aggregate<AvatarState, AvatarCommand, AvatarEvent, NewAvatarEvent> = {
  ...avatar,
  subjectOf: (_state, stream) => ({ subjectId: subjectOfAvatar(AvatarId.parse(idOf(stream))) }),
  eventOf: narrow(catalogue.avatar),
};

export const tutors: Aggregate<TutorState, TutorCommand, TutorEvent, NewTutorEvent> = {
  ...tutor,
  subjectOf: () => null,
  eventOf: narrow(catalogue.tutor),
};

export const knowledgeBases: Aggregate<KnowledgeState, KnowledgeCommand, KnowledgeEvent, NewKnowledgeEvent> = {
  ...knowledgeBase,
  subjectOf: () => null,
  eventOf: narrow(catalogue.knowledge),
};

export const tenants: Aggregate<TenantState, TenantCommand, TenantEvent, NewTenantEvent> = {
  ...tenant,
  subjectOf: () => null,
  eventOf: narrow(catalogue.tenant),
};

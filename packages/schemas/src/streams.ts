import { type AvatarId, type KnowledgeBaseId, type SessionId, StreamName, type TenantId, type TutorId } from './ids.ts';

/** How ids become stream names. Tutors and knowledge bases are named by their school, so the tenant is part of theirs. */
export const streams = {
  session: (id: SessionId): StreamName => StreamName.parse(`session-${id}`),
  avatar: (id: AvatarId): StreamName => StreamName.parse(`avatar-${id}`),
  tutor: (tenant: TenantId, id: TutorId): StreamName => StreamName.parse(`tutor-${tenant}:${id}`),
  knowledge: (tenant: TenantId, id: KnowledgeBaseId): StreamName => StreamName.parse(`knowledge-${tenant}:${id}`),
  tenant: (id: TenantId): StreamName => StreamName.parse(`tenant-${id}`),
};

export type StreamCategory = keyof typeof streams;

/** `session-0192…` is of category `session`. */
export function categoryOf(stream: StreamName): StreamCategory {
  const category = stream.slice(0, stream.indexOf('-'));
  if (isCategory(category)) return category;
  throw new Error(`stream of an unknown category: ${category}`);
}

function isCategory(name: string): name is StreamCategory {
  return Object.hasOwn(streams, name);
}

/** The id behind the category: `tutor-school:ada` is `ada`. */
export function idOf(stream: StreamName): string {
  const name = stream.slice(stream.indexOf('-') + 1);
  const colon = name.indexOf(':');
  return colon === -1 ? name : name.slice(colon + 1);
}

import { z } from 'zod';

/**
 * Ids are branded so that a session's id can never be passed where a turn's is meant.
 * Session, avatar and event ids are UUIDs; tutors, knowledge bases, tenants and students carry
 * names that their school chose.
 */
const slug = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/, 'use letters, digits, "_", "." and "-", starting with a letter or digit');

export const SessionId = z.uuidv7().brand<'SessionId'>();
export type SessionId = z.infer<typeof SessionId>;

export const AvatarId = z.uuidv7().brand<'AvatarId'>();
export type AvatarId = z.infer<typeof AvatarId>;

/** One student utterance and the tutor's reply. Derived from the session and `clientMessageId`, so a resend is the same turn. */
export const TurnId = z.uuid().brand<'TurnId'>();
export type TurnId = z.infer<typeof TurnId>;

export const TutorId = slug.brand<'TutorId'>();
export type TutorId = z.infer<typeof TutorId>;

export const KnowledgeBaseId = slug.brand<'KnowledgeBaseId'>();
export type KnowledgeBaseId = z.infer<typeof KnowledgeBaseId>;

export const DocumentId = z.uuid().brand<'DocumentId'>();
export type DocumentId = z.infer<typeof DocumentId>;

/** `<documentId>#<ordinal>`: the same document is always cut into the same passages. */
export const PassageId = z
  .string()
  .regex(/^[0-9a-f-]{36}#\d{1,6}$/)
  .brand<'PassageId'>();
export type PassageId = z.infer<typeof PassageId>;

export const TenantId = slug.brand<'TenantId'>();
export type TenantId = z.infer<typeof TenantId>;

/** Opaque: the school's own pseudonym for a student. Never a name or an e-mail address. */
export const StudentId = slug.brand<'StudentId'>();
export type StudentId = z.infer<typeof StudentId>;

export const KeyId = z.uuid().brand<'KeyId'>();
export type KeyId = z.infer<typeof KeyId>;

export const EventId = z.uuid().brand<'EventId'>();
export type EventId = z.infer<typeof EventId>;

/** Identifies one intention; appending it twice has one effect and one answer. */
export const CommandId = z.uuid().brand<'CommandId'>();
export type CommandId = z.infer<typeof CommandId>;

/** `session-<uuidv7>`, `avatar-<uuidv7>`, `tutor-<tenant>:<id>`, `knowledge-<tenant>:<id>`, `tenant-<id>`. */
export const StreamName = z
  .string()
  .min(3)
  .max(160)
  .regex(/^(session|avatar|tutor|knowledge|tenant)-[A-Za-z0-9_.:-]+$/)
  .brand<'StreamName'>();
export type StreamName = z.infer<typeof StreamName>;

/** Lower-case hex SHA-256. */
export const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** BCP 47 language of a lesson. */
export const Locale = z.enum(['en', 'zh']);
export type Locale = z.infer<typeof Locale>;

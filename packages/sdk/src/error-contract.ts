export type ErrorCode =
  | 'unauthorized'
  | 'forbidden'
  | 'not_found'
  | 'conflict'
  | 'command_reused'
  | 'invalid_input'
  | 'payload_too_large'
  | 'rate_limited'
  | 'capacity_exceeded'
  | 'session_ended'
  | 'nothing_to_interrupt'
  | 'resume_expired'
  | 'student_forgotten'
  | 'avatar_not_ready'
  | 'link_used'
  | 'relay_unavailable'
  | 'media_blocked'
  | 'media_unavailable'
  | 'model_unavailable'
  | 'unavailable'
  | 'timeout'
  | 'aborted'
  | 'upgrade_required'
  | 'internal';

export interface TutorErrorShape extends Error {
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly retryAfterMs?: number;
  readonly requestId?: string;
}

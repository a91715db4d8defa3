import { z } from 'zod';

/**
 * The one table of error codes: domain refusals, HTTP statuses, the SDK's union and the page's
 * sentences all come from these rows. `trpc` is the transport's key, `retryable` whether the same
 * call may succeed later without a change by the caller.
 */
export const errorCodes = {
  unauthorized: { trpc: 'UNAUTHORIZED', retryable: false },
  forbidden: { trpc: 'FORBIDDEN', retryable: false },
  not_found: { trpc: 'NOT_FOUND', retryable: false },
  conflict: { trpc: 'CONFLICT', retryable: true },
  command_reused: { trpc: 'CONFLICT', retryable: false },
  invalid_input: { trpc: 'BAD_REQUEST', retryable: false },
  payload_too_large: { trpc: 'PAYLOAD_TOO_LARGE', retryable: false },
  rate_limited: { trpc: 'TOO_MANY_REQUESTS', retryable: true },
  capacity_exceeded: { trpc: 'TOO_MANY_REQUESTS', retryable: true },
  session_ended: { trpc: 'PRECONDITION_FAILED', retryable: false },
  nothing_to_interrupt: { trpc: 'PRECONDITION_FAILED', retryable: false },
  resume_expired: { trpc: 'PRECONDITION_FAILED', retryable: false },
  student_forgotten: { trpc: 'PRECONDITION_FAILED', retryable: false },
  avatar_not_ready: { trpc: 'PRECONDITION_FAILED', retryable: false },
  link_used: { trpc: 'PRECONDITION_FAILED', retryable: false },
  relay_unavailable: { trpc: 'SERVICE_UNAVAILABLE', retryable: true },
  media_blocked: { trpc: 'BAD_REQUEST', retryable: false },
  media_unavailable: { trpc: 'SERVICE_UNAVAILABLE', retryable: false },
  model_unavailable: { trpc: 'SERVICE_UNAVAILABLE', retryable: true },
  unavailable: { trpc: 'SERVICE_UNAVAILABLE', retryable: true },
  timeout: { trpc: 'TIMEOUT', retryable: true },
  aborted: { trpc: 'CLIENT_CLOSED_REQUEST', retryable: false },
  upgrade_required: { trpc: 'PRECONDITION_FAILED', retryable: false },
  internal: { trpc: 'INTERNAL_SERVER_ERROR', retryable: false },
} as const satisfies Record<string, { readonly trpc: string; readonly retryable: boolean }>;

export type ErrorCode = keyof typeof errorCodes;
export const ErrorCode = z.enum(Object.keys(errorCodes) as [ErrorCode, ...ErrorCode[]]);

/** `error.data.tutor` of every refused call. `message` is static text plus limits: never a learner's words. */
export const WireError = z.object({
  code: ErrorCode,
  message: z.string(),
  retryable: z.boolean(),
  /** When to try again, ms from now. */
  retryAfterMs: z.number().int().nonnegative().optional(),
  requestId: z.string(),
});
export type WireError = z.infer<typeof WireError>;

/** Close codes of the data-plane WebSocket (RFC 6455 section 7.4.2: 4000-4999 are the application's). */
export const closeCodes = {
  /** The token expired or was revoked: get a new one and resume. */
  tokenExpired: 4401,
  /** The session has ended: do not come back. */
  sessionEnded: 4410,
  /** The reader was too slow or idle: reconnect and resume from the last event id. */
  slowConsumer: 4408,
  /** The engine is going away: reconnect and resume. */
  goingAway: 1001,
} as const;

import type { ErrorCode, TutorErrorShape } from './error-contract.ts';

/** Whether the same call may succeed later without a change by the caller, where the engine did not say. */
export const retryableByCode: Readonly<Record<ErrorCode, boolean>> = {
  unauthorized: false,
  forbidden: false,
  not_found: false,
  conflict: true,
  command_reused: false,
  invalid_input: false,
  payload_too_large: false,
  rate_limited: true,
  capacity_exceeded: true,
  session_ended: false,
  nothing_to_interrupt: false,
  resume_expired: false,
  student_forgotten: false,
  avatar_not_ready: false,
  link_used: false,
  relay_unavailable: true,
  media_blocked: false,
  media_unavailable: false,
  model_unavailable: true,
  unavailable: true,
  timeout: true,
  aborted: false,
  upgrade_required: false,
  internal: false,
};

export interface TutorErrorDetails {
  readonly retryable?: boolean | undefined;
  /** When to try again, ms from now. */
  readonly retryAfterMs?: number | undefined;
  readonly requestId?: string | undefined;
  readonly cause?: unknown;
}

// Registered, so that two copies of this package know each other's errors, which `instanceof` does not.
const brand: unique symbol = Symbol.for('@virtual-tutor/sdk/TutorError');

/** The one error of this package. */
export class TutorError extends Error implements TutorErrorShape {
  override readonly name: string = 'TutorError';
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly retryAfterMs?: number;
  readonly requestId?: string;
  readonly [brand] = true;

  constructor(code: ErrorCode, message: string, details: TutorErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.retryable = details.retryable ?? retryableByCode[code];
    if (details.retryAfterMs !== undefined) this.retryAfterMs = details.retryAfterMs;
    if (details.requestId !== undefined) this.requestId = details.requestId;
  }

  static is(error: unknown): error is TutorError {
    return typeof error === 'object' && error !== null && brand in error;
  }
}

/** The connection broke before an answer came: the same command may be sent again on the next one. */
export class LinkLost extends TutorError {
  constructor(message: string, cause?: unknown) {
    super('unavailable', message, { cause });
  }
}

export function aborted(cause?: unknown): TutorError {
  return new TutorError('aborted', 'the caller stopped this', { cause });
}

/** Anything thrown, as a `TutorError`: what is not known here is a network that did not answer. */
export function asTutorError(error: unknown): TutorError {
  if (TutorError.is(error)) return error;
  if (error instanceof Error && error.name === 'AbortError') return aborted(error);
  return new TutorError('unavailable', 'the engine cannot be reached', { cause: error });
}

function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(retryableByCode, value);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** The engine's own account of a refusal; null when this is not one. A code of a newer engine is `internal` here. */
export function fromWire(wire: unknown): TutorError | null {
  if (!isRecord(wire) || typeof wire['message'] !== 'string') return null;
  const { code, message, retryable, retryAfterMs, requestId } = wire;
  return new TutorError(isErrorCode(code) ? code : 'internal', message, {
    retryable: typeof retryable === 'boolean' ? retryable : undefined,
    retryAfterMs: typeof retryAfterMs === 'number' ? retryAfterMs : undefined,
    requestId: typeof requestId === 'string' ? requestId : undefined,
  });
}

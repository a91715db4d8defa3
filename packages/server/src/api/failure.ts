import { TRPCError } from '@trpc/server';
import { type ErrorCode, errorCodes, type WireError } from '@virtual-tutor/schemas';
import { ZodError } from 'zod';
import { StoreUnavailable } from '../app/ports.ts';
import type { Refusal } from '../domain/decision.ts';

/** A refusal on its way to the caller. */
class Refused extends Error {
  override readonly name = 'Refused';
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

/** The tRPC error that says this refusal. Throw it. */
export function failure(refusal: Refusal): TRPCError {
  return new TRPCError({ code: errorCodes[refusal.code].trpc, message: refusal.message, cause: new Refused(refusal) });
}

export function failWith(code: ErrorCode, message: string): TRPCError {
  return failure({ code, message });
}

/** tRPC's own errors, thrown before any of our code runs. */
const ofTransport: Partial<Record<TRPCError['code'], Refusal>> = {
  PARSE_ERROR: { code: 'invalid_input', message: 'the request is not valid JSON' },
  NOT_FOUND: { code: 'not_found', message: 'there is no such procedure' },
  METHOD_NOT_SUPPORTED: { code: 'invalid_input', message: 'use GET for queries and POST for mutations' },
  PAYLOAD_TOO_LARGE: { code: 'payload_too_large', message: 'the request is larger than this engine takes' },
  UNSUPPORTED_MEDIA_TYPE: { code: 'invalid_input', message: 'send application/json' },
  CLIENT_CLOSED_REQUEST: { code: 'aborted', message: 'the caller went away' },
  TIMEOUT: { code: 'timeout', message: 'this took too long: try again' },
};

const defect: Refusal = { code: 'internal', message: 'something is broken in the engine: tell its operator the request id' };
const unreachable: Refusal = {
  code: 'unavailable',
  message: 'the event log cannot be reached: try again with the same idempotency key',
  retryAfterMs: 1_000,
};

function invalid(error: ZodError): Refusal {
  const problems = error.issues.slice(0, 5).map((issue) => `${issue.path.join('.') || 'input'}: ${issue.message}`);
  return { code: 'invalid_input', message: problems.join('; ') };
}

/** What a caller may know of an error: never a stack, a query or anybody's words. */
export function refusalOf(error: TRPCError): Refusal {
  const { cause } = error;
  if (cause instanceof Refused) return cause.refusal;
  if (cause instanceof ZodError) return error.code === 'BAD_REQUEST' ? invalid(cause) : defect;
  if (cause instanceof StoreUnavailable) return unreachable;
  if (cause instanceof Error && cause.name === 'AbortError') return { code: 'aborted', message: 'the caller went away' };
  if (error.code === 'BAD_REQUEST') return { code: 'invalid_input', message: 'the request does not have the shape of this procedure' };
  return ofTransport[error.code] ?? defect;
}

export function wireError(error: TRPCError, requestId: string): WireError {
  const { code, message, retryAfterMs } = refusalOf(error);
  const { retryable } = errorCodes[code];
  return { code, message, retryable, requestId, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

/** The value, or the refusal thrown as the error that says it. */
export function orFail<T extends object>(outcome: T | { readonly refused: Refusal }): T {
  if ('refused' in outcome) throw failure(outcome.refused);
  return outcome;
}

import { pino } from 'pino';

/** One line of JSON each. Fields are ids, codes and numbers: never a token, never a student's word. */
export interface Log {
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  /** For defects: name and stack of the error, without its message's parameters. */
  error(message: string, error: unknown, fields?: LogFields): void;
}

export interface LogFields {
  readonly sessionId?: string;
  readonly requestId?: string;
  readonly path?: string | undefined;
  readonly code?: string;
  readonly port?: number;
  readonly node?: string;
  /** Of an engine worker: kinds of errors and places. */
  readonly fault?: string;
}

/** To standard error: standard output is for the operator's first look. */
export function createLog(level: string): Log {
  const logger = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination({ dest: 2, sync: true }));
  return {
    info: (message, fields) => logger.info(fields ?? {}, message),
    warn: (message, fields) => logger.warn(fields ?? {}, message),
    error: (message, error, fields) => logger.error({ ...fields, error: describe(error) }, message),
  };
}

/** The kind of error and where it came from. Messages of libraries may quote what they were given, so only ours are kept. */
function describe(error: unknown): { readonly name: string; readonly at: readonly string[]; readonly cause?: string } {
  if (!(error instanceof Error)) return { name: typeof error, at: [] };
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  const { cause } = error;
  const code = cause instanceof Error ? `${cause.name}${'code' in cause && typeof cause.code === 'string' ? ` ${cause.code}` : ''}` : null;
  return { name: error.name, at: frames.slice(0, 6).map((line) => line.trim()), ...(code === null ? {} : { cause: code }) };
}

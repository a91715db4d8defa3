import { aborted, TutorError } from './errors.ts';

export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

/** `Promise.withResolvers` for Node 20 and the browsers of its age; a rejection that nobody awaits stays quiet. */
export function deferred<T>(): Deferred<T> {
  let resolve: (value: T) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<T>((onValue, onError) => {
    resolve = onValue;
    reject = onError;
  });
  promise.catch(() => {});
  return { promise, resolve, reject };
}

/** Resolves after `ms`; rejects with code `aborted` when the signal aborts. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(aborted(signal.reason));
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, ms);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

export interface Limits {
  /** The first to abort ends the wait: with its reason when that is a `TutorError`, else with code `aborted`. */
  readonly signals: readonly (AbortSignal | undefined)[];
  /** ms until it ends with code `timeout`. */
  readonly timeoutMs: number;
}

/** Runs `work` with a signal that aborts at the limits, and settles at the limits even if the work does not. */
export async function within<T>({ signals, timeoutMs }: Limits, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const { promise: cut, reject } = deferred<never>();
  const stop = (error: TutorError) => {
    reject(error);
    controller.abort(error);
  };
  const watched = signals.filter((signal) => signal !== undefined);
  const stops = watched.map((signal) => ({ signal, onAbort: () => stop(reasonOf(signal)) }));
  for (const { signal, onAbort } of stops) signal.addEventListener('abort', onAbort);
  const timer = setTimeout(() => stop(new TutorError('timeout', `no answer within ${timeoutMs} ms`)), timeoutMs);
  try {
    const gone = watched.find((signal) => signal.aborted);
    if (gone !== undefined) throw reasonOf(gone);
    return await Promise.race([work(controller.signal), cut]);
  } finally {
    clearTimeout(timer);
    for (const { signal, onAbort } of stops) signal.removeEventListener('abort', onAbort);
  }
}

function reasonOf(signal: AbortSignal): TutorError {
  return TutorError.is(signal.reason) ? signal.reason : aborted(signal.reason);
}

export interface Patience {
  /** Ends the waiting at once. */
  readonly signal: AbortSignal;
  /** A source that gives nothing for this long, ms, counts as gone: half-open connections never end by themselves. */
  readonly silentAfterMs: number;
}

/** The source broke, fell silent or was no longer wanted; `cause` says which. */
export class SourceGone extends Error {
  override readonly name = 'SourceGone';
}

/** The source's chunks, one at a time: the next is asked for when the last one is done with. Throws `SourceGone`. */
export async function* patientChunks(source: AsyncIterable<Uint8Array>, patience: Patience): AsyncGenerator<Uint8Array, void> {
  const chunks = source[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await within(patience, chunks.next());
      if (next.done === true) return;
      yield next.value;
    }
  } catch (cause) {
    throw new SourceGone('the source of the bytes is gone', { cause });
  } finally {
    // Not awaited: a source that hangs does not answer this either.
    void Promise.resolve(chunks.return?.()).catch(() => undefined);
  }
}

async function within<T>({ signal, silentAfterMs }: Patience, answer: Promise<T>): Promise<T> {
  const { promise: givenUp, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`nothing came for ${silentAfterMs} ms`)), silentAfterMs);
  const stop = () => reject(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    return await Promise.race([answer, givenUp]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}

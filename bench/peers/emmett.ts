import { getPostgreSQLEventStore } from '@event-driven-io/emmett-postgresql';

/** One event appended through emmett, as its users do it. */
export interface EmmettWriter extends AsyncDisposable {
  append(stream: string, payload: Readonly<Record<string, unknown>>, meta: Readonly<Record<string, unknown>>): Promise<void>;
}

export async function openEmmett(url: string): Promise<EmmettWriter> {
  const store = getPostgreSQLEventStore(url);
  await store.schema.migrate();
  const revisions = new Map<string, bigint>();
  return {
    async append(stream, payload, meta) {
      const expectedStreamVersion = revisions.get(stream) ?? 'STREAM_DOES_NOT_EXIST';
      const { nextExpectedStreamVersion } = await store.appendToStream(
        stream,
        [{ type: 'SentenceHeard', data: { ...payload }, metadata: { ...meta } }],
        { expectedStreamVersion },
      );
      revisions.set(stream, nextExpectedStreamVersion);
    },
    [Symbol.asyncDispose]: () => store.close(),
  };
}

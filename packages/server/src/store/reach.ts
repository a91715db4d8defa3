import { StoreUnavailable } from '../app/ports.ts';

/** Failures of the driver, by their shape: Postgres answers with a five-letter SQLSTATE, a broken connection with a word. */
function comesFromTheDatabase(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ('code' in error && typeof error.code === 'string') return true;
  return error.name === 'DrizzleQueryError' || error.name === 'PostgresError';
}

/** Static text: a driver's message may quote its parameters. */
export async function reach<T>(query: () => PromiseLike<T>): Promise<T> {
  try {
    return await query();
  } catch (error) {
    if (comesFromTheDatabase(error)) throw new StoreUnavailable('the database cannot be reached', { cause: error });
    throw error;
  }
}

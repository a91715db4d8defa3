import { StoreUnavailable } from '../app/ports.ts';

/** The database took the statement and would not have it: a defect of ours, and trying again will not help. */
export class StatementRefused extends Error {
  override readonly name = 'StatementRefused';
}

/** SQLSTATE classes that say that the statement or its data is wrong: data, integrity, syntax, and our own. */
const refusedClasses = new Set(['22', '23', '42', 'ES', 'P0']);

/** Postgres answers with a five-letter SQLSTATE, a broken connection with a word; drizzle wraps either. */
function codeOf(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  if ('code' in error && typeof error.code === 'string') return error.code;
  return codeOf(error.cause);
}

/** Static text: a driver's message may quote its parameters. */
export async function reach<T>(query: () => PromiseLike<T>): Promise<T> {
  try {
    return await query();
  } catch (error) {
    const code = codeOf(error);
    if (code === null) throw error;
    if (code.length === 5 && refusedClasses.has(code.slice(0, 2))) {
      throw new StatementRefused(`the database refused a statement with ${code}`, { cause: error });
    }
    throw new StoreUnavailable('the database cannot be reached', { cause: error });
  }
}

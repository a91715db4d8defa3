import { Role } from '@virtual-tutor/schemas';
import { z } from 'zod';
import { appRouter } from '../../packages/server/src/api/router.ts';

const Policy = z.discriminatedUnion('plane', [
  z.object({ plane: z.enum(['public', 'loopback', 'data']) }),
  z.object({ plane: z.enum(['control', 'either']), roles: z.array(Role) }),
]);
const Definition = z.object({ type: z.enum(['query', 'mutation', 'subscription']), meta: z.object({ policy: Policy }).optional() });

export interface Procedure {
  readonly path: string;
  readonly type: 'query' | 'mutation' | 'subscription';
  /** Null: it was forgotten. */
  readonly policy: z.infer<typeof Policy> | null;
}

/** Everything that the router holds, with what it declares. */
export const procedures: readonly Procedure[] = Object.entries<unknown>(appRouter._def.procedures).map(([path, procedure]) => {
  if (typeof procedure !== 'function' || !('_def' in procedure)) throw new Error(`${path} is not a procedure`);
  const { type, meta } = Definition.parse(procedure._def);
  return { path, type, policy: meta?.policy ?? null };
});

import { z } from 'zod';

/* What inputs and outputs of many procedures are made of. */

/** Half a surrogate pair has no UTF-8 and no canonical JSON: it becomes U+FFFD at the door. */
export const wellFormed = (text: string): string => text.toWellFormed();

/** Makes a mutation repeatable: the same key has one effect and one answer. UUIDv7. */
export const idempotencyKey = z.uuidv7().optional();
export const page = {
  cursor: z
    .string()
    .regex(/^\d{1,15}$/, 'use the nextCursor of the page before')
    .optional(),
  limit: z.number().int().min(1).max(200).default(50),
};
export const paged = <T extends z.ZodType>(item: T) => z.object({ items: z.array(item), nextCursor: z.string().nullable() });
export const at = z.iso.datetime();

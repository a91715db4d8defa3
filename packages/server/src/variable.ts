import { z } from 'zod';

/** One environment variable: the single source of the parser, the table in docs and `describeConfig`. */
export interface Variable {
  readonly group: 'server' | 'sessions' | 'language model' | 'speech' | 'WebRTC' | 'avatar' | 'data' | 'limits';
  /** As it is written in the environment; null: no default, off. */
  readonly fallback: string | null;
  readonly schema: z.ZodType;
  /** What a right value looks like, for the error and the table. */
  readonly expects: string;
  readonly meaning: { readonly en: string; readonly zh: string };
  readonly secret?: boolean;
}

export const port = z.coerce.number().int().min(1).max(65_535);
/** Python's `True` is as good as ours: the predecessor's files stay right. */
export const flag = z
  .string()
  .toLowerCase()
  .pipe(z.enum(['true', 'false', '1', '0', 'yes', 'no', 'on', 'off']))
  .transform((word) => word === 'true' || word === '1' || word === 'yes' || word === 'on');
export const text = z.string().trim().min(1);

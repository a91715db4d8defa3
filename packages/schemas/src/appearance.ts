import { z } from 'zod';
import { AvatarArtifact } from './avatar-events.ts';
import { AvatarId } from './ids.ts';
import { Face } from './tutor-events.ts';

/** How a tutor was to be seen and heard in a lesson, from one of its events on. */
export const Appearance = z.object({
  /** Of the event that opened the session's voice and picture. */
  revision: z.number().int().positive(),
  /** The tutor's setting then; null: the default of the language. */
  voice: z.string().nullable(),
  /** Drawn: seen where there is no film. */
  face: Face,
  /** The film that was seen, and whether it may be seen now; null: there was none. */
  film: z
    .object({
      avatarId: AvatarId,
      status: z.enum(['ready', 'revoked', 'deleted', 'not_ready']),
      /** Files of its folder as they were built; none unless it is ready. */
      artifacts: z.array(AvatarArtifact),
    })
    .nullable(),
});
export type Appearance = z.infer<typeof Appearance>;

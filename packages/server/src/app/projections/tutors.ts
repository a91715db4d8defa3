import { idOf, TenantId, TutorId, TutorSettings } from '@virtual-tutor/schemas';
import { z } from 'zod';
import type { Projection } from './projection.ts';

export const TutorRow = z.object({
  tenantId: TenantId,
  /** The tenant. */
  parent: z.string(),
  status: z.enum(['active', 'retired']),
  sort: z.number(),
  id: TutorId,
  revision: z.number().int(),
  /** Rows of an older generation, which serve until the new one is built, know less. */
  settings: TutorSettings.extend({
    voice: TutorSettings.shape.voice.default(null),
    face: TutorSettings.shape.face.default(null),
    avatarId: TutorSettings.shape.avatarId.default(null),
  }),
});
export type TutorRow = z.infer<typeof TutorRow>;

export const tutorsProjection: Projection<TutorRow> = {
  name: 'tutors',
  version: 2,
  reads: 'tutor',
  parse: (row) => TutorRow.parse(row),
  keyOf: ({ stored }) => stored.stream,
  evolve(row, event) {
    const { stream, revision, position, meta } = event.stored;
    switch (event.type) {
      case 'TutorConfigured':
        return {
          tenantId: meta.tenantId,
          parent: meta.tenantId,
          status: 'active',
          sort: row?.sort ?? position,
          id: TutorId.parse(idOf(stream)),
          revision,
          settings: event.payload.after,
        };
      case 'TutorRetired':
        return row === null ? null : { ...row, status: 'retired', revision };
      default:
        return row;
    }
  },
};

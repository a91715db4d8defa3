import {
  AvatarArtifact,
  AvatarBuildFailure,
  AvatarId,
  AvatarQuality,
  AvatarStage,
  avatarEvents,
  idOf,
  Sha256,
  TenantId,
  TutorId,
} from '@virtual-tutor/schemas';
import { z } from 'zod';
import type { ClearEvent } from '../event-codec.ts';
import type { Projection } from './projection.ts';

export const AvatarRow = z.object({
  tenantId: TenantId,
  /** The tenant. */
  parent: z.string(),
  status: z.enum(['queued', 'building', 'ready', 'rejected', 'failed', 'revoked', 'deleted']),
  sort: z.number(),
  id: AvatarId,
  revision: z.number().int(),
  /** Where its files are. */
  node: z.string(),
  bytes: z.number().int(),
  sha256: Sha256,
  createdAt: z.iso.datetime(),
  progress: z.object({ stage: AvatarStage, fraction: z.number() }).nullable(),
  reasons: avatarEvents.AvatarRejected.payload.shape.reasons.or(z.tuple([])),
  failure: AvatarBuildFailure.nullable(),
  /** Failed, and to be begun again. */
  retryable: z.boolean(),
  quality: AvatarQuality.nullable(),
  renderer: avatarEvents.AvatarReady.payload.shape.renderer.nullable(),
  artifacts: z.array(AvatarArtifact),
  tutorIds: z.array(TutorId),
});
export type AvatarRow = z.infer<typeof AvatarRow>;

type Event<T extends ClearEvent['type']> = Extract<ClearEvent, { readonly type: T }>;

function registered({ payload, stored }: Event<'AvatarRegistered'>): AvatarRow {
  const { tenantId, occurredAt } = stored.meta;
  const { node, bytes, sha256 } = payload;
  return {
    ...{ tenantId, parent: tenantId, status: 'queued', sort: stored.position, id: AvatarId.parse(idOf(stored.stream)), revision: 1 },
    ...{ node, bytes, sha256, createdAt: occurredAt, progress: null, reasons: [], failure: null, retryable: false },
    ...{ quality: null, renderer: null, artifacts: [], tutorIds: [] },
  };
}

function changed(row: AvatarRow, event: ClearEvent): AvatarRow {
  switch (event.type) {
    case 'AvatarBuildStarted':
      return { ...row, status: 'building', progress: null, failure: null, retryable: false };
    case 'AvatarBuildProgressed':
      return { ...row, progress: event.payload };
    case 'AvatarReady': {
      const { quality, renderer, artifacts } = event.payload;
      return { ...row, status: 'ready', progress: null, quality, renderer, artifacts };
    }
    case 'AvatarRejected':
      return { ...row, status: 'rejected', progress: null, reasons: event.payload.reasons };
    case 'AvatarBuildFailed':
      return { ...row, status: 'failed', progress: null, failure: event.payload.code, retryable: event.payload.retryable };
    case 'AvatarAssigned':
      return { ...row, tutorIds: [...row.tutorIds, event.payload.tutorId] };
    case 'AvatarRevoked':
      return { ...row, status: 'revoked', progress: null, retryable: false };
    case 'AvatarDeleted':
      return { ...row, status: 'deleted', progress: null, retryable: false };
    default:
      return row;
  }
}

export const avatarsProjection: Projection<AvatarRow> = {
  name: 'avatars',
  version: 1,
  reads: 'avatar',
  parse: (row) => AvatarRow.parse(row),
  keyOf: ({ stored }) => stored.stream,
  evolve(row, event) {
    if (event.type === 'AvatarRegistered') return registered(event);
    return row === null ? null : { ...changed(row, event), revision: event.stored.revision };
  },
};

import type { AvatarId, TenantId } from '@virtual-tutor/schemas';
import { streams } from '@virtual-tutor/schemas';
import { avatars } from '../../packages/server/src/app/aggregates.ts';
import type { Handle } from '../../packages/server/src/app/handle.ts';
import type { AvatarCommand } from '../../packages/server/src/domain/avatar.ts';

const sha256 = '0'.repeat(64);

/** What leads to an avatar that may be seen. */
export const madeReady: readonly AvatarCommand[] = [
  {
    type: 'RegisterAvatar',
    payload: { source: 'upload', bytes: 1, sha256, node: 'n1', tutorId: null, consentedAt: '2026-01-01T00:00:00.000Z' },
    personal: { name: 'Lin', fileName: 'lin.mp4', consent: { by: 'Lin', statement: 'yes' } },
  },
  { type: 'StartBuild', node: 'n1' },
  {
    type: 'CompleteBuild',
    attempt: 1,
    result: {
      frames: 1,
      fps: 25,
      width: 512,
      height: 512,
      renderer: 'warp',
      quality: { faceHeightPx: 240, brightness: 120, mouthOpening: 0, turn: 0, motion: 0 },
      artifacts: [{ name: 'frames.mkv', sha256, bytes: 1 }],
    },
  },
];

/** Writes into the log what happens to an avatar. */
export async function toAvatar(
  handle: Handle,
  { tenantId, avatarId }: { readonly tenantId: TenantId; readonly avatarId: AvatarId },
  ...commands: readonly AvatarCommand[]
): Promise<void> {
  for (const command of commands) {
    const handled = await handle.handle({
      aggregate: avatars,
      stream: streams.avatar(avatarId),
      commands: () => [command],
      context: { tenantId, actor: { kind: 'operator', id: 'op' } },
    });
    if (handled.status === 'refused') throw new Error(handled.refusal.message);
  }
}

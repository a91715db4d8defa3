import type { Avatar } from './avatar-contract.ts';
import { readLive } from './live-reader.ts';
import type { Api } from './transport.ts';

const final: readonly Avatar['status'][] = ['ready', 'rejected', 'revoked', 'deleted'];

/** The avatar now and at each change, until its build has ended. After a failure there may be another attempt: the engine knows. */
export async function* watchAvatar(api: Api, avatarId: string, signal?: AbortSignal): AsyncGenerator<Avatar, void, undefined> {
  let last: Avatar | null = null;
  const avatars = readLive<Avatar>((handlers) => api.avatars.watch.subscribe({ avatarId }, handlers), {
    signal,
    isOver: () => last?.status === 'failed',
  });
  for await (const avatar of avatars) {
    // Each connection begins with the avatar as it is, known or not, and another node may be behind.
    if (last !== null && (avatar.revision < last.revision || JSON.stringify(avatar) === JSON.stringify(last))) continue;
    last = avatar;
    yield avatar;
    if (final.includes(avatar.status)) return;
  }
}

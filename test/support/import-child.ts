/*
 * A process that copies a folder of the predecessor and dies by SIGKILL once so much of it is copied:
 * `node import-child.ts AVATARS_DIR AVATAR_CLIPS_DIR FOLDER AVATAR BYTES`. It does not come to its end.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { AvatarId, TenantId } from '@virtual-tutor/schemas';
import { ClipFolders } from '../../packages/server/src/avatars/clip-folders.ts';

const [folder = '', clipsFolder = '', path = '', avatarId = '', bytes = ''] = process.argv.slice(2);
const clips = await ClipFolders.open({ folder, clipsFolder, maxClipBytes: 1e9, uploadBytes: 1e9 });

function look(): void {
  const copied = statSync(join(folder, avatarId, 'source.draft'), { throwIfNoEntry: false })?.size ?? -1;
  if (copied >= Number(bytes)) process.kill(process.pid, 'SIGKILL');
  else setImmediate(look);
}

look();
await clips.adopt(TenantId.parse('north'), { avatarId: AvatarId.parse(avatarId), source: { type: 'path', path } });
process.exit(1);

import { realpath } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { type Avatar, AvatarId, avatarEvents, TutorId } from '@virtual-tutor/schemas';
import { v7 as uuidv7 } from 'uuid';
import { type ClipBytes, openClipBytes } from '../avatars/clip-bytes.ts';
import { ConfinedPathRefused } from '../avatars/confined-path.ts';
import { openLegacyFolder } from '../avatars/legacy-folder.ts';
import type { EngineClient } from './engine-client.ts';
import { ProgressLine } from './progress-line.ts';
import { sendClip } from './send-clip.ts';
import { UsageError } from './usage-error.ts';

export const avatarUsage = `  avatars upload FILE --name NAME --consent-by PERSON --statement TEXT [--tutor TUTOR]
                                    a tutor's face from a clip or a photo, with what the person who is seen agreed to
  avatars import FOLDER --name NAME --consent-by PERSON --statement TEXT [--tutor TUTOR]
                                    the same from an avatar's folder of the predecessor: full_imgs, coords.pkl, latents.pt
  avatars list
  avatars watch AVATAR              how its build goes on, until it has ended
  avatars revoke AVATAR --reason REASON
                                    REASON: consent_withdrawn, replaced, misuse or other; from now on nobody sees this face
  avatars remove AVATAR             delete its files, its name and its consent`;

export const avatarOptions = {
  name: { type: 'string' },
  'consent-by': { type: 'string' },
  statement: { type: 'string' },
  tutor: { type: 'string' },
  reason: { type: 'string' },
} as const;
export type AvatarOptions = { readonly [Name in keyof typeof avatarOptions]?: string | undefined };

/** The exit code: 1 where what was watched did not become a face. */
export async function avatars(client: EngineClient, words: readonly (string | undefined)[], options: AvatarOptions): Promise<number> {
  const [verb, subject] = words;
  switch (verb) {
    case 'upload':
      if (subject === undefined) throw new UsageError('which file? a clip or a photo of one person');
      return upload(client, { path: subject, open: openClipBytes }, options);
    case 'import':
      if (subject === undefined) throw new UsageError("which folder? an avatar's of the predecessor");
      return upload(client, { path: subject, open: openLegacyFolder }, options);
    case 'list':
      for await (const avatar of all(client)) console.log(`${avatar.id}  ${avatar.createdAt}  ${saying(avatar)}  ${avatar.name ?? ''}`);
      return 0;
    case 'watch':
      return watch(client, avatarOf(subject));
    case 'revoke': {
      const reason = avatarEvents.AvatarRevoked.payload.shape.reason.safeParse(options.reason);
      if (!reason.success) throw new UsageError('why? --reason consent_withdrawn, replaced, misuse or other');
      const { id } = await client.avatars.revoke.mutate({ avatarId: avatarOf(subject), reason: reason.data });
      console.log(`${id} is revoked: nobody sees this face any more`);
      return 0;
    }
    case 'remove': {
      const { id } = await client.avatars.remove.mutate({ avatarId: avatarOf(subject) });
      console.log(`${id} is deleted`);
      return 0;
    }
    default:
      throw new UsageError(avatarUsage);
  }
}

function avatarOf(word: string | undefined): AvatarId {
  const parsed = AvatarId.safeParse(word);
  if (!parsed.success) throw new UsageError('which avatar? `vtutor avatars list` shows their ids');
  return parsed.data;
}

interface Clip {
  readonly path: string;
  /** Asked for where the path really leads. */
  readonly open: (path: string) => Promise<ClipBytes>;
}

async function upload(client: EngineClient, { path, open }: Clip, options: AvatarOptions): Promise<number> {
  const { name, 'consent-by': by, statement } = options;
  if (name === undefined || by === undefined || statement === undefined) {
    throw new UsageError('give --name, --consent-by (the person who is seen) and --statement (what that person agreed to, word for word)');
  }
  const tutorId = options.tutor === undefined ? null : TutorId.safeParse(options.tutor).data;
  if (tutorId === undefined) throw new UsageError('which tutor? its id is on the page and in `tutors.list`');
  const uploadId = uuidv7();
  const place = await realpath(path).catch(() => {
    throw new UsageError('this path leads to nothing that can be read: check it, and whose it is');
  });
  try {
    await using clip = await open(place);
    const sha256 = await sendClip(client, clip, uploadId);
    const source = { type: 'upload', uploadId, sha256 } as const;
    const fileName = basename(resolve(path));
    const { id } = await client.avatars.create.mutate({
      source,
      name,
      fileName,
      tutorId,
      consent: { by, statement },
      idempotencyKey: uploadId,
    });
    console.log(`${id}\nIts build is queued: follow it with \`vtutor avatars watch ${id}\`.`);
    return 0;
  } catch (error) {
    // The engine removes by itself what nobody goes on with, later.
    await client.avatars.abandonUpload.mutate({ uploadId }).catch(() => undefined);
    throw error instanceof ConfinedPathRefused ? new UsageError(error.message) : error;
  }
}

async function watch(client: EngineClient, avatarId: AvatarId): Promise<number> {
  const line = new ProgressLine(process.stderr);
  let last: Avatar | null = null;
  try {
    for await (const avatar of client.avatars.watch.subscribe({ avatarId })) {
      last = avatar;
      line.show(saying(avatar));
    }
  } finally {
    line.end();
  }
  if (last === null) return 1;
  console.log(saying(last));
  return last.status === 'ready' ? 0 : 1;
}

async function* all(client: EngineClient): AsyncGenerator<Avatar, void, undefined> {
  for (let cursor: string | undefined; ; ) {
    const page = await client.avatars.list.query({ limit: 200, ...(cursor === undefined ? {} : { cursor }) });
    yield* page.items;
    if (page.nextCursor === null) return;
    cursor = page.nextCursor;
  }
}

function saying(avatar: Avatar): string {
  const details = detailsOf(avatar);
  return details.length === 0 ? avatar.status : `${avatar.status}: ${details.join(', ')}`;
}

/** Of what its status says; of one that was withdrawn, not why it had failed before. */
function detailsOf({ status, position, progress, reasons, failure }: Avatar): readonly string[] {
  switch (status) {
    case 'queued':
      return position === null ? [] : [`${position} before it`];
    case 'building':
      return progress === null ? [] : [`${progress.stage} ${Math.round(progress.fraction * 100)} %`];
    case 'rejected':
      return reasons.map(({ code, atMs }) => (atMs === null ? code : `${code} at ${(atMs / 1000).toFixed(1)} s`));
    case 'failed':
      return failure === null ? [] : [failure];
    case 'ready':
    case 'revoked':
    case 'deleted':
      return [];
  }
}

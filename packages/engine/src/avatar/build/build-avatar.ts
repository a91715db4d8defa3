import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AvatarDamaged } from '../artifact/avatar-damaged.ts';
import { draftSuffix, syncFolder } from '../artifact/durable-file.ts';
import { readManifest, verifyArtifacts } from '../artifact/open-avatar.ts';
import { writeManifest } from '../artifact/write-avatar.ts';
import { ClipRefused } from '../source/clip.ts';
import type { Build, BuildOutcome } from './build.ts';
import { stoppedBy } from './build-stopped.ts';
import { faultPictures } from './fault-pictures.ts';
import { Rejected } from './rejected.ts';
import { cutLoop, finishLoop, probeSource, seeFaces } from './stages.ts';
import { WorkFolder } from './work-folder.ts';

/** The clip as it came. */
export const sourceName = 'source';

/**
 * From a clip to a face that can be worn, or to reasons why not. Goes on where a build of the same folder that was killed had got to, and
 * ends with the same bytes. A folder that is built already is ready at once. Throws `BuildStopped`, an AbortError once the signal aborts,
 * and whatever is a defect.
 */
export async function buildAvatar(build: Build): Promise<BuildOutcome> {
  try {
    return (await alreadyBuilt(build.folder)) ?? (await built(build));
  } catch (error) {
    throw stoppedBy(error);
  }
}

async function built(build: Build): Promise<BuildOutcome> {
  const { folder } = build;
  const work = await WorkFolder.open(folder);
  const run = { ...build, work, source: join(folder, sourceName), onProgress: inTenths(build.onProgress) };
  try {
    const probe = await probeSource(run);
    const seen = await seeFaces(run, probe);
    const loop = await cutLoop(run, seen);
    const last = await finishLoop(run, seen, loop);
    const artifacts = [...loop.files, ...last.files];
    await work.publish(artifacts);
    const manifest = await writeManifest(folder, last.data, artifacts);
    await cleared(folder);
    return { status: 'ready', manifest, quality: manifest.quality };
  } catch (error) {
    const rejected = error instanceof ClipRefused ? new Rejected([{ code: error.code, picture: null }]) : error;
    if (!(rejected instanceof Rejected)) throw error;
    const reasons = await faultPictures(run, rejected.reasons);
    // The clip stays: what is wrong with it can be looked at.
    await work.remove();
    return { status: 'rejected', reasons };
  }
}

/** The process before had finished, or all but cleared away. Null: it had not. */
async function alreadyBuilt(folder: string): Promise<BuildOutcome | null> {
  try {
    const manifest = await readManifest(folder);
    await verifyArtifacts(folder, manifest);
    await cleared(folder);
    return { status: 'ready', manifest, quality: manifest.quality };
  } catch (error) {
    if (error instanceof AvatarDamaged) return null;
    throw error;
  }
}

/** What only the build needed. */
async function cleared(folder: string): Promise<void> {
  await rm(join(folder, 'work'), { recursive: true, force: true });
  await rm(join(folder, `manifest.json${draftSuffix}`), { force: true });
  await rm(join(folder, sourceName), { force: true });
  await syncFolder(folder);
}

function inTenths(report: Build['onProgress']): Build['onProgress'] {
  let last = '';
  return (stage, fraction) => {
    const tenths = Math.floor(fraction * 10) / 10;
    const now = `${stage} ${tenths}`;
    if (now !== last) report(stage, tenths);
    last = now;
  };
}

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { probeClip, readCrop, readPictures } from '../../adapters/node-av-clip.ts';
import { readHashed } from '../artifact/checked-file.ts';
import { latentsFile } from '../artifact/latents-file.ts';
import { AvatarManifest, avatarSize, broughtName, files } from '../artifact/manifest.ts';
import { systemCode } from '../artifact/system-error.ts';
import { derivedFiles, framesFile, keptFrames } from '../artifact/write-avatar.ts';
import { boxOf } from '../face/face-square.ts';
import { legacyLatents } from '../legacy/legacy-latents.ts';
import { tickMs } from '../source/constant-rate.ts';
import { FilmedFaceRefused } from '../warp/filmed-face.ts';
import type { Build } from './build.ts';
import { BuildStopped } from './build-stopped.ts';
import { cropAround } from './crop.ts';
import { judge, type Verdict } from './judge.ts';
import { lookForFaces } from './look.ts';
import { measureLoop } from './measured-loop.ts';
import { Rejected } from './rejected.ts';
import { canSpeak } from './self-check.ts';
import { Sighting } from './sighting.ts';
import { SightingLog } from './sighting-log.ts';
import type { Finished, WorkFolder } from './work-folder.ts';

/** Goes up whenever a stage would come to something else with the same clip: what an older engine left half done is begun anew. */
const buildVersion = 1;
/** Of the pictures that faces are looked for in. */
export const longSidePx = 640;
const sightingsName = 'sightings.jsonl';

export interface Run extends Build {
  readonly work: WorkFolder;
  readonly source: string;
}

const Probe = z.strictObject({
  width: z.number(),
  height: z.number(),
  durationMs: z.number().nullable(),
  still: z.boolean(),
  sha256: z.string(),
});
type Probe = z.infer<typeof Probe>;

/** What kind of clip it is. */
export async function probeSource({ work, source, limits, onProgress }: Run): Promise<Finished<Probe>> {
  onProgress('probe', 0);
  const { sha256 } = await readHashed(source, false).catch((error: unknown) => {
    throw systemCode(error) === 'ENOENT' ? new BuildStopped('source_missing', { cause: error }) : error;
  });
  const input = createHash('sha256').update(`${buildVersion} ${sha256}`).digest('hex');
  const done = await work.stage({
    stage: 'probe',
    input,
    schema: Probe,
    async run() {
      const { width, height, durationMs, still } = await probeClip(source, limits);
      return { data: { width, height, durationMs, still, sha256 }, files: [] };
    },
  });
  onProgress('probe', 1);
  return done;
}

export interface Seen extends Finished<unknown> {
  readonly probe: Probe;
  readonly verdict: Extract<Verdict, { kind: 'fit' }>;
  /** Pixels of the clip to one of the pictures. */
  readonly scale: number;
}

/** Every picture is decoded once and its faces are found: the stages `frames` and `face`. Throws `Rejected`. */
export async function seeFaces({ work, source, limits, finder, signal, onProgress }: Run, probe: Finished<Probe>): Promise<Seen> {
  const { durationMs, width, height } = probe.data;
  const expected = durationMs === null ? 1 : Math.max(1, Math.round(durationMs / tickMs));
  const path = work.file(sightingsName);
  const begun = once(() => {
    onProgress('frames', 1);
    onProgress('face', 0);
  });
  onProgress('frames', 0);
  const done = await work.stage({
    stage: 'face',
    input: probe.sha256,
    schema: z.strictObject({ pictures: z.number() }),
    async run() {
      await using log = await SightingLog.open(path, probe.sha256);
      const pictures = readPictures(source, { limits, longSidePx, signal });
      try {
        await lookForFaces({
          finder,
          pictures,
          log,
          signal,
          onPicture(count) {
            begun();
            onProgress('face', Math.min(0.9, count / expected));
          },
        });
      } finally {
        await pictures.return();
      }
      const { sha256, bytes } = await readHashed(path, false);
      return { data: { pictures: log.sightings.length }, files: [{ name: sightingsName, sha256, bytes }] };
    },
  });
  begun();
  const scale = Math.max(width, height) / longSidePx;
  const verdict = judge(await readSightings(path));
  if (verdict.kind === 'rejected') throw new Rejected(verdict.reasons);
  onProgress('face', 1);
  return { ...done, probe: probe.data, verdict, scale };
}

function once(act: () => void): () => void {
  let done = false;
  return () => {
    if (!done) act();
    done = true;
  };
}

async function readSightings(path: string): Promise<Sighting[]> {
  const [, ...lines] = (await readFile(path, 'utf8')).split('\n').slice(0, -1);
  return lines.map((line) => Sighting.parse(JSON.parse(line)));
}

const Loop = AvatarManifest.shape.source;
type Loop = z.infer<typeof Loop>;

/** The calmest part, head and shoulders of it, as it is kept. */
export async function cutLoop({ work, source, limits, signal, onProgress }: Run, seen: Seen): Promise<Finished<Loop>> {
  const { start, end } = seen.verdict.span;
  onProgress('idle', 0);
  const done = await work.stage({
    stage: 'idle',
    input: seen.sha256,
    schema: Loop,
    async run() {
      const square = cropAround(
        seen.verdict.span.track.map(({ landmarks }) => scaled(boxOf(landmarks), seen.scale)),
        seen.probe,
      );
      const crops = readCrop(source, { limits, square, size: avatarSize, first: start, end, signal });
      let count = 0;
      async function* counted(): AsyncGenerator<Uint8Array, void, undefined> {
        for await (const frame of crops) {
          yield frame;
          count += 1;
          onProgress('idle', Math.min(0.9, count / (end - start)));
        }
      }
      const file = await work.write(files.frames, await framesFile(counted()));
      if (count !== end - start) throw new RangeError(`the clip had ${end - start} frames there and now has ${count}`);
      return { data: { sha256: seen.probe.sha256, first: start, square }, files: [file] };
    },
  });
  onProgress('idle', 1);
  return done;
}

type Box = ReturnType<typeof boxOf>;

function scaled({ x, y, width, height }: Box, scale: number): Box {
  return { x: x * scale, y: y * scale, width: width * scale, height: height * scale };
}

const Facts = z.strictObject({
  quality: AvatarManifest.shape.quality,
  source: Loop,
  order: AvatarManifest.shape.order,
  frames: AvatarManifest.shape.frames,
});
type Facts = z.infer<typeof Facts>;

/** Landmarks, a try, and all files that are made of the frames. Throws `Rejected` for a face that cannot be made to speak. */
export async function finishLoop(run: Run, seen: Seen, loop: Finished<Loop>): Promise<Finished<Facts>> {
  const { work, onProgress } = run;
  const order = [...seen.verdict.span.order];
  onProgress('renderer', 0);
  const done = await work.stage({
    stage: 'renderer',
    input: loop.sha256,
    schema: Facts,
    async run() {
      const [framesArtifact] = loop.files;
      if (framesArtifact === undefined) throw new RangeError('the stage before leaves the frames');
      const frames = await keptFrames(await work.read(framesArtifact));
      const steps = frames.length + order.length;
      const { landmarks, face, quality } = await measureLoop({
        ...run,
        frames,
        track: seen.verdict.span.track,
        square: loop.data.square,
        scale: seen.scale,
        onFrame: (count) => onProgress('renderer', (0.9 * count) / steps),
      });
      tryOut(frames, landmarks, seen);
      const facts = { order, quality, source: loop.data, landmarks, face };
      const artifacts = [];
      for await (const [name, bytes] of derivedFiles(facts, frames, (count) =>
        onProgress('renderer', (0.9 * (frames.length + count)) / steps),
      )) {
        run.signal.throwIfAborted();
        artifacts.push(await work.write(name, bytes));
      }
      const distinct = frames.map((_, nth) => loop.data.first + nth);
      const brought = await legacyLatents(run.source, { frames: distinct, square: loop.data.square });
      if (brought.some((latents) => latents !== null)) artifacts.push(await work.write(broughtName, latentsFile(brought)));
      return { data: { quality, source: loop.data, order, frames: frames.length }, files: artifacts };
    },
  });
  onProgress('renderer', 1);
  return done;
}

function tryOut(frames: readonly Uint8Array[], landmarks: readonly Float32Array[], { verdict }: Seen): void {
  try {
    if (!canSpeak({ size: avatarSize, frames, landmarks })) throw new Error('a face that was found fit cannot open its mouth');
  } catch (error) {
    if (!(error instanceof FilmedFaceRefused)) throw error;
    throw new Rejected([{ code: 'face_turned_away', picture: (verdict.span.start + verdict.span.end - 1) >> 1 }]);
  }
}

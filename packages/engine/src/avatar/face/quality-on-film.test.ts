import { afterAll, beforeAll, expect, test } from 'vitest';
import { film, type Shot } from '../../../../../test/support/filmed-clip.ts';
import { openFaceFinder } from '../../adapters/face-api.ts';
import type { Picture } from '../source/clip.ts';
import { frameQualityOf } from './frame-quality.ts';
import type { FaceFinder } from './ports.ts';
import { type FaceFault, type FrameQuality, faultsOf } from './quality.ts';
import { trackFaces } from './track.ts';

/*
 * The limits, on films of two people (what the shots imitate, and how well: filmed-clip.ts). One frame of each by default, which counts as
 * a photo, four where it is the motion that is judged; with LONG=1 a second of each, and the table of what was measured is printed.
 */

const isLong = process.env['LONG'] === '1';

let finder: FaceFinder;
beforeAll(async () => {
  finder = await openFaceFinder();
});
afterAll(() => finder[Symbol.asyncDispose]());

interface Case {
  readonly name: string;
  readonly shot: Shot;
  readonly faults: readonly FaceFault[];
  /** Only between frames can it be seen. */
  readonly moves?: true;
}

const collins = { person: 'collins' } as const;

/** Three clips with each fault, and three that come near to it and pass. */
const cases: readonly Case[] = [
  { name: 'a wall', shot: { nobody: true }, faults: ['no_face'] },
  { name: 'a wall, upright', shot: { nobody: true, width: 360, height: 640 }, faults: ['no_face'] },
  { name: 'a face of 3 % of the height', shot: { eyesPx: 8 }, faults: ['no_face'] },
  { name: 'a face that fills the picture', shot: { eyesPx: 200 }, faults: [] },
  { name: 'a face in a phone held upright', shot: { width: 360, height: 640, eyesPx: 70 }, faults: [] },
  { name: 'head and shoulders', shot: {}, faults: [] },

  { name: 'one beside, as large', shot: { eyesPx: 70, others: { count: 1, eyesPx: 65 } }, faults: ['several_faces'] },
  { name: 'one behind, half as large', shot: { others: { count: 1, eyesPx: 42 } }, faults: ['several_faces'] },
  { name: 'two beside', shot: { eyesPx: 60, others: { count: 2, eyesPx: 45 } }, faults: ['several_faces'] },
  { name: 'a poster, a third as large', shot: { others: { count: 1, eyesPx: 26 } }, faults: [] },
  { name: 'a poster, a quarter as large', shot: { others: { count: 1, eyesPx: 20 } }, faults: [] },
  { name: 'two posters', shot: { others: { count: 2, eyesPx: 22 } }, faults: [] },

  { name: 'eyes 20 px apart', shot: { eyesPx: 20 }, faults: ['face_too_small'] },
  { name: 'eyes 30 px apart', shot: { eyesPx: 30 }, faults: ['face_too_small'] },
  { name: 'eyes 35 px apart', shot: { eyesPx: 35 }, faults: ['face_too_small'] },
  { name: 'eyes 42 px apart', shot: { eyesPx: 42 }, faults: [] },
  { name: 'eyes 60 px apart', shot: { eyesPx: 60 }, faults: [] },

  { name: 'turned by 0.6 rad', shot: { turn: 0.6 }, faults: ['face_turned_away'] },
  { name: 'turned by -0.7 rad', shot: { turn: -0.7 }, faults: ['face_turned_away'] },
  { name: 'turned by 0.8 rad', shot: { turn: 0.8 }, faults: ['face_turned_away'] },
  { name: 'turned by 0.2 rad', shot: { turn: 0.2 }, faults: [] },
  { name: 'turned by 0.35 rad', shot: { turn: 0.35 }, faults: [] },
  { name: 'turned by -0.3 rad', shot: { turn: -0.3 }, faults: [] },

  { name: 'a smile with teeth', shot: collins, faults: ['mouth_open'] },
  { name: 'lips half apart', shot: { mouth: () => 0.6 }, faults: ['mouth_open'] },
  { name: 'an "ah"', shot: { mouth: () => 1 }, faults: ['mouth_open'] },
  { name: 'lips an eighth apart', shot: { mouth: () => 0.125 }, faults: [] },
  { name: 'lips a quarter apart', shot: { mouth: () => 0.25 }, faults: [] },
  { name: 'closed lips, large', shot: { eyesPx: 120 }, faults: [] },

  { name: 'a tenth of the light', shot: { light: 0.1 }, faults: ['too_dark'] },
  { name: 'a fifth of the light', shot: { light: 0.2 }, faults: ['too_dark'] },
  { name: 'a twentieth of the light', shot: { light: 0.05 }, faults: ['no_face', 'too_dark'] },
  { name: 'a third of the light', shot: { light: 0.35 }, faults: [] },
  { name: 'half of the light', shot: { light: 0.5 }, faults: [] },

  { name: 'a camera that jumps by 4 px', shot: { shakePx: 4 }, faults: ['too_shaky'], moves: true },
  { name: 'a camera that jumps by 6 px', shot: { shakePx: 6 }, faults: ['too_shaky'], moves: true },
  { name: 'a camera that jumps by 12 px', shot: { shakePx: 12 }, faults: ['too_shaky'], moves: true },
  { name: 'a camera that trembles by 0.5 px', shot: { shakePx: 0.5 }, faults: [], moves: true },
  { name: 'a head that sways', shot: {}, faults: [], moves: true },
  { name: 'a head that sways by 18 px', shot: { sway: 3 }, faults: [], moves: true },
];

async function* oneByOne(pictures: readonly Picture[]): AsyncGenerator<Picture> {
  yield* pictures;
}

async function judged(shot: Shot, frames: number): Promise<FrameQuality[]> {
  const pictures = await film({ ...shot, frames });
  const qualities: FrameQuality[] = [];
  for await (const faces of trackFaces(finder, oneByOne(pictures))) {
    qualities.push(frameQualityOf(pictures[qualities.length] ?? { width: 1, height: 1, data: new Uint8Array(3) }, faces));
  }
  return qualities;
}

/** To and fro until it is as long as a clip must be. */
function asClip(frames: readonly FrameQuality[]): FrameQuality[] {
  const loop = [...frames, ...frames.slice(1, -1).toReversed()];
  return Array.from({ length: 100 }, (_, i) => loop[i % loop.length] ?? { faces: [], faceHeightPx: 0, brightness: 0 });
}

test.each(cases)('$name: $faults', async ({ shot, faults, moves, name }) => {
  const short = moves === true ? 4 : 1;
  const frames = await judged(shot, isLong ? 25 : short);
  const found = faultsOf(frames.length === 1 ? frames : asClip(frames)).map(({ fault }) => fault);
  if (isLong) console.log(row(name, frames, found));
  // Where there are several, it is a matter of chance whose mouth is judged.
  expect(found.filter((fault) => fault !== 'mouth_open' || !found.includes('several_faces'))).toEqual(faults);
});

test('of one face, less than 3 s are too short, and a photo is not', async () => {
  const [frame] = await judged({}, 1);
  const clip = (length: number) => faultsOf(Array.from({ length }, () => frame ?? { faces: [], faceHeightPx: 0, brightness: 0 }));
  for (const length of [2, 25, 74]) expect(clip(length)).toEqual([{ fault: 'too_short', frame: length - 1 }]);
  for (const length of [1, 75, 300]) expect(clip(length)).toEqual([]);
});

function row(name: string, frames: readonly FrameQuality[], found: readonly string[]): string {
  const median = (of: (frame: FrameQuality, before: FrameQuality | undefined) => number | undefined, digits: number) => {
    const values = frames.map((frame, i) => of(frame, frames[i - 1]) ?? 0).toSorted((a, b) => a - b);
    return (values[values.length >> 1] ?? 0).toFixed(digits);
  };
  const motion = ({ faces: [face] }: FrameQuality, before: FrameQuality | undefined) => {
    const last = before?.faces[0];
    return face === undefined || last === undefined ? 0 : Math.hypot(face.x - last.x, face.y - last.y) / face.interOcularPx;
  };
  return [
    `| ${name}`,
    median(({ faces }) => faces.length, 0),
    median(({ faceHeightPx }) => faceHeightPx, 0),
    median(({ faces: [face] }) => face?.yaw, 2),
    median(({ faces: [face] }) => face?.mouthOpening, 3),
    median(({ brightness }) => brightness, 0),
    median(motion, 3),
    `${found.join(', ') || 'none'} |`,
  ].join(' | ');
}

import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type MadeFilm, makeFilm, quarters, type Rgb, steady, yuvOf } from '../../../../test/support/made-clips.ts';
import { makeJpeg, makePng, pngChunk, tiffOrientation } from '../../../../test/support/made-photos.ts';
import { ClipRefused, type Picture } from '../avatar/source/clip.ts';
import { probeClip, readCrop, readPictures } from './node-av-clip.ts';

const limits = { maxDurationMs: 60_000, maxPixels: 9_000_000 };

let folder: string;
let made = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vt-clips-'));
});

afterAll(() => rm(folder, { recursive: true }));

/** Named so that the name says nothing true. */
function newPath(): string {
  made += 1;
  return join(folder, `holiday-${made}.txt`);
}

async function film(settings: Partial<MadeFilm>): Promise<string> {
  const path = newPath();
  await makeFilm({ container: 'mp4', codec: 'h264', width: 192, height: 108, timesMs: steady(10, 25), ...settings, path });
  return path;
}

async function photo(bytes: Uint8Array): Promise<string> {
  const path = newPath();
  await writeFile(path, bytes);
  return path;
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  return Array.fromAsync(items);
}

function pixel({ data, width, height }: Picture, right: number, down: number): number[] {
  const at = (Math.floor(down * height) * width + Math.floor(right * width)) * 3;
  return [...data.subarray(at, at + 3)];
}

/** Colours of the four quarters, from the upper left to the lower right. */
function corners(picture: Picture): number[][] {
  return [pixel(picture, 0.12, 0.12), pixel(picture, 0.88, 0.12), pixel(picture, 0.12, 0.88), pixel(picture, 0.88, 0.88)];
}

function expectNear(values: readonly (readonly number[])[], expected: readonly (readonly number[])[], tolerance = 5): void {
  const far = values
    .flatMap((value, i) => value.map((level, j) => Math.abs(level - (expected[i]?.[j] ?? Infinity))))
    .filter((by) => by > tolerance);
  expect(far, `${JSON.stringify(values)} is not ${JSON.stringify(expected)}`).toEqual([]);
}

const [red, green, blue, white] = quarters;

/** Which frame a picture shows, as the grey in its middle tells. */
function frameShown(picture: Picture): number {
  return Math.round(((pixel(picture, 0.5, 0.5)[1] ?? 0) * 219) / 255 / 8);
}

describe('films', () => {
  test.each<[string, Partial<MadeFilm>, object]>([
    ['MP4 of H.264', { soundMs: 400 }, { container: 'mp4' }],
    ['MP4 of H.264 in fragments, as browsers record it', { muxer: { movflags: 'frag_keyframe+empty_moov' } }, { container: 'mp4' }],
    ['MP4 of H.264 with reordered frames', { encoder: { preset: 'medium', bf: 3 } }, { container: 'mp4' }],
    ['MP4 of HEVC', { codec: 'hevc' }, { container: 'mp4' }],
    ['QuickTime', { container: 'mov', muxer: { movflags: 'faststart' } }, { container: 'mp4' }],
    [
      'WebM of VP8 without a duration, as browsers record it',
      { container: 'webm', codec: 'vp8', soundMs: 400, muxer: { live: '1' } },
      { container: 'webm' },
    ],
    ['WebM of VP9', { container: 'webm', codec: 'vp9' }, { container: 'webm' }],
    ['Matroska of H.264', { container: 'matroska', soundMs: 400 }, { container: 'webm' }],
    ['a size of odd numbers', { container: 'webm', codec: 'vp8', width: 191, height: 107 }, { container: 'webm' }],
    ['portrait', { width: 108, height: 192 }, { container: 'mp4' }],
  ])('%s', async (_, settings, facts) => {
    const path = await film(settings);
    const size = { width: settings.width ?? 192, height: settings.height ?? 108 };
    expect(await probeClip(path, limits)).toEqual({ ...facts, ...size, durationMs: expect.closeTo(400, 0), still: false });
    const pictures = await all(readPictures(path, { limits, longSidePx: 96 }));
    expect(pictures.map(frameShown)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    for (const picture of pictures) {
      expect(Math.max(picture.width, picture.height)).toBe(96);
      expect(picture.data).toHaveLength(picture.width * picture.height * 3);
      expectNear(corners(picture), quarters);
    }
  });

  test.each<[number, Rgb[]]>([
    [90, [blue, red, white, green]],
    [180, [white, blue, green, red]],
    [270, [green, white, red, blue]],
  ])('filmed with a telephone turned by %i degrees', async (turnDegrees, expected) => {
    const path = await film({ container: 'mov', turnDegrees: turnDegrees === 90 ? 90 : turnDegrees === 180 ? 180 : 270, timesMs: [0] });
    const size = turnDegrees === 180 ? { width: 192, height: 108 } : { width: 108, height: 192 };
    expect(await probeClip(path, limits)).toMatchObject(size);
    const [picture] = await all(readPictures(path, { limits, longSidePx: 192 }));
    expect(picture).toMatchObject(size);
    if (picture !== undefined) expectNear(corners(picture), expected);
    // The same corner of the upright clip, whichever way its pixels are stored.
    const square = { x: 0, y: 0, side: 40 };
    const [crop] = await all(readCrop(path, { limits, square, size: 16, first: 0, end: 1 }));
    expectNear([yuvOfMiddle(crop, 16)], [yuvOf(expected[0] ?? red, false, false)]);
  });

  test('pixels that are wider than high', async () => {
    const path = await film({ container: 'matroska', width: 96, height: 108, pixelAspect: [2, 1] });
    expect(await probeClip(path, limits)).toMatchObject({ width: 192, height: 108 });
    const [picture] = await all(readPictures(path, { limits, longSidePx: 96 }));
    expect(picture).toMatchObject({ width: 96, height: 54 });
  });

  test.each(['YCgCo', 'ICtCp', 'bt2020c', 'GBR', 'smpte240m'])('a film that names the colour matrix %s is read', async (matrix) => {
    const path = await film({ timesMs: [0], encoder: { 'x264-params': `colormatrix=${matrix}` } });
    const [picture] = await all(readPictures(path, { limits, longSidePx: 96 }));
    expect(picture).toMatchObject({ width: 96, height: 54 });
    // Rare enough to be taken for what is near: red stays red.
    expectNear([pixel(picture ?? { width: 1, height: 1, data: new Uint8Array(3) }, 0.12, 0.12)], [red], 20);
  });

  test('a variable rate becomes a constant one: each tick shows the last frame at or before it', async () => {
    const path = await film({ timesMs: [0, 33, 120, 130, 300, 320], muxer: { movflags: 'faststart' } });
    const pictures = await all(readPictures(path, { limits, longSidePx: 96 }));
    expect(pictures.map(frameShown)).toEqual([0, 1, 1, 2, 3, 3, 3, 3, 5]);
    expect(pictures[5]).toBe(pictures[4]);
  });

  test('of 50 frames a second every other is shown', async () => {
    const pictures = await all(readPictures(await film({ timesMs: steady(20, 50) }), { limits, longSidePx: 96 }));
    expect(pictures.map(frameShown)).toEqual([0, 2, 4, 6, 8, 10, 12, 14, 16, 18]);
  });

  test('a size that changes as it goes, in one shape, is one size', async () => {
    const path = await film({ container: 'webm', codec: 'vp8', secondSize: { width: 96, height: 54 } });
    const pictures = await all(readPictures(path, { limits, longSidePx: 96 }));
    expect(pictures.map(({ width, height }) => `${width}x${height}`)).toEqual(Array.from({ length: 10 }, () => '96x54'));
    const square = { x: 96, y: 0, side: 40 };
    const crops = await all(readCrop(path, { limits, square, size: 16, first: 0, end: 10 }));
    for (const crop of crops) expectNear([yuvOfMiddle(crop, 16)], [yuvOf(green, false, false)]);
  });
});

/** Of an I420 picture of that side. */
function yuvOfMiddle(i420: Uint8Array | undefined, side: number): number[] {
  const half = side / 2;
  const luma = (half * side + half) | 0;
  const chroma = ((half / 2) * half + half / 2) | 0;
  return [luma, side * side + chroma, side * side + half * half + chroma].map((at) => i420?.[at] ?? 0);
}

describe('a crop', () => {
  test.each<[string, Partial<MadeFilm>]>([
    ['BT.601', { colours: 'bt601' }],
    ['BT.709', { colours: 'bt709' }],
    ['full range', { colours: 'full' }],
    ['HEVC of BT.709', { codec: 'hevc', colours: 'bt709' }],
  ])('of %s is BT.601 of video range', async (_, settings) => {
    const path = await film({ ...settings, timesMs: [0] });
    const squares = [
      { x: 8, y: 8, side: 24 },
      { x: 160, y: 8, side: 24 },
      { x: 8, y: 76, side: 24 },
      { x: 161, y: 77, side: 23 },
    ];
    for (const [i, square] of squares.entries()) {
      const [crop] = await all(readCrop(path, { limits, square, size: 32, first: 0, end: 1 }));
      expect(crop).toHaveLength((32 * 32 * 3) / 2);
      expectNear([yuvOfMiddle(crop, 32)], [yuvOf(quarters[i] ?? red, false, false)], 3);
    }
  });

  test('high definition that does not name its colours is of BT.709', async () => {
    const path = await film({ width: 1280, height: 720, colours: 'unnamed', timesMs: [0] });
    const [crop] = await all(readCrop(path, { limits, square: { x: 8, y: 8, side: 100 }, size: 32, first: 0, end: 1 }));
    // Drawn as BT.601, and so seen a little too yellow: what matters is that it is not taken for what it was drawn as.
    expect(Math.abs((yuvOfMiddle(crop, 32)[1] ?? 0) - (yuvOf(red, false, false)[1] ?? 0))).toBeGreaterThan(3);
  });

  test('has the frames of the pictures, from the first asked for until before the last', async () => {
    const path = await film({ timesMs: [0, 33, 120, 130, 300, 320] });
    const square = { x: 78, y: 36, side: 36 };
    const crops = await all(readCrop(path, { limits, square, size: 16, first: 2, end: 5 }));
    expect(crops.map((crop) => Math.round((yuvOfMiddle(crop, 16)[0] ?? 0) / 8) - 2)).toEqual([1, 2, 3]);
    expect(await all(readCrop(path, { limits, square, size: 16, first: 9, end: 20 }))).toEqual([]);
  });

  test('outside of the clip is a mistake of the caller', async () => {
    const path = await film({ timesMs: [0] });
    const square = { x: 100, y: 0, side: 100 };
    await expect(all(readCrop(path, { limits, square, size: 16, first: 0, end: 1 }))).rejects.toThrow(RangeError);
  });

  test('the same file gives the same bytes', async () => {
    const path = await film({ turnDegrees: 90, colours: 'bt709' });
    const read = () => all(readCrop(path, { limits, square: { x: 3, y: 5, side: 91 }, size: 64, first: 0, end: 10 }));
    expect(Buffer.concat(await read()).equals(Buffer.concat(await read()))).toBe(true);
  });
});

describe('photos', () => {
  const blocks = (column: number, row: number): Rgb => quarters[(row >= 3 ? 2 : 0) + (column >= 4 ? 1 : 0)] ?? red;
  const ycc = (column: number, row: number): number[] => yuvOf(blocks(column, row), false, true);

  test.each<[number, Rgb[]]>([
    [1, [red, green, blue, white]],
    [2, [green, red, white, blue]],
    [3, [white, blue, green, red]],
    [4, [blue, white, red, green]],
    [5, [red, blue, green, white]],
    [6, [blue, red, white, green]],
    [7, [white, green, blue, red]],
    [8, [green, white, red, blue]],
  ])('a JPEG held as EXIF orientation %i says', async (orientation, expected) => {
    const path = await photo(makeJpeg({ width: 64, height: 48, blockAt: ycc, orientation }));
    const size = orientation < 5 ? { width: 64, height: 48 } : { width: 48, height: 64 };
    expect(await probeClip(path, limits)).toEqual({ container: 'jpeg', ...size, durationMs: null, still: true });
    const [picture, ...more] = await all(readPictures(path, { limits, longSidePx: 64 }));
    expect(more).toEqual([]);
    expect(picture).toMatchObject(size);
    if (picture !== undefined) expectNear(corners(picture), expected, 3);
  });

  test('a progressive JPEG, a grey one, and one for printers', async () => {
    const cmyk = (column: number, row: number): number[] => [...blocks(column, row), 255];
    const grey = (column: number, row: number): number[] => ycc(column, row).slice(0, 1);
    const [progressive, gray, printed] = await Promise.all(
      [
        makeJpeg({ width: 64, height: 48, blockAt: ycc, progressive: true }),
        makeJpeg({ width: 64, height: 48, blockAt: grey }),
        makeJpeg({ width: 64, height: 48, blockAt: cmyk }),
      ].map(async (bytes) => (await all(readPictures(await photo(bytes), { limits, longSidePx: 64 })))[0]),
    );
    if (progressive === undefined || gray === undefined || printed === undefined) throw new Error('a photo gave no picture');
    expectNear(corners(progressive), quarters, 3);
    expectNear(corners(printed), quarters, 3);
    expectNear(
      corners(gray),
      quarters.map((rgb) => Array.from({ length: 3 }, () => yuvOf(rgb, false, true)[0])),
      3,
    );
  });

  test('what is transparent in a PNG becomes white, and a crop of it too', async () => {
    const colourAt = (x: number): number[] => (x < 32 ? [0, 0, 0, 0] : [200, 40, 40, x < 48 ? 128 : 255]);
    const path = await photo(makePng({ width: 64, height: 64, alpha: true, colourAt }));
    const [picture] = await all(readPictures(path, { limits, longSidePx: 64 }));
    if (picture === undefined) throw new Error('a photo gave no picture');
    const blended = red.map((level) => (level * 128 + 255 * 127) / 255);
    expectNear([pixel(picture, 0.2, 0.5), pixel(picture, 0.62, 0.5), pixel(picture, 0.9, 0.5)], [[255, 255, 255], blended, red], 2);
    const [crop] = await all(readCrop(path, { limits, square: { x: 0, y: 0, side: 32 }, size: 16, first: 0, end: 9 }));
    expectNear([yuvOfMiddle(crop, 16)], [[235, 128, 128]], 1);
  });

  test('a crop of a JPEG is BT.601 of video range, though the JPEG is of full range', async () => {
    const path = await photo(makeJpeg({ width: 64, height: 48, blockAt: ycc }));
    const [crop, ...more] = await all(readCrop(path, { limits, square: { x: 36, y: 2, side: 20 }, size: 16, first: 0, end: 25 }));
    expectNear([yuvOfMiddle(crop, 16)], [yuvOf(green, false, false)], 2);
    expect(more).toEqual([]);
    expect(await all(readCrop(path, { limits, square: { x: 0, y: 0, side: 20 }, size: 16, first: 1, end: 25 }))).toEqual([]);
  });

  test('a PNG is turned as its EXIF chunk says', async () => {
    const colourAt = (x: number, y: number): Rgb => quarters[(y >= 24 ? 2 : 0) + (x >= 32 ? 1 : 0)] ?? red;
    const path = await photo(makePng({ width: 64, height: 48, colourAt, chunks: [pngChunk('eXIf', tiffOrientation(6))] }));
    const [picture] = await all(readPictures(path, { limits, longSidePx: 64 }));
    expect(picture).toMatchObject({ width: 48, height: 64 });
    if (picture !== undefined) expectNear(corners(picture), [blue, red, white, green], 2);
  });
});

describe('limits', () => {
  test('a film that goes on after the longest duration is too long, whoever looks', async () => {
    const path = await film({ timesMs: steady(26, 25) });
    const short = { ...limits, maxDurationMs: 500 };
    await expect(probeClip(path, short)).rejects.toMatchObject({ code: 'too_long' });
    await expect(all(readPictures(path, { limits: short, longSidePx: 96 }))).rejects.toMatchObject({ code: 'too_long' });
  });

  test('a film of exactly the longest duration is not', async () => {
    const pictures = await all(readPictures(await film({}), { limits: { ...limits, maxDurationMs: 400 }, longSidePx: 96 }));
    expect(pictures).toHaveLength(10);
  });

  test('pictures of too many pixels, or too many pictures, are too heavy', async () => {
    const path = await film({});
    await expect(probeClip(path, { ...limits, maxPixels: 192 * 107 })).rejects.toMatchObject({ code: 'too_heavy' });
    const crowded = await film({ timesMs: steady(400, 1000) });
    await expect(probeClip(crowded, { ...limits, maxDurationMs: 400 })).rejects.toMatchObject({ code: 'too_heavy' });
  });

  test('frames larger than the header says are refused when they come', async () => {
    const path = await film({ container: 'webm', codec: 'vp8', secondSize: { width: 384, height: 216 } });
    const small = { ...limits, maxPixels: 192 * 108 };
    await expect(all(readPictures(path, { limits: small, longSidePx: 96 }))).rejects.toThrow(ClipRefused);
  });

  test('a message says what to do and names no file', async () => {
    const refusal = await probeClip(await photo(Buffer.from('#EXTM3U\n#EXTINF:1,\nhttp://school.example/ms-lee.ts\n')), limits).catch(
      String,
    );
    expect(refusal).toBe('ClipRefused: The file is neither a film nor a photo that can be read: use MP4, MOV, WebM, JPEG or PNG.');
  });

  test('only a plain file is read: no link, folder or pipe', async () => {
    const target = await film({ timesMs: [0] });
    const link = newPath();
    await symlink(target, link);
    const pipe = newPath();
    execFileSync('mkfifo', [pipe]);
    await expect(probeClip(link, limits)).rejects.toMatchObject({ code: 'ELOOP' });
    await expect(probeClip(pipe, limits)).rejects.toMatchObject({ code: 'not_a_video' });
    await expect(probeClip(folder, limits)).rejects.toMatchObject({ code: 'not_a_video' });
    await expect(probeClip(join(folder, 'nothing'), limits)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('leaving early', () => {
  const openFiles = async (): Promise<number> => (await readdir('/proc/self/fd')).length;

  test('a reader who has seen enough leaves nothing open', async () => {
    const path = await film({});
    const before = await openFiles();
    for (let i = 0; i < 20; i += 1) {
      for await (const picture of readPictures(path, { limits, longSidePx: 96 })) {
        expect(picture.width).toBe(96);
        break;
      }
    }
    const unread = readPictures(path, { limits, longSidePx: 96 });
    await unread.return();
    expect(await openFiles()).toBe(before);
  });

  test('an abort ends the reading with an AbortError and leaves nothing open', async () => {
    const path = await film({});
    const before = await openFiles();
    const abort = new AbortController();
    const reading = readPictures(path, { limits, longSidePx: 96, signal: abort.signal });
    await reading.next();
    abort.abort();
    await expect(all(reading)).rejects.toMatchObject({ name: 'AbortError' });
    await expect(all(readPictures(path, { limits, longSidePx: 96, signal: abort.signal }))).rejects.toMatchObject({ name: 'AbortError' });
    await expect(probeClip(path, limits, abort.signal)).rejects.toMatchObject({ name: 'AbortError' });
    expect(await openFiles()).toBe(before);
  });

  test('a hundred readings need no more memory than ten', async () => {
    const path = await film({ width: 640, height: 360, timesMs: steady(3, 25) });
    const readOften = async (times: number): Promise<number> => {
      for (let i = 0; i < times; i += 1)
        await all(readCrop(path, { limits, square: { x: 0, y: 0, side: 360 }, size: 256, first: 0, end: 3 }));
      return process.memoryUsage().rss;
    };
    const before = await readOften(10);
    // A frame of it has 0.35 MB; a decoder that is not freed keeps several.
    expect((await readOften(90)) - before).toBeLessThan(60e6);
  });
});

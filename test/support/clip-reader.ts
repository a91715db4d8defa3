import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { probeClip, readCrop, readPictures } from '../../packages/engine/src/adapters/node-av-clip.ts';
import { ClipRefused } from '../../packages/engine/src/avatar/source/clip.ts';

/** Reads every clip of a folder and prints a line of JSON for each: a process of its own, since bad clips may kill it. */
const [folder = '.', ...rest] = process.argv.slice(2);
const limits = { maxDurationMs: Number(rest[0] ?? 60_000), maxPixels: 9_000_000 };

async function outcome(path: string): Promise<string | number> {
  try {
    const facts = await probeClip(path, limits);
    let frames = 0;
    for await (const _ of readPictures(path, { limits, longSidePx: 64 })) frames += 1;
    const square = { x: 0, y: 0, side: Math.min(facts.width, facts.height) };
    for await (const _ of readCrop(path, { limits, square, size: 32, first: 1, end: 4 })) frames += 0;
    return frames;
  } catch (error) {
    if (error instanceof ClipRefused) return error.code;
    throw error;
  }
}

for (const name of (await readdir(folder)).sort()) {
  const began = performance.now();
  let result: string | number;
  try {
    result = await outcome(join(folder, name));
  } catch (error) {
    result = `defect: ${error instanceof Error ? error.stack : String(error)}`;
  }
  // In one write each, so that a crash leaves whole lines.
  process.stdout.write(`${JSON.stringify({ name, result, ms: performance.now() - began })}\n`);
}
process.stdout.write(`${JSON.stringify({ name: 'memory', result: process.resourceUsage().maxRSS, ms: 0 })}\n`);

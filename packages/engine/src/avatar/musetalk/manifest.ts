import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { MuseTalkUnavailable } from './unavailable.ts';

/*
 * `MUSETALK_BASE/musetalk.json`: which files are the models, and how they want to be called. Exports differ
 * in the names of their inputs and in which scalings are part of the graph.
 */

const manifestName = 'musetalk.json';

const VerifiedFile = z.object({
  /** Beside the manifest or below it. */
  file: z
    .string()
    .regex(/^[\w.-]+(\/[\w.-]+)*$/)
    .refine((path) => !path.split('/').includes('..'), 'leads out of the folder'),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
type VerifiedFile = z.infer<typeof VerifiedFile>;

/** `weights`: the external data files that the graph names itself. */
const model = <Names extends z.ZodRawShape>(names: Names) =>
  VerifiedFile.extend({ weights: z.array(VerifiedFile).default([]), names: z.object(names) });
const name = z.string().min(1);
const Pixels = z.enum(['-1..1', '0..1']);
const Scaling = z.enum(['inside', 'outside']);

export const MuseTalkManifest = z.object({
  version: z.literal(1),
  /** Of the weights; inputs and outputs are float32 either way. */
  dtype: z.enum(['float32', 'float16']),
  /** Where a frame's 200 ms of audio begin, relative to it. Upstream -80, LiveTalking 0. */
  windowOffsetMs: z.number().int().multipleOf(20).min(-80).max(40).default(-80),
  /** [1, 80, 3000] to [1, 1500, 5, 384]: all hidden states. */
  whisper: model({ mel: name, states: name }),
  /** [B, 8, 32, 32], int64 [1], [B, 50, 384] to [B, 4, 32, 32]. */
  unet: model({ latents: name, timestep: name, audio: name, made: name }),
  /** [B, 4, 32, 32] to [B, 3, 256, 256], RGB. `scaling`: whether the graph itself divides by 0.18215; taesd needs none. */
  decoder: model({ latents: name, image: name }).extend({ kind: z.enum(['sd-vae', 'taesd']), scaling: Scaling, pixels: Pixels }),
  /** [B, 3, 256, 256] to [B, 4, 32, 32]. `scaling`: whether the graph itself multiplies by 0.18215; taesd needs none. */
  encoder: model({ image: name, latents: name }).extend({ kind: z.enum(['sd-vae', 'taesd']), scaling: Scaling, pixels: Pixels }),
  /** [1, 3, 512, 512], normalised as for ImageNet, to [1, 19, 512, 512]. */
  parsing: model({ image: name, classes: name }),
});
export type MuseTalkManifest = z.infer<typeof MuseTalkManifest>;

/** Reads the manifest and every file it names. Throws `MuseTalkUnavailable`. */
export async function readManifest(folder: string): Promise<MuseTalkManifest> {
  const path = join(folder, manifestName);
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new MuseTalkUnavailable('manifest_missing', `there is no ${path}`, {
      cause,
      advice: 'write one as docs/operations/musetalk.md says, or unset MUSETALK_BASE',
    });
  });
  const parsed = MuseTalkManifest.safeParse(jsonOf(text));
  if (!parsed.success) {
    const where = parsed.error.issues.map(({ path: keys, message }) => `${keys.join('.') || 'the whole'}: ${message}`).join('; ');
    throw new MuseTalkUnavailable('manifest_invalid', `${path} is no manifest (${where})`, { advice: 'correct these fields' });
  }
  const { whisper, unet, decoder, encoder, parsing } = parsed.data;
  for (const { weights, ...graph } of [whisper, unet, decoder, encoder, parsing]) {
    for (const file of [graph, ...weights]) await verify(folder, file);
  }
  return parsed.data;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function verify(folder: string, { file, sha256 }: VerifiedFile): Promise<void> {
  const path = join(folder, file);
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash).catch((cause: unknown) => {
    throw new MuseTalkUnavailable('file_missing', `${path} cannot be read`, {
      cause,
      advice: 'export it again, or correct its name in the manifest',
    });
  });
  const found = hash.digest('hex');
  if (found !== sha256) {
    throw new MuseTalkUnavailable('hash_mismatch', `${path} has SHA-256 ${found}, not ${sha256}`, {
      advice: 'copy it again; if you replaced it on purpose, write its new hash into the manifest',
    });
  }
}

import { createHash } from 'node:crypto';
import { faceSize } from './blend.ts';
import type { Device, FrameInput, OpenGraphs, OpenGraphsOf } from './graphs.ts';
import { type MuseTalkManifest, readManifest } from './manifest.ts';
import { logMel, melBins, melFrames } from './mel.ts';
import { parsingSize } from './parsing-mask.ts';
import { type Pixels, resize } from './resize.ts';
import { checkedSpeed, checkFace, type Live, testFace } from './self-test.ts';
import { type HiddenStates, promptRows, stateLayers, stateWidth, trimmedStates } from './windows.ts';

/* MuseTalk: Whisper's ear, the UNet that paints a mouth into latents, and the eyes and brush of a VAE. */

/** What Stable Diffusion's latents are multiplied by, so that their variance is 1. */
const latentScale = 0.18215;
const latentSide = 32;
const latentSize = latentSide * latentSide;
const encoderSteps = 1_500;
const samplesPerSecond = 16_000;

export interface MuseTalk extends AsyncDisposable {
  readonly device: Device;
  readonly live: Live;
  readonly windowOffsetMs: number;
  /** Changes with every file of the models, and with how they are called: hex. */
  readonly models: string;
  /** `samples`: 16 kHz mono, at most 30 s. */
  hear(samples: Float32Array): Promise<HiddenStates>;
  /** One inference; RGB faces of 256 x 256. */
  draw(frames: readonly FrameInput[]): Promise<readonly Pixels[]>;
  /** Of an RGB face of 256 x 256: [8, 32, 32], for `FrameInput`. */
  encode(face: Pixels): Promise<Float32Array>;
  /** The likeliest class of each pixel, [512, 512], of an RGB picture of any size. */
  parse(picture: Pixels): Promise<Uint8Array>;
}

export interface MuseTalkOptions {
  /** `MUSETALK_BASE` */
  readonly folder: string;
  /** Default 'auto': CUDA where its provider is. */
  readonly device?: 'auto' | 'cpu';
  readonly open: OpenGraphsOf;
  /** Of a clock that never goes back. */
  readonly nowMs: () => number;
}

/** Throws `MuseTalkUnavailable`. */
export async function openMuseTalk({ folder, device = 'auto', open, nowMs }: MuseTalkOptions): Promise<MuseTalk> {
  const manifest = await readManifest(folder);
  const graphs = await open({ folder, manifest }, device);
  try {
    const pipeline = new Pipeline(graphs, manifest);
    await pipeline.test();
    const live = await checkedSpeed({ draw: (frames) => pipeline.draw(frames), nowMs });
    return Object.assign(pipeline, { live });
  } catch (error) {
    await graphs.close();
    throw error;
  }
}

class Pipeline {
  readonly device: Device;
  readonly windowOffsetMs: number;
  readonly models: string;
  readonly #graphs: OpenGraphs;
  readonly #manifest: MuseTalkManifest;

  constructor(graphs: OpenGraphs, manifest: MuseTalkManifest) {
    this.#graphs = graphs;
    this.#manifest = manifest;
    this.device = graphs.device;
    this.windowOffsetMs = manifest.windowOffsetMs;
    this.models = createHash('sha256').update(JSON.stringify(manifest)).digest('hex');
  }

  async hear(samples: Float32Array): Promise<HiddenStates> {
    const { names } = this.#manifest.whisper;
    const mel = { data: logMel(samples), shape: [1, melBins, melFrames] };
    const states = await this.#graphs.whisper.run({ [names.mel]: mel }, [1, encoderSteps, stateLayers, stateWidth]);
    return trimmedStates(states, samples.length / samplesPerSecond);
  }

  async draw(frames: readonly FrameInput[]): Promise<readonly Pixels[]> {
    const image = await this.#image(frames);
    const { pixels } = this.#manifest.decoder;
    return frames.map((_, index) => interleaved(image.subarray(index * 3 * faceSize ** 2, (index + 1) * 3 * faceSize ** 2), pixels));
  }

  async encode(face: Pixels): Promise<Float32Array> {
    if (face.width !== faceSize || face.height !== faceSize || face.channels !== 3) throw new RangeError('a face is 256 x 256 RGB');
    const { names, pixels, kind, scaling } = this.#manifest.encoder;
    const scale = kind === 'sd-vae' && scaling === 'outside' ? latentScale : 1;
    const latents = new Float32Array(8 * latentSize);
    const masked = { ...face, data: face.data.map((value, index) => (index < face.data.length / 2 ? value : 0)) };
    for (const [index, picture] of [masked, face].entries()) {
      const image = {
        data: planar(picture, pixels === '-1..1' ? { mean: [0.5], spread: [0.5] } : plain),
        shape: [1, 3, faceSize, faceSize],
      };
      const made = await this.#graphs.encoder.run({ [names.image]: image }, [1, 4, latentSide, latentSide]);
      latents.set(
        made.map((value) => value * scale),
        index * 4 * latentSize,
      );
    }
    return latents;
  }

  async parse(picture: Pixels): Promise<Uint8Array> {
    const { names } = this.#manifest.parsing;
    const fitted = resize(picture, { width: parsingSize, height: parsingSize, kernel: 'linear' });
    const image = { data: planar(fitted, imageNet), shape: [1, 3, parsingSize, parsingSize] };
    const scores = await this.#graphs.parsing.run({ [names.image]: image }, [1, parsingClasses, parsingSize, parsingSize]);
    return likeliest(scores);
  }

  /** Throws `MuseTalkUnavailable` unless a face comes out of known latents and silence. */
  async test(): Promise<void> {
    const states = await this.hear(new Float32Array(samplesPerSecond));
    checkFace({ states: states.data, image: await this.#image([testFace]), pixels: this.#manifest.decoder.pixels });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#graphs.close();
  }

  /** [B, 3, 256, 256], as the decoder gave it. */
  async #image(frames: readonly FrameInput[]): Promise<Float32Array> {
    const { unet, decoder } = this.#manifest;
    const count = frames.length;
    const made = await this.#graphs.unet.run(
      {
        [unet.names.latents]: { data: joined(frames.map(({ latents }) => latents)), shape: [count, 8, latentSide, latentSide] },
        [unet.names.timestep]: 0n,
        [unet.names.audio]: { data: joined(frames.map(({ audio }) => audio)), shape: [count, promptRows, stateWidth] },
      },
      [count, 4, latentSide, latentSide],
    );
    const scale = decoder.kind === 'sd-vae' && decoder.scaling === 'outside' ? 1 / latentScale : 1;
    const latents = { data: made.map((value) => value * scale), shape: [count, 4, latentSide, latentSide] };
    return this.#graphs.decoder.run({ [decoder.names.latents]: latents }, [count, 3, faceSize, faceSize]);
  }
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

interface Normalisation {
  /** One for all channels, or one for each. */
  readonly mean: readonly number[];
  readonly spread: readonly number[];
}

const plain: Normalisation = { mean: [0], spread: [1] };
const imageNet: Normalisation = { mean: [0.485, 0.456, 0.406], spread: [0.229, 0.224, 0.225] };
const parsingClasses = 19;

/** RGB bytes to three planes of (x / 255 - mean) / spread. */
function planar({ data, width, height }: Pixels, { mean, spread }: Normalisation): Float32Array {
  const size = width * height;
  return Float32Array.from({ length: 3 * size }, (_, index) => {
    const channel = Math.floor(index / size);
    const value = (data[(index % size) * 3 + channel] ?? 0) / 255;
    return (value - (mean[channel % mean.length] ?? 0)) / (spread[channel % spread.length] ?? 1);
  });
}

/** Three planes to RGB bytes. */
function interleaved(planes: Float32Array, pixels: '-1..1' | '0..1'): Pixels {
  const size = faceSize * faceSize;
  const data = new Uint8Array(3 * size);
  for (let index = 0; index < 3 * size; index += 1) {
    const value = planes[index] ?? 0;
    const level = pixels === '-1..1' ? value / 2 + 0.5 : value;
    data[(index % size) * 3 + Math.floor(index / size)] = Math.round(255 * Math.min(1, Math.max(0, level)));
  }
  return { data, width: faceSize, height: faceSize, channels: 3 };
}

function likeliest(scores: Float32Array): Uint8Array {
  const size = parsingSize * parsingSize;
  return Uint8Array.from({ length: size }, (_, pixel) => {
    let best = 0;
    for (let label = 1; label < parsingClasses; label += 1) {
      if ((scores[label * size + pixel] ?? 0) > (scores[best * size + pixel] ?? 0)) best = label;
    }
    return best;
  });
}

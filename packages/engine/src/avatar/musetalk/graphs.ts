import type { MuseTalkManifest } from './manifest.ts';

/* The five graphs of MuseTalk as functions over floats. */

export interface Device {
  readonly name: 'cuda' | 'cpu';
  readonly reason: string;
}

export interface Floats {
  readonly data: Float32Array;
  readonly shape: readonly number[];
}

export interface OpenGraph {
  /** A bigint is an int64 of shape [1]. Throws `MuseTalkUnavailable` when another shape than `expected` comes out. */
  run(inputs: Readonly<Record<string, Floats | bigint>>, expected: readonly number[]): Promise<Float32Array>;
}

export interface OpenGraphs {
  readonly device: Device;
  readonly whisper: OpenGraph;
  readonly unet: OpenGraph;
  readonly decoder: OpenGraph;
  readonly encoder: OpenGraph;
  readonly parsing: OpenGraph;
  close(): Promise<void>;
}

export interface GraphFolder {
  readonly folder: string;
  readonly manifest: MuseTalkManifest;
}

/** On the graphics card where there is one, unless 'cpu' is wanted. Throws `MuseTalkUnavailable`. */
export type OpenGraphsOf = (from: GraphFolder, wanted: 'auto' | 'cpu') => Promise<OpenGraphs>;

export interface FrameInput {
  /** [8, 32, 32]: of the face with its lower half masked, and of the whole face. */
  readonly latents: Float32Array;
  /** [50, 384] */
  readonly audio: Float32Array;
}

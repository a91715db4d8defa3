import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listeningRate } from '../../packages/engine/src/media/ports.ts';
import { asFloats, resample } from '../../packages/engine/src/media/resample.ts';

/* People who speak into a microphone, made by Debian's speech synthesisers. All audio at `listeningRate`. */

export const voicesAvailable = existsSync('/usr/bin/flite') && existsSync('/usr/bin/espeak-ng');

/** Two women, a Scot and a robot. */
export type Voice = 'slt' | 'rms' | 'awb' | 'kal16';

export function say(text: string, voice: Voice = 'slt'): Float32Array {
  return wavOf((file) => execFileSync('/usr/bin/flite', ['-voice', voice, '-t', text, '-o', file]));
}

/** Pitch 0 to 99; speed in words a minute. */
export function sayRobotically(text: string, { voice = 'en-us', pitch = 50, speed = 160 } = {}): Float32Array {
  return wavOf((file) => execFileSync('/usr/bin/espeak-ng', ['-v', voice, '-p', String(pitch), '-s', String(speed), '-w', file, text]));
}

function wavOf(make: (file: string) => void): Float32Array {
  const folder = mkdtempSync(join(tmpdir(), 'voice-'));
  try {
    const file = join(folder, 'speech.wav');
    make(file);
    return parseWav(readFileSync(file));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** 16-bit mono, the `data` chunk wherever it is. */
function parseWav(wav: Buffer): Float32Array {
  const rate = wav.readUInt32LE(24);
  const data = wav.indexOf('data', 12, 'latin1') + 8;
  const samples = new Int16Array((wav.length - data) >> 1);
  for (let index = 0; index < samples.length; index += 1) samples[index] = wav.readInt16LE(data + 2 * index);
  return rate === listeningRate ? asFloats(samples) : resample(samples, rate, listeningRate);
}

export function silence(ms: number): Float32Array {
  return new Float32Array((ms * listeningRate) / 1_000);
}

export function joined(...parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The loudest sample becomes `peak`, 0 to 1. */
export function atPeak(samples: Float32Array, peak: number): Float32Array {
  const loudest = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 1e-9);
  return samples.map((sample) => (sample / loudest) * peak);
}

export function mixed(a: Float32Array, b: Float32Array): Float32Array {
  return Float32Array.from({ length: Math.max(a.length, b.length) }, (_, index) => (a[index] ?? 0) + (b[index] ?? 0));
}

const windowSamples = listeningRate / 100;

/** Without what lies before and after the voice: a synthesiser's clicks are shorter than 30 ms. */
export function trimmed(samples: Float32Array): Float32Array {
  const loudness = Array.from({ length: Math.floor(samples.length / windowSamples) }, (_, index) =>
    samples.subarray(index * windowSamples, (index + 1) * windowSamples).reduce((sum, sample) => sum + sample * sample, 0),
  );
  const enough = Math.max(...loudness) * 0.005;
  const lasting = loudness.map((_, index) => loudness.slice(index, index + 3).every((power) => power > enough));
  const from = lasting.indexOf(true);
  return from < 0 ? samples : samples.slice(from * windowSamples, (lasting.lastIndexOf(true) + 3) * windowSamples);
}

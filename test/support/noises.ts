import { listeningRate } from '../../packages/engine/src/media/ports.ts';
import { type Random, seeded } from './seeded.ts';
import { atPeak, joined, sayRobotically, silence, trimmed } from './voices.ts';

/* What people and rooms do that is not speech, synthesised; the same for the same seed. */

export interface Sound {
  readonly name: string;
  readonly samples: Float32Array;
}

const between = (random: Random, low: number, high: number) => low + random() * (high - low);

function noise(random: Random, ms: number): Float32Array {
  return Float32Array.from({ length: Math.round((ms * listeningRate) / 1_000) }, () => 2 * random() - 1);
}

/** Two poles around a frequency. */
function resonance(samples: Float32Array, hz: number, widthHz: number): Float32Array {
  const radius = Math.exp((-Math.PI * widthHz) / listeningRate);
  const turn = 2 * radius * Math.cos((2 * Math.PI * hz) / listeningRate);
  let last = 0;
  let before = 0;
  return samples.map((sample) => {
    const out = sample + turn * last - radius * radius * before;
    before = last;
    last = out;
    return out;
  });
}

/** Rises in `attackMs`, then falls to 1/e every `decayMs`. */
function shaped(samples: Float32Array, attackMs: number, decayMs: number): Float32Array {
  return samples.map((sample, index) => {
    const ms = (index * 1_000) / listeningRate;
    return sample * Math.min(1, ms / attackMs) * Math.exp(-Math.max(0, ms - attackMs) / decayMs);
  });
}

/** A burst through a throat, once to three times, with a little voice at its end. */
function cough(random: Random): Float32Array {
  const hack = () => {
    const burst = shaped(noise(random, between(random, 150, 280)), 8, between(random, 40, 90));
    const throat = resonance(resonance(burst, between(random, 450, 800), 150), between(random, 1_200, 1_900), 300);
    const pitch = between(random, 100, 220);
    const voice = shaped(
      Float32Array.from({ length: throat.length }, (_, index) => Math.sign(Math.sin((2 * Math.PI * pitch * index) / listeningRate))),
      30,
      50,
    );
    return joined(
      atPeak(throat, 1).map((sample, index) => sample + 0.15 * (voice[index] ?? 0)),
      silence(Math.round(between(random, 60, 160))),
    );
  };
  return joined(...Array.from({ length: 1 + Math.floor(random() * 3) }, hack));
}

function sneeze(random: Random): Float32Array {
  return joined(shaped(resonance(noise(random, 250), 900, 400), 150, 60), shaped(resonance(noise(random, 350), 3_000, 1_500), 5, 110));
}

function breath(random: Random): Float32Array {
  return shaped(resonance(noise(random, between(random, 400, 900)), between(random, 800, 2_000), 1_200), 200, 250);
}

function keyboard(random: Random): Float32Array {
  const key = () =>
    joined(shaped(resonance(noise(random, 25), between(random, 1_800, 4_500), 900), 1, 5), silence(Math.round(between(random, 60, 220))));
  return joined(...Array.from({ length: 4 + Math.floor(random() * 8) }, key));
}

function thump(random: Random): Float32Array {
  return shaped(resonance(noise(random, 300), between(random, 60, 180), 40), 2, 60);
}

function squeak(random: Random): Float32Array {
  const hz = between(random, 700, 1_800);
  return shaped(
    Float32Array.from({ length: listeningRate / 3 }, (_, index) =>
      Math.sin((2 * Math.PI * hz * index) / listeningRate + 3 * Math.sin(index / 900)),
    ),
    40,
    120,
  );
}

function rustle(random: Random): Float32Array {
  return joined(...Array.from({ length: 6 }, () => shaped(noise(random, between(random, 30, 120)), 10, 30)));
}

function whistle(random: Random): Float32Array {
  const hz = between(random, 900, 2_200);
  return shaped(
    Float32Array.from({ length: listeningRate / 2 }, (_, index) => Math.sin((2 * Math.PI * hz * index) / listeningRate)),
    60,
    300,
  );
}

/** Hums and grunts, as phonemes of espeak-ng: nobody's words. */
const hums = {
  mm: '[[m:m:]]',
  mhm: "[[m:hm'm:]]",
  hmm: '[[hm:m:]]',
  uhhuh: "[['Vh'V]]",
  uh: '[[V:]]',
  ah: '[[A:]]',
  en: '[[@n]]',
  laugh: "[[h'ah'ah'a]]",
  long: '[[m:m:m:m:m:]]',
} as const;

const noises = { cough, sneeze, breath, keyboard, thump, squeak, rustle, whistle } as const;

/** Sounds without words: `each` of every noise, and every hum at as many pitches. At the loudness of a voice. */
export function wordlessSounds(each: number, seed = 1): readonly Sound[] {
  const random = seeded(seed);
  const made = Object.entries(noises).flatMap(([name, make]) =>
    Array.from({ length: each }, (_, index) => ({ name: `${name} ${index}`, samples: atPeak(make(random), between(random, 0.2, 0.7)) })),
  );
  const hummed = Object.entries(hums).flatMap(([name, phonemes]) =>
    Array.from({ length: each }, (_, index) => {
      const pitch = Math.round((99 * (index + 0.5)) / each);
      const samples = atPeak(trimmed(sayRobotically(phonemes, { pitch, speed: 120 + 10 * index })), between(random, 0.2, 0.6));
      return { name: `${name} at pitch ${pitch}`, samples };
    }),
  );
  return [...made, ...hummed];
}

/*
 * Sample rate conversion by a windowed sinc, one set of coefficients per phase (a polyphase filter).
 * Pure but for its memory of the filters made so far.
 */

/** Changes the rate of a stream that comes in pieces. Nothing clicks at the seams. */
export interface Resampler {
  /** What can be said of the stream so far; at most `delaySamples` behind it. */
  push(samples: Float32Array | Int16Array): Float32Array;
  /** The rest, as though silence followed; the stream starts anew after that. */
  flush(): Float32Array;
  /** How far the output lags behind the input, in samples of the input. */
  readonly delaySamples: number;
}

/** Zero crossings of the sinc on each side. 32 give a transition band of 16 % of the band, 80 dB down at its end. */
const zeroCrossings = 32;
/** Of the narrower band: the middle of the transition, so that it ends where aliases begin. */
const cutoff = 0.92;
/** Kaiser window: side lobes at -80 dB. */
const kaiserBeta = 8;
/** Filters per conversion, at most; 44,100 to 48,000 Hz takes 160. */
const mostPhases = 1024;

interface Filter {
  readonly up: number;
  readonly down: number;
  /** Input samples on each side of the wanted point. */
  readonly reach: number;
  /** `up` rows of `2 * reach` coefficients. */
  readonly coefficients: Float32Array;
}

const filters = new Map<string, Filter>();

/** `from` and `to` in Hz. 16-bit samples are scaled to -1 to 1; the answer may overshoot that by a little. */
export function resample(samples: Float32Array | Int16Array, from: number, to: number): Float32Array {
  const resampler = createResampler(from, to);
  const body = resampler.push(samples);
  const rest = resampler.flush();
  const whole = new Float32Array(body.length + rest.length);
  whole.set(body);
  whole.set(rest, body.length);
  return whole;
}

export function createResampler(from: number, to: number): Resampler {
  const filter = filterFor(from, to);
  const { up, down, reach } = filter;
  let history = new Float32Array(reach);
  /** Input samples ever pushed. */
  let received = 0;
  /** Output samples ever made. */
  let made = 0;
  // `history` ends with the newest input; its first sample is number `received - history.length` of the stream.
  const produce = (until: number): Float32Array => {
    const output = new Float32Array(Math.max(0, until - made));
    const first = received - history.length;
    for (let index = 0; index < output.length; index += 1) {
      const position = (made + index) * down;
      const start = Math.floor(position / up) - reach + 1 - first;
      output[index] = dot(history, start, { filter, phase: position % up });
    }
    made += output.length;
    const needed = Math.floor((made * down) / up) - reach + 1;
    history = history.slice(Math.max(0, Math.min(history.length, needed - first)));
    return output;
  };
  const append = (samples: Float32Array) => {
    const longer = new Float32Array(history.length + samples.length);
    longer.set(history);
    longer.set(samples, history.length);
    history = longer;
    received += samples.length;
  };
  return {
    delaySamples: reach,
    push(samples) {
      append(samples instanceof Int16Array ? asFloats(samples) : samples);
      // The output at n * down / up needs `reach` inputs after it.
      return produce(Math.max(0, Math.ceil(((received - reach) * up) / down)));
    },
    flush() {
      const total = Math.ceil((received * up) / down);
      append(new Float32Array(reach + 1));
      const rest = produce(total);
      history = new Float32Array(reach);
      received = 0;
      made = 0;
      return rest;
    },
  };
}

/** -1 to 1, from 16 bits. A loop: `Float32Array.from` with a function takes ten times as long. */
export function asFloats(samples: Int16Array): Float32Array {
  const floats = new Float32Array(samples.length);
  for (let index = 0; index < floats.length; index += 1) floats[index] = (samples[index] ?? 0) / 32_768;
  return floats;
}

/** 16 bits, from -1 to 1; what lies outside is clipped. */
export function asInt16(samples: Float32Array): Int16Array {
  const integers = new Int16Array(samples.length);
  for (let index = 0; index < integers.length; index += 1) {
    integers[index] = Math.max(-32_768, Math.min(32_767, Math.round((samples[index] ?? 0) * 32_768)));
  }
  return integers;
}

function dot(samples: Float32Array, start: number, { filter, phase }: { readonly filter: Filter; readonly phase: number }): number {
  const taps = 2 * filter.reach;
  const row = phase * taps;
  let sum = 0;
  for (let tap = 0; tap < taps; tap += 1) sum += (samples[start + tap] ?? 0) * (filter.coefficients[row + tap] ?? 0);
  return sum;
}

function filterFor(from: number, to: number): Filter {
  const key = `${from}/${to}`;
  const known = filters.get(key);
  if (known !== undefined) return known;
  const filter = designFilter(from, to);
  filters.set(key, filter);
  return filter;
}

function designFilter(from: number, to: number): Filter {
  if (!Number.isInteger(from) || !Number.isInteger(to) || from <= 0 || to <= 0) throw new RangeError('sample rates are whole Hz above 0');
  const divisor = greatestCommonDivisor(from, to);
  const up = to / divisor;
  const down = from / divisor;
  if (up > mostPhases) throw new RangeError(`no filter from ${from} to ${to} Hz: they have too little in common`);
  if (up === down) return { up, down, reach: 1, coefficients: Float32Array.of(1, 0) };
  const band = cutoff * Math.min(1, up / down);
  const reach = Math.ceil(zeroCrossings / band);
  const coefficients = new Float32Array(up * 2 * reach);
  for (let phase = 0; phase < up; phase += 1) {
    const row = coefficients.subarray(phase * 2 * reach, (phase + 1) * 2 * reach);
    for (let tap = 0; tap < row.length; tap += 1) {
      const distance = tap - reach + 1 - phase / up;
      row[tap] = sinc(band * distance) * kaiser(distance / reach);
    }
    // Every phase passes a constant as it is; otherwise the differences between phases would hum.
    const gain = row.reduce((sum, coefficient) => sum + coefficient, 0);
    for (let tap = 0; tap < row.length; tap += 1) row[tap] = (row[tap] ?? 0) / gain;
  }
  return { up, down, reach, coefficients };
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

function kaiser(x: number): number {
  return Math.abs(x) >= 1 ? 0 : bessel(kaiserBeta * Math.sqrt(1 - x * x)) / bessel(kaiserBeta);
}

/** Modified, first kind, order 0, by its power series. */
function bessel(x: number): number {
  let sum = 1;
  let term = 1;
  for (let k = 1; term > sum * 1e-12; k += 1) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

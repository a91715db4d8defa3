/*
 * Whisper's log-mel spectrogram: `log_mel_spectrogram` of OpenAI's whisper/audio.py, whose filters are
 * `librosa.filters.mel(sr=16000, n_fft=400, n_mels=80)`.
 */

export const melBins = 80;
/** Of 10 ms, in the 30 s that the encoder always takes. */
export const melFrames = 3_000;
export const hertz = 16_000;
const windowSamples = 400;
const hopSamples = 160;
const mostSamples = melFrames * hopSamples;
const spectrumBins = windowSamples / 2 + 1;
/** 400 = 16 x 25: sixteen transforms of 25 points, put together by one twiddle each. */
const interleaved = 16;
const points = windowSamples / interleaved;
const quietest = 1e-10;

const cosines = Float64Array.from({ length: windowSamples }, (_, index) => Math.cos((2 * Math.PI * index) / windowSamples));
const sines = Float64Array.from({ length: windowSamples }, (_, index) => -Math.sin((2 * Math.PI * index) / windowSamples));
/** Periodic Hann. */
const hann = cosines.map((cosine) => 0.5 - 0.5 * cosine);

/** Slaney's scale: linear below 1 kHz, logarithmic above. */
function hertzOfMel(mel: number): number {
  return mel < 15 ? (mel * 200) / 3 : 1_000 * Math.exp((mel - 15) * (Math.log(6.4) / 27));
}

const topMel = 15 + Math.log(hertz / 2 / 1_000) / (Math.log(6.4) / 27);

interface MelFilter {
  readonly firstBin: number;
  readonly weights: Float64Array;
}

/** Triangles of equal area. */
function melFilter(index: number): MelFilter {
  const at = (edge: number) => hertzOfMel((topMel * edge) / (melBins + 1));
  const [low, middle, high] = [at(index), at(index + 1), at(index + 2)];
  const binHertz = hertz / windowSamples;
  const firstBin = Math.ceil(low / binHertz);
  const bins = Math.min(spectrumBins - 1, Math.floor(high / binHertz)) - firstBin + 1;
  const weights = Float64Array.from({ length: bins }, (_, bin) => {
    const frequency = (firstBin + bin) * binHertz;
    const height = Math.min((frequency - low) / (middle - low), (high - frequency) / (high - middle));
    return (Math.max(0, height) * 2) / (high - low);
  });
  return { firstBin, weights };
}

const filters = Array.from({ length: melBins }, (_, index) => melFilter(index));

class PowerSpectrum {
  /** One per frequency, 0 to 8 kHz. */
  readonly power = new Float64Array(spectrumBins);
  readonly #real = new Float64Array(windowSamples);
  readonly #imaginary = new Float64Array(windowSamples);

  /** `windowed`: 400 samples. */
  measure(windowed: Float64Array): void {
    for (let lane = 0; lane < interleaved; lane += 1) this.#transformLane(windowed, lane);
    for (let bin = 0; bin < spectrumBins; bin += 1) this.power[bin] = this.#powerAt(bin);
  }

  #transformLane(windowed: Float64Array, lane: number): void {
    for (let bin = 0; bin < points; bin += 1) {
      let real = 0;
      let imaginary = 0;
      for (let point = 0; point < points; point += 1) {
        const value = windowed[lane + interleaved * point] ?? 0;
        const angle = ((bin * point) % points) * interleaved;
        real += value * (cosines[angle] ?? 0);
        imaginary += value * (sines[angle] ?? 0);
      }
      this.#real[lane * points + bin] = real;
      this.#imaginary[lane * points + bin] = imaginary;
    }
  }

  #powerAt(bin: number): number {
    let real = 0;
    let imaginary = 0;
    for (let lane = 0; lane < interleaved; lane += 1) {
      const angle = (lane * bin) % windowSamples;
      const cosine = cosines[angle] ?? 0;
      const sine = sines[angle] ?? 0;
      const from = lane * points + (bin % points);
      const laneReal = this.#real[from] ?? 0;
      const laneImaginary = this.#imaginary[from] ?? 0;
      real += laneReal * cosine - laneImaginary * sine;
      imaginary += laneReal * sine + laneImaginary * cosine;
    }
    return real * real + imaginary * imaginary;
  }
}

/** The signal is centred on each frame and mirrored at both ends. */
function sampleAt(samples: Float32Array, index: number): number {
  const mirrored = index < 0 ? -index : index >= mostSamples ? 2 * (mostSamples - 1) - index : index;
  return samples[mirrored] ?? 0;
}

/**
 * `samples`: 16 kHz mono, -1 to 1, at most 30 s; what is missing is silence.
 * Gives [80, 3000], bin by bin: log10 of the power, at most 8 below its loudest, (x + 4) / 4.
 */
export function logMel(samples: Float32Array): Float32Array {
  if (samples.length > mostSamples) throw new RangeError(`Whisper hears 30 s at a time, not ${samples.length / hertz}`);
  const mel = new Float32Array(melBins * melFrames).fill(Math.log10(quietest));
  const spectrum = new PowerSpectrum();
  const windowed = new Float64Array(windowSamples);
  // Frames wholly within the padding stay at the quietest value.
  const heardFrames = Math.min(melFrames, Math.ceil((samples.length + windowSamples / 2) / hopSamples));
  for (let frame = 0; frame < heardFrames; frame += 1) {
    const start = frame * hopSamples - windowSamples / 2;
    for (let index = 0; index < windowSamples; index += 1) windowed[index] = sampleAt(samples, start + index) * (hann[index] ?? 0);
    spectrum.measure(windowed);
    for (const [bin, { firstBin, weights }] of filters.entries()) {
      let energy = 0;
      for (let offset = 0; offset < weights.length; offset += 1)
        energy += (weights[offset] ?? 0) * (spectrum.power[firstBin + offset] ?? 0);
      mel[bin * melFrames + frame] = Math.log10(Math.max(quietest, energy));
    }
  }
  const floor = mel.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY) - 8;
  return mel.map((value) => (Math.max(value, floor) + 4) / 4);
}

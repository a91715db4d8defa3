/** Loudness of one microphone. */
export interface LevelMeter {
  /** 0 to 1: from -60 dB to -10 dB of full scale. */
  read(): number;
  close(): void;
}

const quietDb = -60;
const loudDb = -10;

export function meterLevel(track: MediaStreamTrack): LevelMeter {
  const context = new AudioContext();
  const source = context.createMediaStreamSource(new MediaStream([track]));
  const analyser = new AnalyserNode(context, { fftSize: 1024 });
  source.connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  return {
    read() {
      analyser.getFloatTimeDomainData(samples);
      return levelOf(samples);
    },
    close() {
      source.disconnect();
      // A context that is closed already has nothing left to free.
      context.close().catch(() => {});
    },
  };
}

export function levelOf(samples: Float32Array): number {
  const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
  if (power === 0) return 0;
  return Math.min(1, Math.max(0, (10 * Math.log10(power) - quietDb) / (loudDb - quietDb)));
}

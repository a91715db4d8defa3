import { fileURLToPath } from 'node:url';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { listeningRate, type Vad } from '../media/ports.ts';

/*
 * Silero VAD v6 (MIT), from the package that carries it for browsers; only the model file is read.
 * It sees 512 new samples and the 64 before them, and hands its recurrent state from call to call.
 */

const frameSamples = 512;
const contextSamples = 64;
const stateShape = [2, 1, 128] as const;

/** The weights, read once per thread; whoever listens brings a state of their own. */
let weights: Promise<InferenceSession> | undefined;

function openWeights(): Promise<InferenceSession> {
  weights ??= InferenceSession.create(fileURLToPath(import.meta.resolve('@ricky0123/vad-web/dist/silero_vad_v6.onnx')), {
    // One frame is too little work to share: 0.15 ms.
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    logSeverityLevel: 3,
  });
  return weights;
}

export async function createVad(): Promise<Vad> {
  const session = await openWeights();
  const input = new Float32Array(contextSamples + frameSamples);
  const rate = new Tensor('int64', BigInt64Array.of(BigInt(listeningRate)), []);
  const freshState = () => new Tensor('float32', new Float32Array(stateShape[0] * stateShape[1] * stateShape[2]), stateShape);
  let state: Tensor = freshState();
  return {
    frameSamples,
    async probability(frame) {
      if (frame.length !== frameSamples) throw new RangeError(`a frame has ${frameSamples} samples, not ${frame.length}`);
      input.copyWithin(0, frameSamples);
      input.set(frame, contextSamples);
      const { output, stateN } = await session.run({ input: new Tensor('float32', input, [1, input.length]), state, sr: rate });
      const probability = output?.data[0];
      if (stateN === undefined || typeof probability !== 'number') throw new Error('the voice detector answered in another shape');
      state = stateN;
      return probability;
    },
    reset() {
      input.fill(0);
      state = freshState();
    },
  };
}

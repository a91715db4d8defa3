import { createOpusEncoder } from '../../packages/engine/src/adapters/node-av-opus.ts';
import { listeningRate, playoutRate } from '../../packages/engine/src/media/ports.ts';
import { asInt16, resample } from '../../packages/engine/src/media/resample.ts';
import { seeded } from './seeded.ts';

export interface SentPacket {
  readonly payload: Uint8Array;
  readonly timestamp: number;
  readonly sequence: number;
}

const frameSamples = playoutRate / 50;

/** What a browser sends of a recording at `listeningRate`: 20 ms of Opus each. */
export function microphonePackets(samples: Float32Array): readonly SentPacket[] {
  using encoder = createOpusEncoder({ bps: 32_000 });
  const pcm = asInt16(resample(samples, listeningRate, playoutRate));
  return Array.from({ length: Math.floor(pcm.length / frameSamples) }, (_, index) => ({
    payload: encoder.encode(pcm.subarray(index * frameSamples, (index + 1) * frameSamples)),
    timestamp: (4_294_000_000 + index * frameSamples) >>> 0,
    sequence: (65_500 + index) & 0xffff,
  }));
}

/** As they arrive over a poor network: some never, some after their successor. `loss` and `swaps` are shares. */
export function overPoorNetwork(
  packets: readonly SentPacket[],
  { loss, swaps, seed }: { readonly loss: number; readonly swaps: number; readonly seed: number },
) {
  const random = seeded(seed);
  const arrived = packets.filter(() => random() >= loss);
  for (let index = 1; index < arrived.length; index += 1) {
    const [before, packet] = [arrived[index - 1], arrived[index]];
    if (before !== undefined && packet !== undefined && random() < swaps) {
      arrived[index - 1] = packet;
      arrived[index] = before;
    }
  }
  return arrived;
}

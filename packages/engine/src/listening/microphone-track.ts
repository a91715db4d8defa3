import { type AudioDecoder, listeningRate, playoutRate } from '../media/ports.ts';
import { createResampler } from '../media/resample.ts';
import { type ArrivedPacket, type OrderedPacket, PacketOrder } from './packet-order.ts';

/** From a track's packets, as they arrive, to audio at `listeningRate`. */
export class MicrophoneTrack {
  readonly #order = new PacketOrder();
  readonly #resampler = createResampler(playoutRate, listeningRate);
  readonly #decoder: AudioDecoder;

  constructor(decoder: AudioDecoder) {
    this.#decoder = decoder;
  }

  push(packet: ArrivedPacket): readonly Float32Array[] {
    return this.#order.push(packet).map((item) => this.#resampler.push(this.#decode(item)));
  }

  #decode(item: OrderedPacket): Int16Array {
    if (item.type === 'silence') return new Int16Array(item.samples);
    try {
      return this.#decoder.decode(item.type === 'packet' ? item.payload : null);
    } catch {
      // Anybody can send rubbish on their own microphone; it sounds like nothing.
      return new Int16Array(0);
    }
  }
}

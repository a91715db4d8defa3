import { packTrack } from '../../adapters/node-av-matroska.ts';
import { createVideoEncoder } from '../../adapters/node-av-video.ts';
import { type EncodedFrame, framesPerSecond } from '../../media/ports.ts';
import { avatarSize } from './manifest.ts';

/** Frames from one key frame to the next; a viewer joins at one. */
export const framesPerKey = framesPerSecond;
/** Never needed in full; a bound that keeps quality even from one key frame to the next, bits a second. */
const idleBps = 1_500_000;

export interface Loop {
  /** Distinct ones, I420. */
  readonly frames: readonly Uint8Array[];
  readonly order: readonly number[];
}

/** The loop as viewers are sent it, VP8 in WebM. Calls `onFrame` after each. */
export async function idleFile({ frames, order }: Loop, onFrame: (done: number) => void = () => {}): Promise<Uint8Array> {
  using encoder = createVideoEncoder({ codec: 'VP8', width: avatarSize, height: avatarSize, bps: idleBps, effort: 'once' });
  const encoded: EncodedFrame[] = [];
  for (const [position, index] of order.entries()) {
    const frame = frames[index];
    if (frame === undefined) throw new RangeError('the order names a frame that is not there');
    encoded.push(await encoder.encode(frame, { key: position % framesPerKey === 0 }));
    onFrame(position + 1);
  }
  return packTrack('webm', { codec: 'VP8', width: avatarSize, height: avatarSize, parameters: null, frames: encoded });
}

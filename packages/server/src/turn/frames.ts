import { headerBytes } from './stun.ts';

/** Length that a ChannelData message claims, with its header. */
export function channelBytes(bytes: Uint8Array): number {
  return 4 + (((bytes[2] ?? 0) << 8) | (bytes[3] ?? 0));
}

/**
 * Both kinds of message that TURN puts on a stream say how long they are (RFC 8656, section 12.5). Null: neither kind.
 * At least four bytes must be there.
 */
export function frameBytes(bytes: Uint8Array): number | null {
  const first = bytes[0] ?? 0xff;
  if (first < 0x40) return headerBytes + (((bytes[2] ?? 0) << 8) | (bytes[3] ?? 0));
  return first <= 0x4f ? Math.ceil(channelBytes(bytes) / 4) * 4 : null;
}

/** Cuts what has come of a stream into whole messages; null: it is no TURN, or a message is longer than `maxBytes`. */
export function cutFrames(
  held: Uint8Array,
  maxBytes: number,
): { readonly frames: readonly Uint8Array[]; readonly rest: Uint8Array } | null {
  const frames: Uint8Array[] = [];
  let at = 0;
  while (held.length - at >= 4) {
    const length = frameBytes(held.subarray(at));
    if (length === null || length > maxBytes) return null;
    if (held.length - at < length) break;
    frames.push(held.subarray(at, at + length));
    at += length;
  }
  return { frames, rest: held.subarray(at) };
}

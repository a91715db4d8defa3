import { AV_FRAME_FLAG_CORRUPT, AV_NOPTS_VALUE, AVERROR_EAGAIN, AVERROR_EOF } from 'node-av/constants';
import { type CodecContext, Frame, type Packet } from 'node-av/lib';
import { type ClipLimits, ClipRefused, checkSize, maxFramesPerSecond } from '../avatar/source/clip.ts';
import { createConstantRate, tickMs } from '../avatar/source/constant-rate.ts';
import type { Film, FilmPacket } from './node-av-film.ts';

export interface DecodedFrame {
  /** Good until the next one is asked for. */
  readonly frame: Frame;
  /** ms from the first frame. */
  readonly atMs: number;
  /** ms; 0: not said. */
  readonly lastsMs: number;
}

/** Of a film's packets, how many may be broken: a telephone's storage loses one now and then, and the decoder makes up for it. */
const tolerableShare = 0.1;

/** Counts what a film is made of. Throws `too_heavy` at once, and `damaged` at the end. */
export interface Tally {
  packet(): void;
  frame(): void;
  fault(): void;
  end(): void;
}

export function createTally({ maxDurationMs }: ClipLimits): Tally {
  const most = (maxDurationMs / 1000 + 1) * maxFramesPerSecond;
  let packets = 0;
  let frames = 0;
  let faults = 0;
  return {
    packet() {
      packets += 1;
      if (packets > most) throw new ClipRefused('too_heavy');
    },
    frame() {
      frames += 1;
      if (frames > most) throw new ClipRefused('too_heavy');
    },
    fault() {
      faults += 1;
    },
    end() {
      if (frames === 0 || faults > packets * tolerableShare) throw new ClipRefused('damaged');
    },
  };
}

export interface Decoding {
  readonly film: Film;
  readonly limits: ClipLimits;
  readonly signal: AbortSignal;
}

/** All frames of a film in the order in which they are shown. Throws `ClipRefused` as soon as the film deserves it. */
export async function* decodedFrames({ film, limits, signal }: Decoding): AsyncGenerator<DecodedFrame, void, undefined> {
  const tally = createTally(limits);
  const stamps = stampsOf(film);
  const frame = new Frame();
  frame.alloc();
  try {
    for (;;) {
      signal.throwIfAborted();
      const read = await film.read();
      signal.throwIfAborted();
      if (read !== null) tally.packet();
      if (read?.corrupt) tally.fault();
      for await (const _ of framesOfPacket({ decoder: film.decoder, frame, tally }, read)) {
        checkSize(frame, limits, false);
        const atMs = stamps(frame);
        if (atMs > limits.maxDurationMs) throw new ClipRefused('too_long');
        yield { frame, atMs, lastsMs: Number(frame.duration) * film.unitMs };
      }
      if (read === null) break;
    }
    tally.end();
  } finally {
    frame.free();
  }
}

interface PacketDecoding {
  readonly decoder: CodecContext;
  readonly frame: Frame;
  readonly tally: Tally;
}

/** What comes out of the decoder, in its thread, when this goes in; null: what it still holds at the end. */
async function* framesOfPacket({ decoder, frame, tally }: PacketDecoding, read: FilmPacket | null): AsyncGenerator<void, void, undefined> {
  const packet: Packet | null = read?.packet ?? null;
  const sent = await decoder.sendPacket(packet);
  if (sent < 0 && sent !== AVERROR_EOF) {
    tally.fault();
    return;
  }
  for (;;) {
    frame.unref();
    const status = await decoder.receiveFrame(frame);
    if (status === AVERROR_EAGAIN || status === AVERROR_EOF) return;
    if (status < 0) {
      tally.fault();
      return;
    }
    tally.frame();
    if (frame.decodeErrorFlags !== 0 || frame.hasFlags(AV_FRAME_FLAG_CORRUPT)) tally.fault();
    yield;
  }
}

/** When frames begin, ms from the first. One that does not say begins a tick after its predecessor. */
function stampsOf({ unitMs }: Film): (frame: Frame) => number {
  let origin: bigint | null = null;
  let last = -tickMs;
  return (frame) => {
    const stamp = frame.bestEffortTimestamp;
    if (stamp === AV_NOPTS_VALUE) {
      last += tickMs;
      return last;
    }
    origin ??= stamp - BigInt(Math.round((last + tickMs) / unitMs));
    last = Number(stamp - origin) * unitMs;
    return last;
  };
}

export interface ShownFrame {
  readonly frame: Frame;
  /** Index of the first tick that shows it. */
  readonly first: number;
  /** For how many ticks; at least one. */
  readonly ticks: number;
}

/** The frames that a constant rate shows; the others are only decoded. */
export async function* shownFrames(decoding: Decoding): AsyncGenerator<ShownFrame, void, undefined> {
  const rate = createConstantRate();
  const most = Math.ceil(decoding.limits.maxDurationMs / tickMs);
  const held = new Frame();
  held.alloc();
  let first = 0;
  let lastsMs = 0;

  function* shown(ticks: number): Generator<ShownFrame, void, undefined> {
    const some = Math.min(ticks, most - first);
    if (some <= 0) return;
    yield { frame: held, first, ticks: some };
    first += some;
  }

  try {
    for await (const next of decodedFrames(decoding)) {
      yield* shown(rate.next(next.atMs));
      held.unref();
      if (held.ref(next.frame) < 0) throw new Error('no memory for a frame');
      lastsMs = next.lastsMs;
    }
    yield* shown(rate.end(lastsMs));
  } finally {
    held.free();
  }
}

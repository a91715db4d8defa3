import { PacketStatus, RunLengthChunk, type TransportWideCC } from 'werift';

/** What a browser says became of one packet. */
export interface Arrival {
  /** Transport-wide, 16 bits. */
  readonly sequence: number;
  /** Browser clock, ms; null: it has not come. */
  readonly atMs: number | null;
}

type Feedback = Pick<TransportWideCC, 'baseSequenceNumber' | 'packetStatusCount' | 'referenceTime' | 'packetChunks' | 'recvDeltas'>;

/** Browsers name their time in units of so many ms. */
const referenceMs = 64;

/**
 * The packets of one feedback, in order. Werift's own `packetResults` skips status vectors, starts every chunk at the
 * same packet and adds to each run one that came at time 0: a network measured by it gets slower for ever.
 */
export function arrivalsOf({
  baseSequenceNumber,
  packetStatusCount,
  referenceTime,
  packetChunks,
  recvDeltas,
}: Feedback): readonly Arrival[] {
  const arrivals: Arrival[] = [];
  let atMs = referenceTime * referenceMs;
  let received = 0;
  for (const status of statusesOf(packetChunks)) {
    if (arrivals.length >= packetStatusCount) break;
    const sequence = (baseSequenceNumber + arrivals.length) & 0xffff;
    const came = status === PacketStatus.TypeTCCPacketReceivedSmallDelta || status === PacketStatus.TypeTCCPacketReceivedLargeDelta;
    const delta = came ? recvDeltas[received] : undefined;
    if (came) received += 1;
    if (delta !== undefined) atMs += delta.delta / 1_000;
    arrivals.push({ sequence, atMs: delta === undefined ? null : atMs });
  }
  return arrivals;
}

function* statusesOf(chunks: Feedback['packetChunks']): Generator<number> {
  for (const chunk of chunks) {
    if (!(chunk instanceof RunLengthChunk)) yield* chunk.symbolList;
    else for (let nth = 0; nth < chunk.runLength; nth += 1) yield chunk.packetStatus;
  }
}

import { randomUUID } from 'node:crypto';
import type { SessionId } from '@virtual-tutor/schemas';
import { Student } from '../../packages/engine/src/adapters/werift-student.ts';
import type { MediaWorkers } from '../../packages/server/src/workers/media-workers.ts';
import { until } from './relays.ts';
import { createVideoDecoder, type VideoDecoder } from './seen-video.ts';

export interface SeenPicture {
  /** When its last packet came, by `performance.now()`. */
  readonly atMs: number;
  readonly key: boolean;
  /** I420. */
  readonly picture: Uint8Array;
}

/** What precedes VP8 in each payload that the engine sends (RFC 7741), bytes. */
const descriptorBytes = 4;

/** Connected to a worker without a browser: decodes every frame that comes, when it comes. */
export class WatchingStudent implements AsyncDisposable {
  readonly pictures: SeenPicture[] = [];
  readonly #student = new Student('VP8');
  readonly #decoder: VideoDecoder = createVideoDecoder('VP8');
  #parts: Buffer[] = [];
  #closed = false;

  static async connect(workers: MediaWorkers, sessionId: SessionId): Promise<WatchingStudent> {
    const watching = new WatchingStudent();
    const student = watching.#student;
    student.connection.onTrack.subscribe((track) => {
      if (track.kind === 'video') track.onReceiveRtp.subscribe(({ payload, header }) => watching.#take(payload, header.marker));
    });
    const offerSdp = await student.offer();
    const answer = await workers.request({ type: 'negotiate', sessionId, peerId: randomUUID(), offerSdp });
    if (answer.type !== 'answered') throw new Error(`the engine said no: ${JSON.stringify(answer)}`);
    await student.take(answer.answerSdp);
    await until(() => watching.pictures.length > 0);
    return watching;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.#student[Symbol.asyncDispose]();
    this.#decoder[Symbol.dispose]();
  }

  /** Packets of loopback come in order and all. */
  #take(payload: Buffer, isLast: boolean): void {
    if (this.#closed) return;
    this.#parts.push(payload.subarray(descriptorBytes));
    if (!isLast) return;
    const data = Buffer.concat(this.#parts);
    this.#parts = [];
    // The lowest bit of a VP8 frame is 0 in key frames (RFC 6386 section 9.1).
    const key = ((data[0] ?? 1) & 1) === 0;
    if (this.pictures.length === 0 && !key) return;
    this.pictures.push({ atMs: performance.now(), key, picture: this.#decoder.decode({ data, key }) });
  }
}

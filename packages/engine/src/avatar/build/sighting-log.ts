import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { z } from 'zod';
import { Sighting } from './sighting.ts';

/** Pictures that are looked at again, at most, when the process dies: a second of the clip. */
export const batchSize = 25;

/**
 * Sightings of a clip's pictures in order, a line each, kept batch by batch while they are gathered: looking for faces is what takes
 * longest of a build.
 */
export class SightingLog implements AsyncDisposable {
  readonly sightings: Sighting[];
  readonly #file: FileHandle;
  #bytes: number;
  #kept: number;

  /** `input`: hash of what the sightings depend on; a log of anything else is begun anew. */
  static async open(path: string, input: string): Promise<SightingLog> {
    const file = await open(path, constants.O_RDWR | constants.O_CREAT, 0o600);
    try {
      const text = await file.readFile('utf8');
      const header = `${JSON.stringify({ input })}\n`;
      const known = text.startsWith(header) ? wholeBatches(text.slice(header.length)) : null;
      const bytes = known === null ? 0 : Buffer.byteLength(header) + known.bytes;
      await file.truncate(bytes);
      const log = new SightingLog(file, known?.sightings ?? [], bytes);
      if (known === null) await log.#append(header);
      return log;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  private constructor(file: FileHandle, sightings: Sighting[], bytes: number) {
    this.#file = file;
    this.#bytes = bytes;
    this.#kept = sightings.length;
    this.sightings = sightings;
  }

  async add(sighting: Sighting): Promise<void> {
    this.sightings.push(sighting);
    if (this.sightings.length % batchSize === 0) await this.keep();
  }

  /** All so far are on disk. */
  async keep(): Promise<void> {
    const lines = this.sightings.slice(this.#kept).map((sighting) => `${JSON.stringify(sighting)}\n`);
    await this.#append(lines.join(''));
    this.#kept = this.sightings.length;
  }

  async #append(text: string): Promise<void> {
    const bytes = Buffer.from(text);
    let done = 0;
    try {
      while (done < bytes.length) done += (await this.#file.write(bytes, done, bytes.length - done, this.#bytes + done)).bytesWritten;
      await this.#file.datasync();
    } catch (error) {
      await this.#file.truncate(this.#bytes);
      throw error;
    }
    this.#bytes += bytes.length;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#file.close();
  }
}

interface Known {
  readonly sightings: Sighting[];
  readonly bytes: number;
}

/** What a dying process wrote of a batch does not count: the next process looks for faces as if it began with the batch. */
function wholeBatches(text: string): Known {
  const lines = text.split('\n').slice(0, -1);
  const whole: string[] = [];
  const sightings: Sighting[] = [];
  for (const line of lines) {
    const parsed = Line.safeParse(line);
    if (!parsed.success) break;
    whole.push(line);
    sightings.push(parsed.data);
  }
  const count = whole.length - (whole.length % batchSize);
  return {
    sightings: sightings.slice(0, count),
    bytes: Buffer.byteLength(
      whole
        .slice(0, count)
        .map((line) => `${line}\n`)
        .join(''),
    ),
  };
}

const Line = z
  .string()
  .transform((line, context): unknown => {
    try {
      return JSON.parse(line);
    } catch {
      context.addIssue('not JSON');
      return z.NEVER;
    }
  })
  .pipe(Sighting);

import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AvatarArtifact, type AvatarStage, Sha256 } from '@virtual-tutor/schemas';
import { z } from 'zod';
import { readHashed } from '../artifact/checked-file.ts';
import { draftSuffix, syncFolder, writeDurably } from '../artifact/durable-file.ts';

/** What a finished stage leaves: the next one begins with it, in this process or in another. */
export interface Finished<T> {
  readonly data: T;
  /** Of its input, its data and its files. */
  readonly sha256: string;
  readonly files: readonly AvatarArtifact[];
}

export interface StageWork<T> {
  readonly stage: AvatarStage;
  /** SHA-256 of all that the outcome depends on. */
  readonly input: string;
  readonly schema: z.ZodType<T>;
  run(): Promise<{ readonly data: T; readonly files: readonly AvatarArtifact[] }>;
}

const Stored = z.strictObject({ input: Sha256, data: z.unknown(), files: z.array(AvatarArtifact) });

/** Where a build keeps what it has done: a record for each stage that is finished, its files beside it. */
export class WorkFolder {
  readonly path: string;
  readonly #folder: string;

  /** Throws away what the process before did not finish writing. */
  static async open(folder: string): Promise<WorkFolder> {
    const work = new WorkFolder(folder);
    await mkdir(work.path, { recursive: true, mode: 0o700 });
    for (const place of [folder, work.path]) {
      for (const name of await readdir(place)) if (name.endsWith(draftSuffix)) await rm(join(place, name));
    }
    return work;
  }

  private constructor(folder: string) {
    this.#folder = folder;
    this.path = join(folder, 'work');
  }

  file(name: string): string {
    return join(this.path, name);
  }

  write(name: string, bytes: Uint8Array): Promise<AvatarArtifact> {
    return writeDurably(this.file(name), bytes);
  }

  /** Runs the stage unless it was finished with the same input. */
  async stage<T>({ stage, input, schema, run }: StageWork<T>): Promise<Finished<T>> {
    const name = `stage-${stage}.json`;
    const known = await this.#finished(name, input);
    if (known !== null) return { ...known, data: schema.parse(known.data) };
    const { data, files } = await run();
    const record = Buffer.from(JSON.stringify({ input, data, files }));
    const { sha256 } = await this.write(name, record);
    // As the next process would read it.
    return { data: schema.parse(JSON.parse(JSON.stringify(data))), files, sha256 };
  }

  async #finished(name: string, input: string): Promise<Finished<unknown> | null> {
    const record = await readFile(this.file(name)).catch(() => null);
    if (record === null) return null;
    const stored = Stored.safeParse(json(record));
    if (!stored.success || stored.data.input !== input) return null;
    for (const file of stored.data.files) if (!(await this.#holds(file))) return null;
    return { ...stored.data, sha256: createHash('sha256').update(record).digest('hex') };
  }

  /** Here, or already where it is to be in the end. */
  async #holds({ name, sha256 }: AvatarArtifact): Promise<boolean> {
    for (const place of [this.path, this.#folder]) {
      const file = await readHashed(join(place, name), false).catch(() => null);
      if (file?.sha256 === sha256) return true;
    }
    return false;
  }

  /** A finished file's bytes. */
  async read({ name }: AvatarArtifact): Promise<Uint8Array> {
    return readFile(this.file(name)).catch(() => readFile(join(this.#folder, name)));
  }

  /** Files of finished stages go to where they are to be. May be done again. */
  async publish(files: readonly AvatarArtifact[]): Promise<void> {
    for (const { name } of files) {
      await rename(this.file(name), join(this.#folder, name)).catch((error: unknown) => {
        // The process before had got so far: the stage's hashes were compared.
        if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
      });
    }
    await syncFolder(this.#folder);
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
    await syncFolder(this.#folder);
  }
}

function json(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return null;
  }
}

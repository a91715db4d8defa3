import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Seal } from '@virtual-tutor/schemas';
import { canonicalSeal } from '../app/seal.ts';
import { type ExportedSeals, type Handing, SealConflict, type SealOutlet, SealUnreadable } from '../app/seal-ports.ts';
import { parseSeal } from './seal-store.ts';

const fileName = /^\d{8,}\.json$/;

/**
 * Seals as files that are made once and never written again: `00000007.json`, and beside it `00000007.hashes`, by which a
 * verification finds the very event that was changed. Readable by others: nothing in them is secret.
 */
export class SealFolder implements SealOutlet, ExportedSeals {
  readonly name = 'SEALS_DIR';
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async take(seal: Seal, { hashes }: Pick<Handing, 'hashes'>): Promise<void> {
    const there = await this.#read(`${nameOf(seal.sealNo)}.json`);
    if (there !== null) {
      if (there.toString().trim() !== canonicalSeal(seal)) throw new SealConflict(seal.sealNo);
      return;
    }
    await mkdir(this.#folder, { recursive: true, mode: 0o755 });
    const leaves = await hashes();
    if (leaves !== null) await this.#write(`${nameOf(seal.sealNo)}.hashes`, leaves);
    // Last: where this is, all is.
    await this.#write(`${nameOf(seal.sealNo)}.json`, `${canonicalSeal(seal)}\n`);
  }

  async has(sealNo: number): Promise<boolean> {
    return (await this.#read(`${nameOf(sealNo)}.json`)) !== null;
  }

  async *read(): AsyncGenerator<Seal, void, undefined> {
    const names = await readdir(this.#folder).catch((error: unknown) => {
      if (hasCode(error, 'ENOENT')) return [];
      throw error;
    });
    for (const name of names.filter((one) => fileName.test(one)).sort()) {
      const text = await this.#read(name);
      const seal = text === null ? null : parseSeal(text.toString());
      const sealNo = Number.parseInt(name, 10);
      if (seal?.sealNo !== sealNo) throw new SealUnreadable(sealNo);
      yield seal;
    }
  }

  hashes(sealNo: number): Promise<Buffer | null> {
    return this.#read(`${nameOf(sealNo)}.hashes`);
  }

  async #read(name: string): Promise<Buffer | null> {
    return readFile(join(this.#folder, name)).catch((error: unknown) => {
      if (hasCode(error, 'ENOENT')) return null;
      throw error;
    });
  }

  /** Whole or not at all, and never over one that is there. */
  async #write(name: string, content: string | Buffer): Promise<void> {
    const draft = join(this.#folder, `.${name}.${randomUUID()}`);
    try {
      {
        await using file = await open(draft, 'wx', 0o644);
        await file.writeFile(content);
        await file.sync();
      }
      await link(draft, join(this.#folder, name)).catch((error: unknown) => {
        if (!hasCode(error, 'EEXIST')) throw error;
      });
    } finally {
      await rm(draft, { force: true });
    }
    await using folder = await open(this.#folder, 'r');
    await folder.sync();
  }
}

function nameOf(sealNo: number): string {
  return String(sealNo).padStart(8, '0');
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

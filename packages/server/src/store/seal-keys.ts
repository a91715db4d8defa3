import { existsSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type SealKey, sealKeyOf } from '../app/seal.ts';
import type { SealKeys } from '../app/seal-ports.ts';
import { openSecretFile } from './secret-file.ts';

/** In a secret's file, and for the time of a rotation in two: whenever the process dies, the key in force is in one of them. */
export class FileSealKeys implements SealKeys {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  async first(): Promise<SealKey> {
    return sealKeyOf(await openSecretFile(this.#path));
  }

  async next(): Promise<SealKey> {
    return sealKeyOf(await openSecretFile(this.#nextPath));
  }

  async own(publicKey: string): Promise<SealKey | null> {
    // Asked for by a node that does not have it, a key is not made.
    const current = existsSync(this.#path) ? await this.first() : null;
    if (current?.publicKey === publicKey) return current;
    if (!existsSync(this.#nextPath)) return null;
    const next = await this.next();
    if (next.publicKey !== publicKey) return null;
    await rename(this.#nextPath, this.#path);
    await using folder = await open(dirname(this.#path), 'r');
    await folder.sync();
    return next;
  }

  get #nextPath(): string {
    return `${this.#path}.next`;
  }
}

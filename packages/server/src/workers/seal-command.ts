import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Seal } from '@virtual-tutor/schemas';
import { z } from 'zod';
import { canonicalSeal } from '../app/seal.ts';
import { type Handing, SealConflict, type SealOutlet } from '../app/seal-ports.ts';
import { inheritedEnvironment } from './inherited-environment.ts';

const timeoutMs = 30_000;

const Progress = z.object({ logId: z.string(), sealNo: z.number().int() });

/**
 * Gives each seal to a command of the operator's, on its standard input; leaving with 0 means that it is safe. It runs at least
 * once for each seal, and again for one during which the engine died.
 */
export class SealCommand implements SealOutlet {
  readonly name = 'SEALS_COMMAND';
  readonly #command: string;
  /** Where it says how far it is. */
  readonly #progressFile: string;

  constructor(options: { readonly command: string; readonly progressFile: string }) {
    this.#command = options.command;
    this.#progressFile = options.progressFile;
  }

  async take(seal: Seal, { signal }: Pick<Handing, 'signal'>): Promise<void> {
    const progress = await this.#progress();
    if (progress !== null && progress.logId !== seal.logId) throw new SealConflict(seal.sealNo);
    if (progress !== null && progress.sealNo >= seal.sealNo) return;
    await this.#run(seal, signal);
    await this.#note({ logId: seal.logId, sealNo: seal.sealNo });
  }

  async has(sealNo: number): Promise<boolean> {
    const progress = await this.#progress();
    return progress !== null && progress.sealNo >= sealNo;
  }

  async #run(seal: Seal, signal: AbortSignal): Promise<void> {
    const child = spawn('/bin/sh', ['-c', this.#command], {
      stdio: ['pipe', 'ignore', 'ignore'],
      env: { ...inheritedEnvironment(), SEAL_NO: String(seal.sealNo) },
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      killSignal: 'SIGKILL',
    });
    // A command that does not read its input is judged by how it leaves.
    child.stdin.on('error', () => undefined);
    child.stdin.end(`${canonicalSeal(seal)}\n`);
    const [code] = await once(child, 'close');
    if (code !== 0) throw new Error(`SEALS_COMMAND left with ${code === null ? 'a signal' : code}`);
  }

  async #progress(): Promise<z.infer<typeof Progress> | null> {
    const text = await readFile(this.#progressFile, 'utf8').catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
      throw error;
    });
    return text === null ? null : Progress.parse(JSON.parse(text));
  }

  async #note(progress: z.infer<typeof Progress>): Promise<void> {
    const draft = `${this.#progressFile}.${randomUUID()}`;
    {
      await using file = await open(draft, 'wx', 0o600);
      await file.writeFile(JSON.stringify(progress));
      await file.sync();
    }
    await rename(draft, this.#progressFile);
    await using folder = await open(dirname(this.#progressFile), 'r');
    await folder.sync();
  }
}

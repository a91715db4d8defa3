import { type ChildProcess, fork } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BuildCommand, BuildFact, BuildOutcome } from '@virtual-tutor/engine/avatar-build';
import { type AvatarBuilder, type BuildRequest, type BuildVerdict, tooHeavy } from '../app/avatar-builds.ts';
import { inheritedEnvironment } from './inherited-environment.ts';

export interface AvatarBuildProcessOptions {
  /** `AVATARS_DIR` */
  readonly folder: string;
  readonly maxClipMs: number;
  /** A fault in the builder, on one line: kinds and places, never words. */
  readonly onFault: (fault: string) => void;
}

const program = fileURLToPath(import.meta.resolve('@virtual-tutor/engine/avatar-build/program'));
/** Of one frame of a film, px: 4096 x 2304. */
const maxPixels = 4096 * 2304;
/** Three times the longest clip takes less, even on a busy machine, ms. */
const limitMs = 30 * 60_000;
/** V8's heap, MiB; pictures lie outside it. */
const heapMiB = 512;
/** All of the process, bytes. */
const residentBytes = 1.5 * 1024 ** 3;
const lookMs = 1_000;
/** Of a page, bytes: what Linux counts a process's memory in. */
const pageBytes = 4_096;

/** Builds in a process of its own, which may crash, hang or swell without anybody else noticing. */
export class AvatarBuildProcess implements AvatarBuilder {
  readonly #options: AvatarBuildProcessOptions;

  constructor(options: AvatarBuildProcessOptions) {
    this.#options = options;
  }

  async build({ avatarId, signal, onProgress }: BuildRequest): Promise<BuildVerdict> {
    signal.throwIfAborted();
    const child = fork(program, {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      env: inheritedEnvironment(),
      execArgv: [`--max-old-space-size=${heapMiB}`],
    });
    const end = watched(child, signal);
    let said: BuildVerdict | null = null;
    child.on('message', (fact: BuildFact) => {
      if (fact.type === 'progress') onProgress(fact.stage, fact.fraction);
      if (fact.type === 'outcome') said = verdictOf(fact.outcome);
      if (fact.type === 'failed') {
        this.#options.onFault(fact.fault);
        said = { status: 'failed', code: fact.code, retryable: fact.code !== 'source_missing' };
      }
    });
    const limits = { maxDurationMs: this.#options.maxClipMs, maxPixels };
    child.send({ type: 'build', folder: join(this.#options.folder, avatarId), limits } satisfies BuildCommand);
    const endedBy = await end;
    signal.throwIfAborted();
    if (said !== null) return said;
    switch (endedBy) {
      case 'memory':
        return { status: 'rejected', reasons: [...tooHeavy] };
      case 'time':
        return { status: 'failed', code: 'timeout', retryable: false };
      case 'itself':
        return { status: 'failed', code: 'crashed', retryable: true };
    }
  }
}

/** Resolves when the process is gone, with what ended it. */
function watched(child: ChildProcess, signal: AbortSignal): Promise<'itself' | 'time' | 'memory'> {
  return new Promise((resolve) => {
    let endedBy: 'itself' | 'time' | 'memory' = 'itself';
    const kill = () => child.kill('SIGKILL');
    const timer = setTimeout(() => {
      endedBy = 'time';
      kill();
    }, limitMs);
    const look = setInterval(async () => {
      if (child.pid === undefined || (await residentOf(child.pid)) < residentBytes) return;
      endedBy = 'memory';
      kill();
    }, lookMs);
    signal.addEventListener('abort', kill, { once: true });
    const gone = () => {
      clearTimeout(timer);
      clearInterval(look);
      signal.removeEventListener('abort', kill);
      resolve(endedBy);
    };
    // More than one may come: of a process that did not start, and of what could not be told to it.
    child.on('error', gone);
    // Not `exit`, which may come before the verdict that the process sent last has been read.
    child.once('close', gone);
  });
}

/** Bytes; 0 where the system does not tell (proc(5), `statm`). */
async function residentOf(pid: number): Promise<number> {
  const [, pages] = (await readFile(`/proc/${pid}/statm`, 'utf8').catch(() => '')).split(' ');
  return Number(pages ?? 0) * pageBytes;
}

function verdictOf(outcome: BuildOutcome): BuildVerdict {
  if (outcome.status === 'rejected') return { status: 'rejected', reasons: [...outcome.reasons] };
  const { manifest, quality } = outcome;
  const { order, fps, width, height, renderer, artifacts } = manifest;
  return { status: 'ready', result: { frames: order.length, fps, width, height, renderer: renderer.kind, quality, artifacts } };
}

import { setPriority } from 'node:os';
import type { AvatarStage } from '@virtual-tutor/schemas';
import { openFaceFinder } from '../../adapters/face-api.ts';
import { describeFault } from '../../worker/fault.ts';
import type { ClipLimits } from '../source/clip.ts';
import type { BuildOutcome } from './build.ts';
import { buildAvatar } from './build-avatar.ts';
import { BuildStopped } from './build-stopped.ts';

/*
 * The program that builds one avatar: a child of the server process, which sends `build` once and hears how it goes. It ends by itself,
 * and when the server does. Whoever starts it limits its time and its memory.
 */

export interface BuildCommand {
  readonly type: 'build';
  readonly folder: string;
  readonly limits: ClipLimits;
}

export type BuildFact =
  | { readonly type: 'progress'; readonly stage: AvatarStage; readonly fraction: number }
  | { readonly type: 'outcome'; readonly outcome: BuildOutcome }
  /** Without a verdict; `fault` is for the engine's log. */
  | { readonly type: 'failed'; readonly code: BuildStopped['code'] | 'crashed'; readonly fault: string };

/** Sessions in progress come first. */
const niceness = 19;

function emit(fact: BuildFact): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected) process.send?.(fact, undefined, undefined, () => resolve());
    else resolve();
  });
}

async function run({ folder, limits }: BuildCommand): Promise<BuildFact> {
  try {
    await using finder = await openFaceFinder();
    const outcome = await buildAvatar({
      folder,
      finder,
      limits,
      onProgress: (stage, fraction) => void emit({ type: 'progress', stage, fraction }),
      signal: new AbortController().signal,
    });
    return { type: 'outcome', outcome };
  } catch (error) {
    return { type: 'failed', code: error instanceof BuildStopped ? error.code : 'crashed', fault: describeFault(error) };
  }
}

setPriority(niceness);
process.on('disconnect', () => process.exit(0));
process.once('message', (command: BuildCommand) => {
  void run(command)
    .then(emit)
    .finally(() => process.exit(0));
});

import { systemCode } from '../artifact/system-error.ts';

const sentences = {
  source_missing: 'The clip is not there any more; upload it again.',
  disk_full: 'There is no room on the disk; make some and build the avatar again.',
} as const;

/** A build that ended without a verdict on the clip, for a reason that the operator can act on. */
export class BuildStopped extends Error {
  override readonly name = 'BuildStopped';
  readonly code: keyof typeof sentences;
  constructor(code: BuildStopped['code'], options?: ErrorOptions) {
    super(sentences[code], options);
    this.code = code;
  }
}

/** What to tell of an error: `disk_full` of those that say so, in whatever library they arose. */
export function stoppedBy(error: unknown): unknown {
  const code = systemCode(error);
  return code === 'ENOSPC' || code === 'EDQUOT' ? new BuildStopped('disk_full', { cause: error }) : error;
}

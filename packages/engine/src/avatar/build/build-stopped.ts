import { codedError } from '../../coded-error.ts';
import { systemCode } from '../artifact/system-error.ts';

/** A build that ended without a verdict on the clip, for a reason that the operator can act on. */
export class BuildStopped extends codedError('BuildStopped', {
  source_missing: 'The clip is not there any more; upload it again.',
  disk_full: 'There is no room on the disk; make some and build the avatar again.',
}) {}

/** What to tell of an error: `disk_full` of those that say so, in whatever library they arose. */
export function stoppedBy(error: unknown): unknown {
  const code = systemCode(error);
  return code === 'ENOSPC' || code === 'EDQUOT' ? new BuildStopped('disk_full', { cause: error }) : error;
}

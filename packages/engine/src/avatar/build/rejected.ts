import type { AvatarFault } from '@virtual-tutor/schemas';

export interface RejectionReason {
  readonly code: AvatarFault;
  /** Index of the worst picture of the clip; null where none shows it. */
  readonly picture: number | null;
}

/** The clip is at fault: the build has come to its verdict. */
export class Rejected extends Error {
  override readonly name = 'Rejected';
  readonly reasons: readonly RejectionReason[];
  constructor(reasons: readonly RejectionReason[]) {
    super('the clip cannot become a face');
    this.reasons = reasons;
  }
}

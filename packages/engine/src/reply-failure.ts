import type { ErrorCode } from '@virtual-tutor/schemas';

/** The reply broke off or never began. `message` holds no words of the lesson. */
export class ReplyFailure extends Error {
  override readonly name = 'ReplyFailure';
  readonly code: Extract<ErrorCode, 'model_unavailable' | 'timeout'>;
  constructor(code: ReplyFailure['code'], reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.code = code;
  }
}

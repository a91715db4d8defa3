import { LinkLost, TutorError } from './errors.ts';

/** Close codes of the engine's WebSocket. */
export const tokenExpired = 4401;
export const slowConsumer = 4408;
export const sessionEnded = 4410;
/** RFC 6455 section 7.4.1. */
export const tooLarge = 1009;

/** What a closed socket means for those who used it. */
export function errorOfClose(code: number | undefined): TutorError {
  switch (code) {
    case tokenExpired:
      return new TutorError('unauthorized', 'the token has expired or was revoked');
    case sessionEnded:
      return new TutorError('session_ended', 'the session has ended');
    case tooLarge:
      return new TutorError('payload_too_large', 'the message is larger than the engine takes');
    default:
      return new LinkLost(`the connection was lost (${code ?? 'no code'})`);
  }
}

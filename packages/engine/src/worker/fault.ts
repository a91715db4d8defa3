/** Frames of a stack worth keeping. */
const mostFrames = 6;

/**
 * A fault on one line, for the engine's log: kinds of errors and where they came from. Never a message, since
 * those of libraries quote what they were given: a sentence, a transcript.
 */
export function describeFault(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  const at = frames.slice(0, mostFrames).map((line) => line.trim());
  const code = 'code' in error && typeof error.code === 'string' ? ` ${error.code}` : '';
  const cause = error.cause === undefined ? '' : `, because of ${describeFault(error.cause)}`;
  return `${error.name}${code} ${at.join(' ')}${cause}`;
}

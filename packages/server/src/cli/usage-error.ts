/** The command line is not right. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

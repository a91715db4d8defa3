/** The operating system's name of an error (`ENOSPC`, `ENOENT`), null for any other error. */
export function systemCode(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}

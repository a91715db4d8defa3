/** `LONG=1 npm test` runs what takes minutes, too. */
export const isLong = process.env['LONG'] === '1';

/** How often: a few times in every run, and as often as it takes to be sure in a long one. */
export function often(times: { readonly few: number; readonly long: number }): number {
  return isLong ? times.long : times.few;
}

/** A whole number from `least` to `most`, another one each time: where in its work a process dies. */
export function anywhere({ least, most }: { readonly least: number; readonly most: number }): number {
  return least + Math.floor(Math.random() * (most - least + 1));
}

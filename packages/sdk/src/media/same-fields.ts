/** Both say the same: nobody needs to be told. */
export function sameFields<T extends object>(a: T, b: T): boolean {
  const others = new Map<string, unknown>(Object.entries(b));
  return Object.entries(a).every(([name, value]) => others.get(name) === value);
}

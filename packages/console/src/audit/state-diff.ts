import { isRecord } from '../engine/plain-data.ts';

/** One place where two states differ; undefined: not there. */
export interface Change {
  /** Keys and indexes from the root, e.g. `turns`, `0`, `status`. */
  readonly path: readonly string[];
  readonly before: unknown;
  readonly after: unknown;
}

/** Where two JSON values differ, down to the smallest parts, in the order of the newer one. */
export function stateDiff(before: unknown, after: unknown, path: readonly string[] = []): readonly Change[] {
  const [old, now] = [partsOf(before), partsOf(after)];
  if (old === null || now === null || Array.isArray(before) !== Array.isArray(after))
    return Object.is(before, after) || (old !== null && now !== null && old.size + now.size === 0) ? [] : [{ path, before, after }];
  return [...new Set([...now.keys(), ...old.keys()])].flatMap((key) => stateDiff(old.get(key), now.get(key), [...path, key]));
}

function partsOf(value: unknown): ReadonlyMap<string, unknown> | null {
  if (Array.isArray(value)) return new Map(value.map((part, index) => [String(index), part]));
  return isRecord(value) ? new Map(Object.entries(value)) : null;
}

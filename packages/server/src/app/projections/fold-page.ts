import { categoryOf } from '@virtual-tutor/schemas';
import { type ClearEvent, decodeClear, UnknownEvent } from '../event-codec.ts';
import type { StoredEvent } from '../ports.ts';
import type { Placing, Projection } from './projection.ts';

/** An event that a projection cannot take. */
export interface Poison {
  readonly position: number;
  readonly error: unknown;
}

type Readable = { readonly stored: StoredEvent; readonly event: ClearEvent } | { readonly stored: StoredEvent; readonly error: unknown };

/** One projection's part of a page, up to the first event that it cannot take. */
export interface Plan {
  readonly steps: readonly { readonly key: string; readonly event: ClearEvent }[];
  readonly poison: Poison | null;
}

/** Read once for all projections. Events of a newer engine are left out: a fold that needs them has a higher version, and is not run here. */
export function readPage(page: readonly StoredEvent[]): readonly Readable[] {
  return page.flatMap((stored): Readable[] => {
    try {
      return [{ stored, event: decodeClear(stored) }];
    } catch (error) {
      return error instanceof UnknownEvent ? [] : [{ stored, error }];
    }
  });
}

export function planOf(projection: Projection, page: readonly Readable[]): Plan {
  const steps: { readonly key: string; readonly event: ClearEvent }[] = [];
  for (const readable of page) {
    if (categoryOf(readable.stored.stream) !== projection.reads) continue;
    const { position } = readable.stored;
    if ('error' in readable) return { steps, poison: { position, error: readable.error } };
    try {
      const key = projection.keyOf(readable.event);
      if (key !== null) steps.push({ key, event: readable.event });
    } catch (error) {
      return { steps, poison: { position, error } };
    }
  }
  return { steps, poison: null };
}

export function keysOf({ steps }: Plan): readonly string[] {
  return [...new Set(steps.map(({ key }) => key))];
}

/** The rows that the plan changes, given those that are stored under its keys. */
export function foldPlan(
  projection: Projection,
  { steps, poison }: Plan,
  stored: ReadonlyMap<string, unknown> | undefined,
): { readonly rows: ReadonlyMap<string, Placing | null>; readonly poison: Poison | null } {
  const before = new Map<string, Placing | null>();
  const now = new Map<string, Placing | null>();
  const changed = () => new Map([...now].filter(([key, row]) => row !== before.get(key)));
  for (const { key, event } of steps) {
    try {
      if (!before.has(key)) {
        const row = stored?.get(key);
        before.set(key, row === undefined ? null : projection.parse(row));
      }
      const row = now.has(key) ? now.get(key) : before.get(key);
      now.set(key, projection.evolve(row ?? null, event));
    } catch (error) {
      return { rows: changed(), poison: { position: event.stored.position, error } };
    }
  }
  return { rows: changed(), poison };
}

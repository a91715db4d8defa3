/** What waits for the recogniser. */
export interface Waiting {
  /** Whose it is: owners take turns. */
  readonly owner: string;
  /** A partial is worth nothing once there is a newer one, or the final. */
  readonly kind: 'partial' | 'final';
}

interface Line<T> {
  readonly finals: T[];
  partial: T | null;
}

/** Finals that one owner may have waiting; a student who talks on while two utterances wait has outrun the machine. */
const finalsPerOwner = 2;

/**
 * Waiting recognitions: finals before partials, owners in turn. Bounded by the number of owners: each
 * has at most one partial (a newer one or a final takes its place) and two finals.
 */
export class RecognitionQueue<T extends Waiting> {
  /** In the order of their turns. */
  readonly #lines = new Map<string, Line<T>>();

  /** What will never run because of this: an older partial, or the item itself. */
  push(item: T): readonly T[] {
    const line = this.#lines.get(item.owner) ?? { finals: [], partial: null };
    this.#lines.set(item.owner, line);
    if (item.kind === 'final' && line.finals.length >= finalsPerOwner) return [item];
    const replaced = line.partial === null ? [] : [line.partial];
    line.partial = item.kind === 'partial' ? item : null;
    if (item.kind === 'final') line.finals.push(item);
    return replaced;
  }

  take(): T | undefined {
    return this.#takeOf((line) => line.finals.shift()) ?? this.#takeOf(takePartial);
  }

  #takeOf(from: (line: Line<T>) => T | undefined): T | undefined {
    for (const [owner, line] of this.#lines) {
      const item = from(line);
      if (item === undefined) continue;
      this.#lines.delete(owner);
      // To the end of the round.
      if (line.finals.length > 0 || line.partial !== null) this.#lines.set(owner, line);
      return item;
    }
    return undefined;
  }

  remove(item: T): void {
    const line = this.#lines.get(item.owner);
    if (line === undefined) return;
    if (line.partial === item) line.partial = null;
    const at = line.finals.indexOf(item);
    if (at >= 0) line.finals.splice(at, 1);
    if (line.finals.length === 0 && line.partial === null) this.#lines.delete(item.owner);
  }
}

function takePartial<T>(line: Line<T>): T | undefined {
  const partial = line.partial ?? undefined;
  line.partial = null;
  return partial;
}

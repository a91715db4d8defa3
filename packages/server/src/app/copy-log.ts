import { createHash } from 'node:crypto';
import { commandIdOf } from './ids.ts';
import type { EventStore, StoredEvent } from './ports.ts';

const pageSize = 500;
const maxEvents = 100;

/** The target holds something that the source does not, at the same place. */
export class LogsDiffer extends Error {
  override readonly name = 'LogsDiffer';
  constructor(position: number) {
    super(`the logs differ at position ${position}: the target must be empty, or hold the beginning of a copy of this log`);
  }
}

export interface CopyReport {
  readonly events: number;
  readonly streams: number;
  /** Hex SHA-256 over stream, revision and chain hash of every event, in order: equal for equal logs. */
  readonly fingerprint: string;
}

/**
 * Copies what the target does not have yet, then reads both logs whole and compares every event. Nobody may write to either. Goes on
 * where it was broken off. Which command made an event is not carried over: a command of before is decided anew. Throws `LogsDiffer`.
 */
export async function copyLog(from: EventStore, to: EventStore, onCopied: (position: number) => void): Promise<CopyReport> {
  for (let after = await to.head(); ; ) {
    const page = await from.readAll({ after, limit: pageSize });
    const last = page.at(-1);
    if (last === undefined) break;
    for (const run of runsOf(page)) await copyRun(to, run);
    after = last.position;
    onCopied(after);
  }
  return compareLogs(from, to);
}

/** Throws `LogsDiffer` at the first event that is not the same. */
export async function compareLogs(one: EventStore, other: EventStore): Promise<CopyReport> {
  const fingerprint = createHash('sha256');
  const streams = new Set<string>();
  for (let after = 0; ; ) {
    const [page, same] = await Promise.all([one, other].map((store) => store.readAll({ after, limit: pageSize })));
    if (page === undefined || same === undefined) throw new Error('two logs were read');
    const place = Array.from({ length: Math.max(page.length, same.length) }, (_, index) => index);
    const differing = place.find((index) => evidenceOf(page[index]) !== evidenceOf(same[index]));
    if (differing !== undefined) throw new LogsDiffer(after + differing + 1);
    for (const { stream, revision, hash } of page) {
      streams.add(stream);
      fingerprint.update(`${stream}|${revision}|${hash}\n`);
    }
    if (page.length === 0) return { events: after, streams: streams.size, fingerprint: fingerprint.digest('hex') };
    after += page.length;
  }
}

/** All but the database's own clock. The hash stands for content and history. */
function evidenceOf(event: StoredEvent | undefined): string | null {
  if (event === undefined) return null;
  const { id, position, stream, revision, type, contentHash, hash, keyId } = event;
  return JSON.stringify([id, position, stream, revision, type, contentHash, hash, keyId]);
}

/** Neighbours of one stream travel together. */
function runsOf(page: readonly StoredEvent[]): readonly (readonly StoredEvent[])[] {
  const runs: StoredEvent[][] = [];
  for (const event of page) {
    const run = runs.at(-1);
    if (run !== undefined && run.length < maxEvents && run[0]?.stream === event.stream) run.push(event);
    else runs.push([event]);
  }
  return runs;
}

async function copyRun(to: EventStore, run: readonly StoredEvent[]): Promise<void> {
  const [first] = run;
  if (first === undefined) return;
  const { stream, revision, position, id } = first;
  const result = await to.append({
    commandId: commandIdOf('copy', id),
    stream,
    expected: revision === 1 ? 'none' : revision - 1,
    events: run,
    fingerprint: id,
  });
  if (result.status !== 'appended' && result.status !== 'duplicate') throw new LogsDiffer(position);
}

import type { LogFault, LogVerdict, Seal } from '@virtual-tutor/schemas';
import { LogCheck, type LogScan, narrowed, type SealedRange } from './log-check.ts';
import { faultOf, followSeal, type SealChain, sealHash } from './seal.ts';
import { type ExportedSeals, type SealStore, SealUnreadable } from './seal-ports.ts';

export interface VerifyLogOptions {
  readonly scan: LogScan;
  readonly seals: Pick<SealStore, 'read'>;
  /** What left the database; null: not to where it could be read. */
  readonly exported: ExportedSeals | null;
}

export interface VerifyProgress {
  readonly checked: number;
}

const pageSize = 500;
const progressEvery = 20_000;

/** A chain of seals as far as it holds. */
export interface Book {
  readonly chain: SealChain | null;
  /** Why it goes no further; null: that is all of it. */
  readonly fault: LogFault | null;
  /** Seal hashes, by number. */
  readonly hashes: readonly string[];
  readonly ranges: readonly SealedRange[];
}

/**
 * Whether the whole log is what it was. Nothing that the database says is believed: contents and chains are computed again, and
 * judged by the seals that left it. `noted`: seal hashes that somebody kept elsewhere, the log's fingerprint or any newer one.
 */
export async function* verifyLog(
  options: VerifyLogOptions,
  noted: readonly string[],
): AsyncGenerator<VerifyProgress | LogVerdict, void, undefined> {
  // In this order, while the engine goes on sealing: what has left was kept before, and what was kept is in the log.
  const exported = options.exported === null ? null : await readBook(options.exported.read());
  const kept = await readBook(keptSeals(options.seals));
  const judge = exported === null ? kept : judgeOf(kept, exported);
  const faults = [...bookFaults(kept, exported), ...notedFaults(judge, noted)];
  const check = new LogCheck(judge.ranges);
  let told = 0;
  let fault: LogFault | null = null;
  for await (const page of options.scan()) {
    for (const event of page) fault ??= check.take(event);
    if (fault !== null) break;
    if (check.events - told < progressEvery) continue;
    told = check.events;
    yield { checked: told };
  }
  fault ??= check.end();
  if (fault !== null) faults.push(await located(fault, check, options.exported));
  yield verdictOf(faults, check.events, judge.chain);
}

function verdictOf(faults: readonly LogFault[], events: number, chain: SealChain | null): LogVerdict {
  if (faults.length > 0) return { verdict: 'broken', events, faults: [...faults] };
  const newestSeal = chain === null ? null : { sealNo: chain.sealNo, hash: chain.hash };
  return { verdict: 'intact', events, sealed: chain?.last ?? 0, newestSeal, fingerprint: chain?.fingerprint ?? null };
}

async function* keptSeals(seals: VerifyLogOptions['seals']): AsyncGenerator<Seal, void, undefined> {
  for (let after = -1; ; ) {
    const page = await seals.read({ after, limit: pageSize });
    yield* page;
    const last = page.at(-1);
    if (last === undefined) return;
    after = last.sealNo;
  }
}

export async function readBook(seals: AsyncIterable<Seal>): Promise<Book> {
  const hashes: string[] = [];
  const ranges: SealedRange[] = [];
  let chain: SealChain | null = null;
  try {
    for await (const seal of seals) {
      const followed = followSeal(chain, seal);
      if ('fault' in followed) return { chain, fault: followed.fault, hashes, ranges };
      chain = followed.chain;
      hashes.push(sealHash(seal));
      if (seal.kind === 'events') ranges.push(seal);
    }
    return { chain, fault: null, hashes, ranges };
  } catch (error) {
    if (!(error instanceof SealUnreadable)) throw error;
    return { chain, fault: faultOf('seal_forged', { sealNo: error.sealNo, reason: error.message }), hashes, ranges };
  }
}

/** What left is believed before what stayed, as far as it holds; what stayed where it goes on from there. */
function judgeOf(kept: Book, exported: Book): Book {
  const agree = firstDifference(kept, exported) === null;
  return agree && kept.hashes.length > exported.hashes.length ? kept : exported;
}

/** Number of the first seal that the two have and do not agree on. */
function firstDifference(a: Book, b: Book): number | null {
  const length = Math.min(a.hashes.length, b.hashes.length);
  const index = a.hashes.slice(0, length).findIndex((own, sealNo) => own !== b.hashes[sealNo]);
  return index === -1 ? null : index;
}

function bookFaults(kept: Book, exported: Book | null): readonly LogFault[] {
  const faults = [inBook(kept.fault, 'in the database'), inBook(exported?.fault ?? null, 'among the exported seals')];
  if (exported === null) return faults.flat();
  const sealNo = firstDifference(kept, exported);
  if (sealNo !== null) {
    const range = exported.ranges.find((one) => one.sealNo >= sealNo);
    return [
      ...faults.flat(),
      faultOf('two_histories', {
        ...{ sealNo, ordinal: range?.first ?? null, lastOrdinal: range?.last ?? null },
        reason: `seal ${sealNo} in the database is another one than the seal ${sealNo} that left it`,
      }),
    ];
  }
  // The other way round is no fault: those wait to be exported, and the chain has them.
  if (kept.fault === null && kept.hashes.length < exported.hashes.length) {
    const missing = kept.hashes.length;
    const reason = `seal ${missing} left the database and is not in it any more`;
    return [...faults.flat(), faultOf('seal_missing', { sealNo: missing, reason })];
  }
  return faults.flat();
}

function inBook(fault: LogFault | null, where: string): readonly LogFault[] {
  return fault === null ? [] : [{ ...fault, reason: `${where}: ${fault.reason}` }];
}

function notedFaults({ hashes }: Book, noted: readonly string[]): readonly LogFault[] {
  const own = new Set(hashes);
  return noted
    .filter((hash) => !own.has(hash))
    .map((hash) =>
      faultOf('two_histories', {
        reason: `what was noted, ${hash.slice(0, 16)}…, is no seal of this chain: the log was set back, or all of it was made anew`,
      }),
    );
}

async function located(fault: LogFault, { underWay }: LogCheck, exported: ExportedSeals | null): Promise<LogFault> {
  const sealed = underWay.range === null ? null : ((await exported?.hashes(underWay.range.sealNo)) ?? null);
  return sealed === null ? fault : narrowed(fault, underWay, sealed);
}

import { open, readFile } from 'node:fs/promises';
import { type LogFault, type LogVerdict, SessionId, Sha256 } from '@virtual-tutor/schemas';
import { faultOf, sealHash } from '../app/seal.ts';
import { type Book, readBook } from '../app/verify-log.ts';
import { SealFolder } from '../store/seal-folder.ts';
import type { EngineClient } from './engine-client.ts';
import { ProgressLine } from './progress-line.ts';
import { UsageError } from './usage-error.ts';

export const auditUsage = `  audit verify [--noted HASH]... [--seals FOLDER] [--json]
                                    the whole log against its seals: contents, chains, order, and what was kept elsewhere:
                                    hashes that were noted, a folder of seals that was copied away
  audit verify SESSION [--json]     one session: its chain, and the seals that it is under
  audit export SESSION [--redact] [--out FILE]
                                    a lesson as evidence, in one file that needs nothing of ours to be checked
  audit verifier                    the program that checks it: node verify-evidence.mjs FILE
  audit rotate-key                  another key signs the seals from here on`;

export const auditOptions = {
  noted: { type: 'string', multiple: true },
  seals: { type: 'string' },
  redact: { type: 'boolean' },
} as const;

export interface AuditOptions {
  readonly noted?: readonly string[] | undefined;
  readonly seals?: string | undefined;
  readonly redact?: boolean | undefined;
  readonly out?: string | undefined;
}

export interface AuditRequest extends AuditOptions {
  readonly words: readonly string[];
  readonly json: boolean;
}

export async function audit(client: EngineClient, { words: [verb, session], ...options }: AuditRequest): Promise<number> {
  switch (verb) {
    case 'verify':
      return session === undefined ? verifyAll(client, options) : verifySession(client, sessionOf(session), options.json);
    case 'export':
      return exportPack(client, sessionOf(session), options);
    case 'verifier':
      console.log(await readFile(new URL('../../evidence/verify-evidence.mjs', import.meta.url), 'utf8'));
      return 0;
    case 'rotate-key': {
      const { sealNo, keyId } = await client.audit.rotateKey.mutate();
      console.log(`seal ${sealNo} hands over to key ${keyId}`);
      return 0;
    }
    default:
      throw new UsageError(auditUsage);
  }
}

export function sessionOf(word: string | undefined): SessionId {
  const parsed = SessionId.safeParse(word);
  if (!parsed.success) throw new UsageError('which session? its id is in `sessions.list` and on the audit page');
  return parsed.data;
}

async function verifySession(client: EngineClient, sessionId: SessionId, json: boolean): Promise<number> {
  const [verdict, coverage] = await Promise.all([client.audit.verify.query({ sessionId }), client.audit.coverage.query({ sessionId })]);
  const failed = verdict.verdict === 'intact' ? 0 : 1;
  if (json) {
    console.log(JSON.stringify({ ...verdict, ...coverage }));
    return failed;
  }
  console.log(
    verdict.verdict === 'intact'
      ? `chain intact, ${verdict.events} events`
      : `BROKEN at revision ${verdict.revision} (position ${verdict.position}): ${verdict.reason}`,
  );
  for (const { sealNo, sealedAt, fromRevision, toRevision } of coverage.seals)
    console.log(`revisions ${fromRevision} to ${toRevision} are under seal ${sealNo} of ${sealedAt}`);
  if (coverage.unsealedFrom !== null) console.log(`from revision ${coverage.unsealedFrom} on not sealed yet`);
  console.log('Whether the seals hold, `vtutor audit verify` tells.');
  return failed;
}

async function exportPack(client: EngineClient, sessionId: SessionId, { redact = false, out }: AuditOptions): Promise<number> {
  const path = out ?? `lesson-${sessionId}.evidence`;
  await using file = await open(path, 'wx', 0o600).catch((error: unknown) => {
    throw new UsageError(`${path} cannot be written: ${error instanceof Error && 'code' in error ? error.code : 'unknown'}`);
  });
  for await (const line of client.audit.export.subscribe({ sessionId, redacted: redact })) {
    await file.write(`${JSON.stringify(line)}\n`);
    if (line.kind === 'end') {
      console.log(
        `${path}: ${line.lines} lines${redact ? ', words withheld' : '; it holds what the student said: keep it as you keep that'}`,
      );
      return 0;
    }
  }
  throw new Error('the engine stopped before the end of the pack: remove the file and try again');
}

async function verifyAll(client: EngineClient, { noted = [], seals, json }: Omit<AuditRequest, 'words'>): Promise<number> {
  const wrong = noted.find((hash) => !Sha256.safeParse(hash).success);
  if (wrong !== undefined) throw new UsageError('--noted takes a hash as `vtutor audit verify` shows it: 64 hex digits');
  const copy = seals === undefined ? null : await readBook(new SealFolder(seals).read());
  if (copy !== null && copy.chain === null && copy.fault === null) throw new UsageError(`there are no seals in ${seals}`);
  const verdict = withCopy(await verdictOf(client, noted), copy === null ? [] : await copyFaults(client, copy));
  if (json) console.log(JSON.stringify(verdict));
  else for (const line of linesOf(verdict)) console.log(line);
  return verdict.verdict === 'intact' ? 0 : 1;
}

async function verdictOf(client: EngineClient, noted: readonly string[]): Promise<LogVerdict> {
  const line = new ProgressLine(process.stderr);
  try {
    for await (const said of client.audit.verifyLog.subscribe({ noted: [...noted] })) {
      if ('checked' in said) line.show(`${said.checked} events checked`);
      else return said;
    }
  } finally {
    line.end();
  }
  throw new Error('the engine stopped before the end of the verification: try again');
}

/** What the seals of the copy do not have in common with those of the engine. */
async function copyFaults(client: EngineClient, { hashes, ranges, fault }: Book): Promise<readonly LogFault[]> {
  const own = fault === null ? [] : [{ ...fault, reason: `in the copied folder: ${fault.reason}` }];
  for (let sealNo = 0; sealNo < hashes.length; ) {
    const page = await client.audit.seals.query({ after: sealNo - 1 });
    const different = page.findIndex((seal, index) => hashes[sealNo + index] !== undefined && sealHash(seal) !== hashes[sealNo + index]);
    if (different === -1 && page.length > 0) {
      sealNo += page.length;
      continue;
    }
    const first = sealNo + Math.max(0, different);
    const range = ranges.find((one) => one.sealNo >= first);
    const reason = different === -1 ? 'is not in the database any more' : 'is another one in the database';
    return [
      ...own,
      faultOf('two_histories', {
        ...{ sealNo: first, ordinal: range?.first ?? null, lastOrdinal: range?.last ?? null },
        reason: `seal ${first} of the copied folder ${reason}`,
      }),
    ];
  }
  return own;
}

function withCopy(verdict: LogVerdict, faults: readonly LogFault[]): LogVerdict {
  if (faults.length === 0) return verdict;
  return { verdict: 'broken', events: verdict.events, faults: [...faults, ...(verdict.verdict === 'broken' ? verdict.faults : [])] };
}

function linesOf(verdict: LogVerdict): readonly string[] {
  if (verdict.verdict === 'broken') return verdict.faults.map((fault) => `BROKEN ${placeOf(fault)}${fault.code}: ${fault.reason}`);
  const { events, sealed, newestSeal, fingerprint } = verdict;
  if (newestSeal === null) return [`intact: ${events} events, none of them sealed yet`];
  return [
    `intact: ${events} events, ${sealed} of them sealed`,
    `fingerprint     ${fingerprint}`,
    `newest seal     ${newestSeal.hash}  (number ${newestSeal.sealNo})`,
    'Note both where nobody of this engine can write. Given back with --noted, they show a log that was made anew or set back.',
  ];
}

function placeOf({ ordinal, lastOrdinal, stream, revision }: LogFault): string {
  if (ordinal === null) return '';
  const events = lastOrdinal === null || lastOrdinal === ordinal ? `event ${ordinal}` : `events ${ordinal} to ${lastOrdinal}`;
  return stream === null ? `${events}, ` : `${events} (${stream}, revision ${revision}), `;
}

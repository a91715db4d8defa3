import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { StudentId, TenantId } from '@virtual-tutor/schemas';
import { asHtml } from '../packages/server/src/cli/student-report.ts';
import { openDatabase } from '../packages/server/src/store/database.ts';
import { postgresAvailable, startPostgres } from '../test/support/postgres.ts';
import { openPrivacySchool, operator, type PrivacySchool, SetClock } from '../test/support/privacy-school.ts';

/*
 * What it takes to forget a student, and to give her all there is about her, by the size of her life here: 10^2 to 10^4 events
 * in lessons of 100, beside as many lessons of others. `forgetMs` is the whole call: keys destroyed, running lessons ended, the log told, the keys'
 * table written anew, write-ahead log left behind by a checkpoint. `exportMs` is every page, as HTML; `exportMiB` is what
 * the heap grew by at most while it was written. On PostgreSQL, and embedded. The bound that is meant is the one that
 * the law leaves: a month; the one that we set is ten seconds.
 */

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } });
const tenantId = TenantId.parse('bench');
const sizes = [100, 1_000, 10_000];
const eventsPerLesson = 100;

interface Figures {
  readonly forgetMs: number;
  readonly exportMs: number;
  readonly exportMiB: number;
}

async function fill(school: PrivacySchool, studentId: StudentId, events: number): Promise<void> {
  // Seven events a turn, and two at the beginning.
  const said = Array.from({ length: (eventsPerLesson - 2) / 7 }, (_, nth) => `why ${nth}?`);
  for (let lesson = 0; lesson < events / eventsPerLesson; lesson += 1) {
    await school.teach(tenantId, { studentId, said, left: lesson % 10 === 0 ? 'open' : 'ended' });
  }
}

async function exportAll(school: PrivacySchool, studentId: StudentId): Promise<Pick<Figures, 'exportMs' | 'exportMiB'>> {
  const before = process.memoryUsage().heapUsed;
  let most = before;
  async function* pages() {
    for (let cursor: string | undefined; ; ) {
      const page = await school.studentExport.page({ studentId, cursor, limit: 500 }, operator(tenantId));
      if ('refused' in page) throw new Error(page.refused.message);
      yield page.items;
      most = Math.max(most, process.memoryUsage().heapUsed);
      if (page.nextCursor === null) return;
      cursor = page.nextCursor;
    }
  }
  const started = performance.now();
  let bytes = 0;
  for await (const text of asHtml(pages())) bytes += text.length;
  if (bytes === 0) throw new Error('nothing was written');
  return { exportMs: performance.now() - started, exportMiB: (most - before) / 2 ** 20 };
}

async function measure(options: Parameters<typeof openDatabase>[0]): Promise<Readonly<Record<string, Figures>>> {
  await using database = await openDatabase(options);
  await using school = await openPrivacySchool({ database, clock: new SetClock() });
  await school.found(tenantId);
  const figures: Record<string, Figures> = {};
  for (const size of sizes) {
    const studentId = StudentId.parse(`student-${size}`);
    await fill(school, studentId, size);
    await fill(school, StudentId.parse(`neighbour-${size}`), size);
    const written = await exportAll(school, studentId);
    const started = performance.now();
    const outcome = await school.privacy.forget(studentId, operator(tenantId));
    if ('refused' in outcome) throw new Error(outcome.refused.message);
    figures[size] = {
      forgetMs: Math.round(performance.now() - started),
      exportMs: Math.round(written.exportMs),
      exportMiB: Math.round(written.exportMiB),
    };
    if (!values.json) console.log(`${database.runsOn}, ${size} events: ${JSON.stringify(figures[size])}`);
  }
  return figures;
}

const dataDir = mkdtempSync(join(tmpdir(), 'tutor-erasure-'));
const embedded = await measure({ kind: 'embedded', dataDir });
rmSync(dataDir, { recursive: true, force: true });
const report: Record<string, unknown> = { embedded };
if (postgresAvailable) {
  await using server = await startPostgres();
  report['postgres'] = await measure({ kind: 'server', url: server.url });
}
if (values.json) console.log(JSON.stringify(report));

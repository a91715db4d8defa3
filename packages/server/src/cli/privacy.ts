import { open, rename, rm } from 'node:fs/promises';
import { extname } from 'node:path';
import { type ExportItem, StudentId, WordsDays } from '@virtual-tutor/schemas';
import { v7 as uuidv7 } from 'uuid';
import type { EngineClient } from './engine-client.ts';
import { asHtml, asJson } from './student-report.ts';
import { UsageError } from './usage-error.ts';

export const privacyUsage = `  privacy forget STUDENT            end her lessons and destroy her keys: nothing of what was said can ever be read again
  privacy export STUDENT --out FILE.html|FILE.json
                                    everything about her, for her: a page to read, in Chinese and English, or the data
  privacy retention [DAYS|forever]  for how long the words of a lesson are kept after its end`;

export const privacyOptions = { out: { type: 'string' } } as const;
export interface PrivacyOptions {
  readonly out?: string | undefined;
}

export async function privacy(client: EngineClient, words: readonly (string | undefined)[], { out }: PrivacyOptions): Promise<number> {
  const [verb, subject] = words;
  switch (verb) {
    case 'forget':
      return forget(client, studentOf(subject));
    case 'export':
      if (out === undefined) throw new UsageError('where to? --out FILE.html or --out FILE.json');
      return exportTo(out, pagesOf(client, studentOf(subject)));
    case 'retention':
      return retention(client, subject);
    default:
      throw new UsageError(privacyUsage);
  }
}

function studentOf(word: string | undefined): StudentId {
  const parsed = StudentId.safeParse(word);
  if (!parsed.success) throw new UsageError('which student? the id that her lessons were created with');
  return parsed.data;
}

async function forget(client: EngineClient, studentId: StudentId): Promise<number> {
  const { endedSessions, traces } = await client.privacy.forgetStudent.mutate({ studentId, idempotencyKey: uuidv7() });
  console.log(`${studentId} is forgotten; ${endedSessions} lessons ended`);
  if (traces === 'pending') {
    console.log("The database's write-ahead log holds her wrapped keys until its own checkpoints: see docs/operations/erasure.md");
  }
  return 0;
}

async function retention(client: EngineClient, word: string | undefined): Promise<number> {
  const { wordsDays } = word === undefined ? await client.privacy.retention.query() : await configure(client, word);
  console.log(
    wordsDays === null ? 'words are kept until their student is forgotten' : `words are kept for ${wordsDays} days after a lesson`,
  );
  return 0;
}

function configure(client: EngineClient, word: string) {
  const days = word === 'forever' ? null : WordsDays.safeParse(Number(word)).data;
  if (days === undefined) throw new UsageError('for how many days? a whole number from 1 to 36500, or forever');
  return client.privacy.configureRetention.mutate({ wordsDays: days, idempotencyKey: uuidv7() });
}

async function* pagesOf(client: EngineClient, studentId: StudentId): AsyncGenerator<readonly ExportItem[], void, undefined> {
  const idempotencyKey = uuidv7();
  for (let cursor: string | undefined; ; ) {
    const page = await client.privacy.exportStudent.mutate({
      studentId,
      limit: 500,
      idempotencyKey,
      ...(cursor === undefined ? {} : { cursor }),
    });
    yield page.items;
    if (page.nextCursor === null) return;
    cursor = page.nextCursor;
  }
}

/** Page by page, for nobody else to read; there under its name only when whole. */
async function exportTo(path: string, pages: AsyncIterable<readonly ExportItem[]>): Promise<number> {
  const written = { '.html': asHtml, '.json': asJson }[extname(path)];
  if (written === undefined) throw new UsageError('as what? --out FILE.html, to read, or --out FILE.json');
  const draft = `${path}.part`;
  let items = 0;
  try {
    await using file = await open(draft, 'w', 0o600);
    async function* counted() {
      for await (const page of pages) {
        items += page.length;
        yield page;
      }
    }
    for await (const text of written(counted())) await file.appendFile(text);
    await file.sync();
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  await rename(draft, path);
  console.log(`${path}: ${items} entries`);
  return 0;
}

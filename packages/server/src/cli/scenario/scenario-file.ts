import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, open, readdir } from 'node:fs/promises';
import { extname, join, resolve } from 'node:path';
import { type DocumentMime, maxDocumentBytes, maxScenarioBytes, Scenario } from '@virtual-tutor/schemas';
import { z } from 'zod';

const sentences = {
  not_there: 'there is no such file, or it may not be read: check its name and rights',
  not_a_file: 'this is not a plain file: name the scenario itself',
  too_large: `a scenario has ${maxScenarioBytes} bytes at most: make one of a shorter lesson`,
  not_json: 'this is not JSON in UTF-8: a scenario is made by `vtutor replay SESSION --as-scenario FILE`',
  not_a_scenario: 'this is not a scenario: it is made by `vtutor replay SESSION --as-scenario FILE`',
  newer_version: 'this scenario is of a version that this program does not know: upgrade it',
  inconsistent: 'this scenario contradicts itself: make it again',
  exists: 'this file is there already: choose another name, or delete it first',
  not_writable: 'the file cannot be written: check its folder and rights',
} as const;

/** A scenario file that is not taken, or cannot be made. Its message quotes nothing of the file. */
export class ScenarioRefused extends Error {
  override readonly name = 'ScenarioRefused';
  readonly code: keyof typeof sentences;
  constructor(code: keyof typeof sentences, detail?: string, options?: ErrorOptions) {
    super(`${sentences[code]}${detail === undefined ? '' : ` (${detail})`}`, options);
    this.code = code;
  }
}

const Versioned = z.object({ format: z.literal('virtual-tutor-scenario'), version: z.number().int() });

/** Checked in every part. Throws `ScenarioRefused`. */
export async function readScenario(path: string): Promise<Scenario> {
  const json = parseJson(await readBytes(path, maxScenarioBytes));
  const versioned = Versioned.safeParse(json);
  if (!versioned.success) throw new ScenarioRefused('not_a_scenario');
  if (versioned.data.version > 1) throw new ScenarioRefused('newer_version');
  const parsed = Scenario.safeParse(json);
  if (!parsed.success) throw new ScenarioRefused('not_a_scenario', `at ${placeOf(parsed.error)}`);
  const contradiction = contradictionIn(parsed.data);
  if (contradiction !== null) throw new ScenarioRefused('inconsistent', contradiction);
  return parsed.data;
}

/** Only a new file, for its owner to read: it follows no link and takes nobody's place. Throws `ScenarioRefused`. */
export async function writeScenario(path: string, scenario: Scenario): Promise<void> {
  const text = `${JSON.stringify(Scenario.parse(scenario), null, 2)}\n`;
  if (Buffer.byteLength(text) > maxScenarioBytes) throw new ScenarioRefused('too_large');
  const file = await open(resolve(path), 'wx', 0o600).catch((error: unknown) => {
    throw new ScenarioRefused(codeOf(error) === 'EEXIST' ? 'exists' : 'not_writable', undefined, { cause: error });
  });
  try {
    await file.writeFile(text);
  } finally {
    await file.close();
  }
}

export interface FolderDocument {
  readonly title: string;
  readonly mime: DocumentMime;
  readonly text: string;
}

const mimes: Readonly<Record<string, DocumentMime>> = { '.md': 'text/markdown', '.txt': 'text/plain' };

/** The Markdown and text files that lie in a folder, by name; no link is followed. A document's title is its first heading, or the file's name. */
export async function readCourseFolder(folder: string): Promise<readonly FolderDocument[]> {
  const names = await readdir(folder).catch(() => null);
  if (names === null) throw new ScenarioRefused('not_there', 'the folder of --knowledge');
  const documents: FolderDocument[] = [];
  for (const name of names.toSorted()) {
    const mime = mimes[extname(name).toLowerCase()];
    const path = join(folder, name);
    if (mime === undefined || !(await lstat(path)).isFile()) continue;
    const text = new TextDecoder().decode(await readBytes(path, maxDocumentBytes));
    const heading = mime === 'text/markdown' ? /^#{1,6}\s+(\S.*)$/m.exec(text)?.[1] : undefined;
    documents.push({ title: (heading ?? name.slice(0, -extname(name).length)).trim().slice(0, 200), mime, text });
  }
  return documents;
}

/** Read whole through one descriptor: what is no plain file does not even block, and what grows meanwhile is too large. */
export async function readBytes(path: string, most: number): Promise<Uint8Array> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) => {
    throw new ScenarioRefused('not_there', undefined, { cause: error });
  });
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw new ScenarioRefused('not_a_file');
    if (stat.size > most) throw new ScenarioRefused('too_large');
    const bytes = new Uint8Array(stat.size + 1);
    const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
    if (bytesRead > stat.size) throw new ScenarioRefused('too_large');
    return bytes.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    // Without its cause: a parser's message quotes what it read.
    throw new ScenarioRefused('not_json');
  }
}

/** Keys of the format and indexes: a key that is not known is not quoted. */
function placeOf(error: z.ZodError): string {
  return error.issues[0]?.path.map(String).join('.') || 'the top';
}

function contradictionIn({ passages, tutors, courses, turns }: Scenario): string | null {
  const known = new Set(passages.map(({ passageId }) => passageId));
  const revisions = new Set(tutors.map(({ revision }) => revision));
  const searched = new Set(courses.map(({ knowledgeRevision }) => knowledgeRevision));
  if (known.size < passages.length) return 'two passages have one id';
  if (revisions.size < tutors.length || searched.size < courses.length) return 'one revision is there twice';
  const wrong = passages.findIndex(({ text, contentHash }) => createHash('sha256').update(text).digest('hex') !== contentHash);
  if (wrong !== -1) return `the text of passage ${wrong + 1} does not match its hash`;
  for (const [at, { tutorRevision, retrieved }] of turns.entries()) {
    if (!revisions.has(tutorRevision)) return `turn ${at + 1} names a revision of the tutor that is not there`;
    if (retrieved === null) continue;
    if (!searched.has(retrieved.knowledgeRevision)) return `turn ${at + 1} names a revision of the course that is not there`;
    if (retrieved.passages.some(({ passageId }) => !known.has(passageId))) return `turn ${at + 1} names a passage that is not there`;
  }
  return null;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : null;
}

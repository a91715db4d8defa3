import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { maxScenarioBytes, Scenario } from '@virtual-tutor/schemas';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readCourseFolder, readScenario, writeScenario } from './scenario-file.ts';

const document = '6f1f7d1e-52f7-4f57-8a5e-0d7c4c8d9a10';
const text = 'Light is scattered.';
const passage = {
  passageId: `${document}#0`,
  documentId: document,
  title: 'Light',
  text,
  contentHash: createHash('sha256').update(text).digest('hex'),
};
const turn = {
  ...{ language: 'en', spoken: false, question: 'Why?', withheld: { words: 0, pairs: 0 }, tutorRevision: 1 },
  retrieved: { knowledgeRevision: 2, passages: [{ passageId: passage.passageId, score: 1 }] },
  ...{ answer: null, heard: '', end: 'completed', failure: null },
};
const good = {
  ...{ format: 'virtual-tutor-scenario', version: 1, words: { are: 'of_the_course' }, locale: 'en', tutorId: 'ada', knowledgeBaseId: 'k' },
  tutors: [{ revision: 1, name: 'Ada', systemPrompt: '' }],
  courses: [{ knowledgeRevision: 2, titles: ['Light'] }],
  passages: [passage],
  turns: [turn],
};
const scenario = Scenario.parse(good);

let folder: string;
const at = (name: string) => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scenario-file-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function refusalOf(content: string | Uint8Array): Promise<{ readonly code: string; readonly message: string }> {
  await writeFile(at('hostile.json'), content);
  const refused: unknown = await readScenario(at('hostile.json')).catch((error: unknown) => error);
  if (!(refused instanceof Error && 'code' in refused)) throw new Error('it was taken');
  return { code: String(refused.code), message: refused.message };
}

describe('a scenario file', () => {
  test('is read as it was written, by its owner alone', async () => {
    await writeScenario(at('new.json'), scenario);
    expect(await readScenario(at('new.json'))).toEqual(scenario);
    expect((await stat(at('new.json'))).mode & 0o777).toBe(0o600);
  });

  test('is never written over another, nor through a link', async () => {
    await writeFile(at('kept.json'), 'kept');
    await symlink(at('elsewhere.json'), at('link.json'));
    for (const name of ['kept.json', 'link.json'])
      await expect(writeScenario(at(name), scenario)).rejects.toMatchObject({ code: 'exists' });
    await expect(stat(at('elsewhere.json'))).rejects.toThrow();
    await expect(writeScenario(at('no/such/folder.json'), scenario)).rejects.toMatchObject({ code: 'not_writable' });
  });

  test.each([
    ['no JSON', 'Zofia', 'not_json'],
    ['no UTF-8', Uint8Array.of(0x22, 0xff, 0x22), 'not_json'],
    ['another JSON', '{"Zofia": true}', 'not_a_scenario'],
    ['brackets without end', '['.repeat(2_000_000), 'not_json'],
    ['deep brackets', '['.repeat(1_000_000) + ']'.repeat(1_000_000), 'not_a_scenario'],
    ['a later version', JSON.stringify({ ...good, version: 2, more: 'Zofia' }), 'newer_version'],
    ['an earlier version', JSON.stringify({ ...good, version: 0 }), 'not_a_scenario'],
    ['what no scenario has', JSON.stringify({ ...good, Zofia: '../../etc/passwd' }), 'not_a_scenario'],
    ['a prototype', JSON.stringify(good).replace('{', '{"__proto__": {"admin": true}, '), 'not_a_scenario'],
    ['a path for an id', JSON.stringify({ ...good, tutorId: '../Zofia' }), 'not_a_scenario'],
    ['too many turns', JSON.stringify({ ...good, turns: Array.from({ length: 501 }, () => turn) }), 'not_a_scenario'],
    ['too long a question', JSON.stringify({ ...good, turns: [{ ...turn, question: 'x'.repeat(8_001) }] }), 'not_a_scenario'],
    ['a passage twice', JSON.stringify({ ...good, passages: [passage, passage] }), 'inconsistent'],
    ['another text than its hash', JSON.stringify({ ...good, passages: [{ ...passage, text: 'Zofia' }] }), 'inconsistent'],
    ['a passage that is not there', JSON.stringify({ ...good, passages: [] }), 'inconsistent'],
    ['a tutor that is not there', JSON.stringify({ ...good, turns: [{ ...turn, tutorRevision: 7 }] }), 'inconsistent'],
    ['a course that is not there', JSON.stringify({ ...good, courses: [] }), 'inconsistent'],
    ['a revision twice', JSON.stringify({ ...good, courses: [...good.courses, ...good.courses] }), 'inconsistent'],
    ['too much', new Uint8Array(maxScenarioBytes + 1).fill(0x20), 'too_large'],
  ])('with %s is refused, and not quoted', async (_, content, code) => {
    const refused = await refusalOf(content);
    expect(refused.code).toBe(code);
    expect(refused.message).not.toMatch(/Zofia|passwd/);
  });

  test('is a file: no folder, no device, no pipe that would be waited for', async () => {
    execFileSync('mkfifo', [at('pipe')]);
    for (const path of [folder, '/dev/zero', at('pipe')]) await expect(readScenario(path)).rejects.toMatchObject({ code: 'not_a_file' });
    await expect(readScenario(at('none.json'))).rejects.toMatchObject({ code: 'not_there' });
  });
});

test('a course is the Markdown and text files of a folder, without links', async () => {
  const course = at('course');
  await mkdir(join(course, 'deeper.md'), { recursive: true });
  await writeFile(join(course, 'b.md'), 'before\n\n## Light and air\n\nLight.');
  await writeFile(join(course, 'a.txt'), 'Water.');
  await writeFile(join(course, 'c.pdf'), 'no');
  await symlink('/etc/passwd', join(course, 'd.md'));
  expect(await readCourseFolder(course)).toEqual([
    { title: 'a', mime: 'text/plain', text: 'Water.' },
    { title: 'Light and air', mime: 'text/markdown', text: 'before\n\n## Light and air\n\nLight.' },
  ]);
  await expect(readCourseFolder(at('nowhere'))).rejects.toMatchObject({ code: 'not_there' });
  await writeFile(join(course, 'e.txt'), new Uint8Array(1_000_001));
  await expect(readCourseFolder(course)).rejects.toMatchObject({ code: 'too_large' });
});

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Scenario } from '@virtual-tutor/schemas';
import type { TutorClient } from '@virtual-tutor/sdk';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type RunningEngine, startEngine } from '../support/engine.ts';
import { consoleClient, joinLesson } from '../support/lesson.ts';
import { type OllamaServer, startOllamaServer } from '../support/ollama-server.ts';

/*
 * Lessons that a real engine holds, made into scenarios by `vtutor` and asked again: by the bundled model, which answers while the model
 * server does not, and by that server, which says which prompt it was given.
 */

const program = fileURLToPath(new URL('../../packages/server/src/cli/vtutor.ts', import.meta.url));
const courseFolder = fileURLToPath(new URL('../../course/en', import.meta.url));

/** None of it may be in a file that nobody has confirmed. */
const personal = ['Zofia', 'Kowalczyk', '601 234 567', '601234567', 'example.org', 'Zyxwosis', 'Gdansk', 'mum', 'student-zofia'];
const questions = [
  'My name is Zofia Kowalczyk. Why is the sky blue, and why does Rayleigh scattering make it so?',
  'Hi! My mum in Gdansk has Zyxwosis, phone +48 601 234 567, mail zofia@example.org. Why are sunsets red?',
  'Why are clouds white?',
];

const Side = <T extends z.ZodType>(of: T) => z.object({ before: of, now: of });
const Report = z.object({
  turns: z.array(
    z.object({
      verdict: z.string(),
      question: z.string().nullable(),
      answer: Side(z.string().nullable()),
      difference: z.array(z.object({ sentence: z.string(), in: z.string() })),
      citations: z.string(),
      cited: Side(z.array(z.object({ title: z.string() }))),
      model: Side(z.string().nullable()),
      tutorRevision: Side(z.number().nullable()),
      knowledgeRevision: Side(z.number().nullable()),
      totalMs: Side(z.number().nullable()),
    }),
  ),
  asked: z.number(),
  same: z.number(),
  failed: z.boolean(),
});

let folder: string;
let ollama: OllamaServer;
let engine: RunningEngine;
let client: TutorClient;
/** Whether the model server answers. */
let serving = false;

/** `vtutor`, as on the engine's machine. */
function vtutor(...args: readonly string[]): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const env = {
    PATH: process.env['PATH'],
    DATA_DIR: engine.dataDir,
    MANAGEMENT_API_PORT: String(engine.port),
    OLLAMA_BASE_URL: ollama.url,
  };
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], { env, cwd: folder }, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr }),
    );
  });
}

async function rerun(...args: readonly string[]) {
  const { code, stdout, stderr } = await vtutor('scenario', 'run', ...args, '--json');
  if (stdout === '') throw new Error(stderr);
  return { code, report: Report.parse(JSON.parse(stdout)) };
}

async function holdLesson(asked: readonly string[], lesson: { readonly tutorId?: string; readonly studentId: string }): Promise<string> {
  await using joined = await joinLesson(client, lesson);
  for (const question of asked) {
    for await (const _ of joined.session.chat.send(question)) {
      // Read to its end.
    }
  }
  return joined.sessionId;
}

async function read(file: string): Promise<{ readonly text: string; readonly scenario: Scenario }> {
  const text = await readFile(join(folder, file), 'utf8');
  return { text, scenario: Scenario.parse(JSON.parse(text)) };
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scenarios-'));
  ollama = await startOllamaServer({
    chat: ({ messages }) =>
      serving
        ? [
            { say: `I was told: ${messages[0]?.content.includes('pirate') === true ? 'talk like a pirate' : 'be a tutor'}. ` },
            { say: 'Light is scattered [1].' },
          ]
        : [{ status: 500, body: '{"error":"busy"}' }],
  });
  engine = await startEngine({ ENABLE_LLM: 'true', OLLAMA_BASE_URL: ollama.url, DEFAULT_LLM_MODEL: 'small' });
  client = await consoleClient(engine);
});
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
  await ollama.close();
  await rm(folder, { recursive: true, force: true });
});

describe('a lesson as a scenario', () => {
  let sessionId: string;
  beforeAll(async () => {
    sessionId = await holdLesson(questions, { studentId: 'student-zofia' });
  });

  test('holds nothing of the student, and is answered again as it was, passage for passage', async () => {
    const made = await vtutor('replay', sessionId, '--as-scenario', 'lesson.json', '--json');
    expect(made.stderr).toBe('');
    expect(JSON.parse(made.stdout)).toMatchObject({ words: 'of_the_course', turns: 3, erasedTurns: 0, unprovenAnswers: 0 });
    const { text, scenario } = await read('lesson.json');
    for (const word of [...personal, sessionId]) expect(text.toLowerCase()).not.toContain(word.toLowerCase());
    expect(scenario.turns.map(({ question }) => question)).toEqual([
      'My name is ▮. Why is the sky blue, and why does Rayleigh scattering make it so?',
      expect.stringMatching(/Why are sunsets red\?$/),
      'Why are clouds white?',
    ]);
    expect((await stat(join(folder, 'lesson.json'))).mode & 0o777).toBe(0o600);

    const { code, report } = await rerun('lesson.json');
    expect(report).toMatchObject({ asked: 3, same: 3, failed: false });
    expect(code).toBe(0);
    for (const turn of report.turns) {
      expect(turn).toMatchObject({ verdict: 'same', citations: 'same', model: { before: 'quotes-1', now: 'quotes-1' }, difference: [] });
      expect(turn.answer.now).toBe(turn.answer.before);
      expect(turn.tutorRevision.now).toBe(turn.tutorRevision.before);
      expect(turn.totalMs.now).not.toBeNull();
    }
    // With so much else in it, the second question found nothing: it does not find more without.
    expect(report.turns.map(({ cited }) => cited.now.length > 0)).toEqual([true, false, true]);
    // Files have another order than documents that were added one by one, and an answer that found nothing lists them.
    expect((await rerun('lesson.json', '--knowledge', courseFolder)).report.turns.map(({ verdict }) => verdict)).toEqual([
      'same',
      'changed',
      'same',
    ]);
  });

  test('takes no place of a file, and follows no link', async () => {
    const again = await vtutor('replay', sessionId, '--as-scenario', 'lesson.json');
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining('there already') });
  });

  test('has her words only once somebody has read and allowed them, and then names its lesson', async () => {
    const shown = await vtutor('replay', sessionId, '--as-scenario', 'words.json', '--with-words', '--hide', 'Gdansk');
    expect(shown.code).toBe(2);
    expect(shown.stdout).toContain('Hi! My mum in ▮ has Zyxwosis, phone ▮, mail ▮. Why are sunsets red?');
    await expect(stat(join(folder, 'words.json'))).rejects.toThrow();
    const made = await vtutor(
      'replay',
      sessionId,
      '--as-scenario',
      'words.json',
      '--with-words',
      '--hide',
      'Gdansk',
      '--confirmed-by',
      'Ms Li',
    );
    expect(made).toMatchObject({ code: 0, stderr: '' });
    const { text, scenario } = await read('words.json');
    expect(scenario.words).toMatchObject({ are: 'allowed', by: 'Ms Li', sessionId });
    expect(text).toContain('Zyxwosis');
    for (const gone of ['Zofia', 'Kowalczyk', '234 567', 'example.org', 'Gdansk']) expect(text).not.toContain(gone);
    expect((await rerun('words.json')).report.same).toBe(3);
  });

  test('shows what a changed course answers otherwise, and that the course of then does not', async () => {
    const clouds = (await rerun('lesson.json')).report.turns[2];
    const added = await client.knowledge.addDocument('light-water-sky-en', {
      title: 'Why clouds are white',
      mime: 'text/plain',
      text: 'Why are clouds white? Clouds are white because a very tall painter painted the clouds white.',
    });
    const changed = await rerun('lesson.json', '--knowledge', 'now');
    expect(changed.code).toBe(1);
    expect(changed.report.turns[2]).toMatchObject({ verdict: 'changed', citations: 'changed', answer: { before: clouds?.answer.before } });
    expect(changed.report.turns[2]?.answer.now).toContain('very tall painter');
    expect(changed.report.turns[2]?.difference.map((part) => part.in)).toEqual(expect.arrayContaining(['before', 'now']));
    expect(changed.report.turns[2]?.cited.now.map(({ title }) => title)).toContain('Why clouds are white');
    expect((await rerun('lesson.json', '--knowledge', 'now', '--fail-on', 'failure')).code).toBe(0);

    const then = clouds?.knowledgeRevision.before ?? 0;
    const unchanged = await rerun('lesson.json', '--knowledge', String(then));
    expect(unchanged).toMatchObject({ code: 0, report: { same: 3 } });
    await client.knowledge.removeDocument('light-water-sky-en', added.id);
    expect(await rerun('lesson.json', '--knowledge', 'now')).toMatchObject({ code: 0, report: { same: 3 } });
    const never = await vtutor('scenario', 'run', 'lesson.json', '--knowledge', '900');
    expect(never).toMatchObject({ code: 1, stderr: expect.stringContaining('nothing under this id and revision') });
  });
});

test('another model and another prompt answer otherwise: the tutor of then, of now, and of a file', async () => {
  serving = true;
  const sessionId = await holdLesson(['Why is the sky blue?'], { studentId: 'student-2' });
  await vtutor('replay', sessionId, '--as-scenario', 'served.json');
  expect((await rerun('served.json')).report.turns).toMatchObject([{ verdict: 'same', model: { now: 'small' }, citations: 'same' }]);

  const quoted = await rerun('served.json', '--model', 'quotes-1');
  expect(quoted).toMatchObject({ code: 1, report: { turns: [{ verdict: 'changed', model: { before: 'small', now: 'quotes-1' } }] } });

  const { revision, settings } = await client.tutors.get('ada');
  await client.tutors.configure('ada', { ...settings, systemPrompt: 'Talk like a pirate.' });
  const configured = await rerun('served.json', '--tutor', 'now');
  expect(configured).toMatchObject({
    code: 1,
    report: { turns: [{ verdict: 'changed', tutorRevision: { before: revision, now: revision + 1 } }] },
  });
  expect(configured.report.turns[0]?.difference).toContainEqual({ sentence: expect.stringContaining('pirate'), in: 'now' });
  expect(await rerun('served.json', '--tutor', String(revision))).toMatchObject({ code: 0 });

  await writeFile(join(folder, 'prompt.txt'), 'You are a pirate.');
  const { code, stdout } = await vtutor('scenario', 'run', 'served.json', '--prompt', 'prompt.txt');
  expect(code).toBe(1);
  expect(stdout).toContain('turn 1: ANOTHER ANSWER');
  expect(stdout).toMatch(/\+ I was told: talk like a pirate\./);
  expect(stdout).toContain('tutor: revision 1 -> from a file');

  serving = false;
  expect(await rerun('served.json')).toMatchObject({ code: 1, report: { turns: [{ verdict: 'lost', answer: { now: null } }] } });
});

test('a Chinese lesson is told in Chinese, without the name', async () => {
  const sessionId = await holdLesson(['我叫王小明，住在杭州西湖区。为什么天空是蓝色的？', '那晚霞为什么是红色的？'], {
    tutorId: 'xiaolan',
    studentId: 'student-zh',
  });
  const made = await vtutor('replay', sessionId, '--as-scenario', 'zh.json');
  expect(made.stdout).toContain('zh.json：2 轮对话');
  const { text, scenario } = await read('zh.json');
  for (const word of ['王', '小明', '杭州', '西湖']) expect(text).not.toContain(word);
  expect(scenario.turns[0]?.question).toContain('为什么天空是蓝色的');
  const { code, stdout } = await vtutor('scenario', 'run', 'zh.json');
  expect(stdout).toContain('第 1 轮：回答相同');
  expect(code).toBe(0);
});

test('of a forgotten student placeholders are left, which say so and cannot be asked', async () => {
  const sessionId = await holdLesson(['Why is the sky blue?'], { studentId: 'student-forgotten' });
  await client.privacy.forgetStudent('student-forgotten');
  const made = await vtutor('replay', sessionId, '--as-scenario', 'forgotten.json');
  expect(made).toMatchObject({ code: 0, stdout: expect.stringContaining('1 turns have no words: the student was forgotten') });
  const { scenario } = await read('forgotten.json');
  expect(scenario.turns).toMatchObject([{ question: null, answer: null, heard: '', end: 'completed' }]);
  expect(scenario.passages.length).toBeGreaterThan(0);
  const run = await vtutor('scenario', 'run', 'forgotten.json');
  expect(run).toMatchObject({ code: 2, stdout: expect.stringContaining('nothing to ask') });
});

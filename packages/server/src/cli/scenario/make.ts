import { type Passage, splitDocument } from '@virtual-tutor/engine';
import { type KnowledgeBaseId, type PassageId, redactionMark, type Scenario, type SessionId, type TutorId } from '@virtual-tutor/schemas';
import type { EngineClient } from '../engine-client.ts';
import { sessionEventOf } from '../lesson-video.ts';
import { readEvents } from '../replay.ts';
import { UsageError } from '../usage-error.ts';
import { type LessonTurns, lessonTurns, revisionsIn } from './lesson-turns.ts';
import { type CourseThen, type Materials, makeScenario, type TutorThen } from './make-scenario.ts';
import type { ScenarioOptions } from './options.ts';
import { forTerminal } from './report.ts';
import { writeScenario } from './scenario-file.ts';
import { texts } from './texts.ts';

export interface MakeRequest extends ScenarioOptions {
  readonly sessionId: SessionId;
  /** Not beyond this revision; undefined: the whole lesson. */
  readonly at: number | undefined;
  readonly json: boolean;
}

/** While they are only shown. */
const nobody = '-';

/** Makes a scenario of a recorded lesson. With the student's words only once somebody has read them: before, they are shown and nothing is written. */
export async function makeScenarioFile(client: EngineClient, request: MakeRequest): Promise<number> {
  const { sessionId, 'as-scenario': file = '', 'with-words': withWords = false, 'confirmed-by': confirmedBy, hide = [], json } = request;
  if (file === '') throw new UsageError('--as-scenario takes the name of a new file');
  if (confirmedBy !== undefined && !withWords) throw new UsageError('--confirmed-by goes with --with-words');
  const lesson = await readTurns(client, request);
  const materials = await materialsOf(client, lesson);
  const by = confirmedBy?.trim() ?? '';
  const words: Scenario['words'] = withWords
    ? { are: 'allowed', by: by === '' ? nobody : by, at: new Date().toISOString(), sessionId }
    : { are: 'of_the_course' };
  const scenario = makeScenario(lesson, materials, { words, hide });
  if (withWords && by === '') {
    console.log(toConfirm(scenario));
    return 2;
  }
  await writeScenario(file, scenario);
  console.log(json ? JSON.stringify(summaryOf(scenario, file)) : describe(scenario, file));
  return 0;
}

async function readTurns(client: EngineClient, { sessionId, at }: Pick<MakeRequest, 'sessionId' | 'at'>): Promise<LessonTurns> {
  const events = (await readEvents(client, sessionId)).filter(({ revision }) => at === undefined || revision <= at);
  const lesson = lessonTurns(events.map(sessionEventOf));
  if (lesson === null || lesson.state.turns.length === 0)
    throw new UsageError('nothing was asked in this session: there is nothing to ask again');
  return lesson;
}

async function materialsOf(client: EngineClient, lesson: LessonTurns): Promise<Materials> {
  const { tutorId, knowledgeBaseId } = lesson.opening;
  const revisions = revisionsIn(lesson);
  const tutors = new Map<number, TutorThen>();
  for (const revision of revisions.tutor) tutors.set(revision, (await readTutor(client, tutorId, revision)).settings);
  const courses = new Map<number, CourseThen>();
  if (knowledgeBaseId !== null) {
    for (const revision of revisions.course) courses.set(revision, courseThen(await readCourse(client, knowledgeBaseId, revision)));
  }
  return { tutors, courses };
}

/** Omitted: now. */
export function readTutor(client: EngineClient, tutorId: TutorId, revision?: number) {
  return client.audit.tutor.query({ tutorId, ...(revision === undefined ? {} : { revision }) });
}

export type CourseOfEngine = Awaited<ReturnType<typeof readCourse>>;

export async function readCourse(client: EngineClient, knowledgeBaseId: KnowledgeBaseId, revision?: number) {
  const first = await client.audit.course.query({ knowledgeBaseId, ...(revision === undefined ? {} : { revision }) });
  const documents = [...first.documents];
  // The later pages are of the revision of the first, whatever has been added since.
  for (let after = first.next; after !== null; ) {
    const page = await client.audit.course.query({ knowledgeBaseId, revision: first.revision, after });
    documents.push(...page.documents);
    after = page.next;
  }
  return { revision: first.revision, documents };
}

function courseThen({ documents }: CourseOfEngine): CourseThen {
  const passages = new Map<PassageId, Passage>(documents.flatMap(splitDocument).map((passage) => [passage.passageId, passage]));
  return { titles: documents.map(({ title }) => title), passages, texts: documents.map(({ text }) => text) };
}

function summaryOf({ turns, words }: Scenario, file: string) {
  const marks = turns.map(({ question }) => (question ?? '').split(redactionMark).length - 1);
  return {
    file,
    words: words.are,
    turns: turns.length,
    erasedTurns: turns.filter(({ question }) => question === null).length,
    /** Places in questions where words were taken out. */
    marks: marks.reduce((sum, count) => sum + count, 0),
    unprovenAnswers: turns.filter(({ answer }) => answer?.reproducible === false).length,
  };
}

function describe(scenario: Scenario, file: string): string {
  const { erasedTurns, turns, unprovenAnswers } = summaryOf(scenario, file);
  const { locale, words } = scenario;
  const say = texts[locale];
  return [
    say.made(file, turns),
    ...(erasedTurns === 0 ? [] : [say.erased(erasedTurns)]),
    ...(erasedTurns === turns ? [] : [words.are === 'allowed' ? say.allowedWords(words.by) : say.courseWords]),
    ...(unprovenAnswers === 0 ? [] : [say.unproven(unprovenAnswers)]),
    ...(words.are === 'allowed' ? [] : turnsToRead(scenario)),
  ].join('\n');
}

function toConfirm(scenario: Scenario): string {
  const say = texts[scenario.locale];
  return [say.toRead, '', ...turnsToRead(scenario), '', say.toConfirm].join('\n');
}

function turnsToRead({ turns, locale }: Scenario): readonly string[] {
  const { speakers } = texts[locale];
  return turns.flatMap(({ question, answer, heard }, at) => {
    const number = String(at + 1).padStart(4);
    const reply = answer?.text ?? heard;
    return [
      `${number} ${speakers.question}  ${forTerminal(question ?? '-')}`,
      `     ${speakers.heard}  ${forTerminal(reply === '' ? '-' : reply)}`,
    ];
  });
}

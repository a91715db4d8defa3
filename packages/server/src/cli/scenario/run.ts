import { createHash } from 'node:crypto';
import { createExtractiveLlm, createMiniSearchIndex, createOllamaLlm, type PassageIndex, splitDocument } from '@virtual-tutor/engine';
import { type Against, runScenario, type ScenarioPorts, type TurnComparison } from '@virtual-tutor/engine/scenario';
import type { DocumentMime, Scenario } from '@virtual-tutor/schemas';
import type { Config } from '../../config.ts';
import { type EngineClient, withEngine } from '../engine-client.ts';
import { UsageError } from '../usage-error.ts';
import { readCourse, readTutor } from './make.ts';
import { type ScenarioOptions, scenarioUsage } from './options.ts';
import { describeTurn, failsOn, isFailure } from './report.ts';
import { readBytes, readCourseFolder, readScenario } from './scenario-file.ts';
import { texts } from './texts.ts';

export interface RunRequest extends ScenarioOptions {
  readonly words: readonly string[];
  readonly json: boolean;
}

/** Longest system prompt, bytes of UTF-8. */
const maxPromptBytes = 32_000;

/** Asks a scenario's questions again. 0: as then; 1: not; 2: there was nothing to ask. */
export async function scenario(config: Config, { words: [verb, file, ...more], json, ...options }: RunRequest): Promise<number> {
  if (verb !== 'run' || file === undefined || more.length > 0) throw new UsageError(scenarioUsage);
  const from = failsOn.find((known) => known === (options['fail-on'] ?? 'answer'));
  if (from === undefined) throw new UsageError(`--fail-on takes one of: ${failsOn.join(', ')}`);
  const recorded = await readScenario(file);
  const say = texts[recorded.locale];
  if (recorded.turns.every(({ question }) => question === null)) {
    console.log(json ? JSON.stringify({ turns: [], asked: 0, same: 0, failed: false }) : say.nothingToAsk);
    return 2;
  }
  const against = await againstOf(config, recorded, options);
  const turns: TurnComparison[] = [];
  for await (const turn of runScenario(recorded, against, portsOf(config))) {
    turns.push(turn);
    if (!json) console.log(describeTurn(turn, recorded.locale));
  }
  const asked = turns.filter(({ verdict }) => verdict !== 'erased');
  const same = asked.filter((turn) => !isFailure(turn, 'answer')).length;
  const failed = turns.some((turn) => isFailure(turn, from));
  console.log(json ? JSON.stringify({ turns, asked: asked.length, same, failed }) : say.sum(same, asked.length));
  return failed ? 1 : 0;
}

function portsOf({ ollamaBaseUrl, llmFirstTokenMs, llmStallMs }: Config): ScenarioPorts {
  return {
    bundled: createExtractiveLlm(),
    served: createOllamaLlm({ baseUrl: ollamaBaseUrl }),
    now: () => performance.now(),
    signal: new AbortController().signal,
    firstTextMs: llmFirstTokenMs,
    stallMs: llmStallMs,
  };
}

async function againstOf(config: Config, recorded: Scenario, { model, prompt, tutor, knowledge }: ScenarioOptions): Promise<Against> {
  if (prompt !== undefined && tutor !== undefined) throw new UsageError('--prompt and --tutor both bring a prompt: choose one');
  const tutorRevision = tutor === undefined ? null : revisionOf(tutor);
  if (tutor !== undefined && tutorRevision === null) throw new UsageError('--tutor takes a revision, or "now"');
  const courseRevision = knowledge === undefined ? null : revisionOf(knowledge);
  const fromEngine =
    tutorRevision === null && courseRevision === null
      ? { tutor: null, course: null }
      : await withEngine(config, async (client) => ({
          tutor: tutorRevision === null ? null : await tutorFrom(client, recorded, tutorRevision),
          course: courseRevision === null ? null : await courseFrom(client, recorded, courseRevision),
        }));
  return {
    model: model ?? null,
    tutor: prompt === undefined ? fromEngine.tutor : await tutorWith(recorded, prompt),
    course: knowledge === undefined || courseRevision !== null ? fromEngine.course : await courseIn(knowledge),
  };
}

type Revision = { readonly revision: number } | 'now';

function revisionOf(word: string): Revision | null {
  if (word === 'now') return 'now';
  return /^[1-9]\d{0,8}$/.test(word) ? { revision: Number(word) } : null;
}

async function tutorFrom(client: EngineClient, { tutorId }: Scenario, wanted: Revision): Promise<Against['tutor']> {
  const { revision, settings } = await readTutor(client, tutorId, wanted === 'now' ? undefined : wanted.revision);
  return { revision, name: settings.name, systemPrompt: settings.systemPrompt };
}

async function tutorWith({ tutors }: Scenario, promptFile: string): Promise<Against['tutor']> {
  const systemPrompt = new TextDecoder().decode(await readBytes(promptFile, maxPromptBytes));
  return { revision: null, name: tutors.at(-1)?.name ?? '', systemPrompt };
}

async function courseFrom(client: EngineClient, { knowledgeBaseId }: Scenario, wanted: Revision): Promise<Against['course']> {
  if (knowledgeBaseId === null) throw new UsageError('this lesson had no course: --knowledge takes a folder here');
  const { revision, documents } = await readCourse(client, knowledgeBaseId, wanted === 'now' ? undefined : wanted.revision);
  return { revision, index: indexOf(documents) };
}

async function courseIn(folder: string): Promise<Against['course']> {
  const documents = await readCourseFolder(folder);
  if (documents.length === 0) throw new UsageError('the folder of --knowledge holds no .md and no .txt file');
  return { revision: null, index: indexOf(documents.map((document) => ({ ...document, documentId: idOf(document.text) }))) };
}

function indexOf(
  documents: readonly { readonly documentId: string; readonly title: string; readonly mime: DocumentMime; readonly text: string }[],
): PassageIndex {
  const index = createMiniSearchIndex();
  for (const document of documents) index.add(splitDocument(document));
  return index;
}

/** The same text has the same id, in the form of one. */
function idOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}

import { parseArgs } from 'node:util';
import { createTutorClient, signInOnLoopback, TutorError } from '@virtual-tutor/sdk';
import { startEngine } from '../test/support/engine.ts';
import { type HeldLesson, holdLesson } from './demo-lesson.ts';
import { demoLessons } from './demo-script.ts';

const usage = `npm run demo [-- OPTIONS]: a scripted lesson through the SDK

  --url URL        a running engine; without it, one of its own: free port, throw-away data, quoting tutor
  --key KEY        an operator's API key for it; not needed on the engine's own machine
  --lang LANGUAGE  en, zh or both (default)
  --json           one last line of figures`;
const limitMs = 180_000;

function optionsOf(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        url: { type: 'string' },
        key: { type: 'string' },
        lang: { type: 'string', default: 'both' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${usage}`);
    return process.exit(2);
  }
}

const values = optionsOf(process.argv.slice(2));
const lessons = Object.entries(demoLessons).filter(([language]) => values.lang === 'both' || values.lang === language);
if (values.help || lessons.length === 0) {
  console.log(usage);
  process.exit(values.help ? 0 : 2);
}

/** Ctrl-C, and the end of npm, end the demo in order: its engine stops, its data go. */
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => stop.abort());

async function demo(url: string): Promise<readonly HeldLesson[]> {
  const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(limitMs)]);
  const apiKey = values.key ?? (await signInOnLoopback(url, { signal })).token;
  const client = createTutorClient({ url, apiKey });
  const held: HeldLesson[] = [];
  for (const [, lesson] of lessons) held.push(await holdLesson(client, lesson, signal));
  return held;
}

async function demoOnOwnEngine(): Promise<readonly HeldLesson[]> {
  console.log('Starting an engine for this demo...\n');
  await using engine = await startEngine({ EXTRACTIVE_PACE_MS: '15', LOG_LEVEL: 'warn' });
  return await demo(engine.url);
}

const median = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);

/** What did not go as it must, a sentence each. */
function troubles(held: readonly HeldLesson[]): string[] {
  const asked = held.flatMap((lesson) => lesson.asked);
  const found = [
    asked.some(({ citations, reason }) => citations === 0 && reason === 'completed') && 'a reply cites nothing of the course',
    asked.some(({ reason }) => reason === 'failed') && 'a reply failed',
    asked.some(({ whole }) => !whole) && 'the text that was shown is not the text in the log',
    held.some((lesson) => lesson.asked.every(({ reason }) => reason !== 'interrupted')) && 'the tutor could not be interrupted',
    held.some(({ resumed }) => resumed === 0) && 'the connection did not come back',
    held.some(({ verdict }) => verdict === 'broken') && 'the chain of the log is broken',
  ];
  return found.filter((sentence) => sentence !== false);
}

function report(held: readonly HeldLesson[]): number {
  const asked = held.flatMap((lesson) => lesson.asked);
  const completed = asked.filter(({ reason }) => reason === 'completed');
  const figures = {
    lessons: held.length,
    turns: asked.length,
    firstTokenMs: Math.round(median(asked.map(({ firstTokenMs }) => firstTokenMs))),
    replyMs: Math.round(median(completed.map(({ replyMs }) => replyMs))),
    events: sum(held.map(({ events }) => events)),
    resumed: sum(held.map(({ resumed }) => resumed)),
    interrupted: asked.filter(({ reason }) => reason === 'interrupted').length,
    citations: sum(asked.map(({ citations }) => citations)),
    chain: held.every(({ verdict }) => verdict === 'intact')
      ? 'intact'
      : held.some(({ verdict }) => verdict === 'broken')
        ? 'broken'
        : null,
  };
  const found = troubles(held);
  const chain = figures.chain === null ? 'not checked: that takes an auditor' : figures.chain;
  console.log(
    `${figures.turns} questions; first words after ${figures.firstTokenMs} ms, a reply takes ${figures.replyMs} ms (medians)\n` +
      `${figures.events} events in the log, chain ${chain}; ${figures.citations} citations; ${figures.resumed} connections cut and resumed`,
  );
  for (const sentence of found) console.error(`NOT RIGHT: ${sentence}`);
  if (values.json) console.log(JSON.stringify(figures));
  return found.length === 0 ? 0 : 1;
}

try {
  process.exitCode = report(values.url === undefined ? await demoOnOwnEngine() : await demo(values.url));
} catch (error) {
  if (!(error instanceof TutorError)) throw error;
  console.error(stop.signal.aborted ? '\nStopped.' : `\nThe demo could not go on: ${error.message} (${error.code})`);
  process.exitCode = stop.signal.aborted ? 130 : 1;
}

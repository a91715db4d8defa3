import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { playoutRate } from '../packages/engine/src/media/ports.ts';
import { createSpeaker } from '../packages/engine/src/speech/speaker.ts';
import { type Point, percentile } from '../test/support/av-sync.ts';
import { consoleClient, eventsOf } from '../test/support/lesson.ts';
import { english } from '../test/support/lesson-page.ts';
import { enterRoom, type MeasuredRoom, type Product, startProduct } from '../test/support/measured-room.ts';
import { wavOf } from '../test/support/wav.ts';

/*
 * How long a student waits, in the whole product: engine with extractive answers and embedded voices, its page in
 * real Chromium over the relay. Everything named "heard" or "shown" is measured in the browser: sound when it leaves
 * the jitter buffer plus the browser's own account of its loudspeaker, pictures when they are displayed. Sending is
 * when the page's socket is given the message. Stages are what the engine wrote into ReplyCompleted.
 */

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    turns: { type: 'string', default: '100' },
    rooms: { type: 'string', default: '20' },
    utterances: { type: 'string', default: '30' },
  },
});

/** Louder than comfort noise, ms-long: compressed power. */
const audible = 0.1;
/** Dark pixels of a mouth that is open at all. */
const open = 40;
const questions = ['What is photosynthesis?', 'What do leaves do?', 'How do plants make sugar?'];
/** Short, so that a reply can be heard to its end. */
const facts = 'Photosynthesis is how plants make sugar. Plants make sugar from light, water and air. Leaves catch the light.';
const tutor = { id: 'brief', name: 'Brief' };
/** Every student says this again and again, with so much silence before it and after it, ms: less than the answer lasts. */
const said = 'Wait a moment please. What is photosynthesis?';
/** One reply in so many is heard to its end. */
const turnsPerWhole = 10;
const silenceMs = { before: 2_500, after: 2_000 };

function say(line: string): void {
  if (!values.json) console.log(line);
}

function summary(all: readonly number[]) {
  return { p50: Math.round(percentile(all, 0.5)), p95: Math.round(percentile(all, 0.95)), n: all.length };
}

/** Looks again until there is one; null after so long, ms. */
async function eventually<T>(look: () => Promise<T | undefined>, withinMs: number): Promise<T | null> {
  const until = performance.now() + withinMs;
  while (performance.now() < until) {
    const found = await look();
    if (found !== undefined) return found;
    await wait(50);
  }
  return null;
}

/** Runs of sound, with gaps of up to `gapMs` inside. */
function runsOf(points: readonly Point[], threshold: number, gapMs: number): readonly { readonly fromMs: number; readonly toMs: number }[] {
  const runs: { fromMs: number; toMs: number }[] = [];
  for (const { atMs, value } of points) {
    if (value < threshold) continue;
    const last = runs.at(-1);
    if (last !== undefined && atMs - last.toMs <= gapMs) last.toMs = atMs;
    else runs.push({ fromMs: atMs, toMs: atMs });
  }
  return runs;
}

/** A tutor whose course is three sentences. */
async function prepareTutor({ engine }: Product): Promise<void> {
  const client = await consoleClient(engine);
  await client.knowledge.create(tutor.id, 'Leaves');
  await client.knowledge.addDocument(tutor.id, { title: 'Leaves', mime: 'text/plain', text: facts });
  const ada = await client.tutors.get('ada');
  await client.tutors.configure(tutor.id, { ...ada.settings, name: tutor.name, knowledgeBaseId: tutor.id });
}

/** From the click that starts a lesson to the first picture of the tutor, ms. */
async function measureStarts(product: Product): Promise<readonly number[]> {
  const waits: number[] = [];
  for (let nth = 0; nth < Number(values.rooms); nth += 1) {
    await using room = await enterRoom(product, tutor.name);
    const first = await eventually(async () => (await room.media.received()).openings[0], 15_000);
    const clicked = (await room.media.received()).sent.find(({ procedure }) => procedure === 'click');
    if (first !== null && clicked !== undefined) waits.push(first.atMs - clicked.atMs);
    else say('a face never came');
  }
  return waits;
}

interface TypedTurns {
  readonly firstAudioMs: readonly number[];
  /** From the click on the button to silence, and to a closed mouth. */
  readonly silenceMs: readonly number[];
  readonly mouthMs: readonly number[];
}

async function measureTyped(room: MeasuredRoom): Promise<TypedTurns> {
  const turns = { firstAudioMs: [] as number[], silenceMs: [] as number[], mouthMs: [] as number[] };
  for (let turn = 0; turn < Number(values.turns); turn += 1) {
    await room.media.received();
    room.media.forget();
    await room.lesson.ask(`${questions[turn % questions.length]}`);
    const heard = await eventually(async () => {
      const { sent, levels } = await room.media.received();
      const asked = sent.find(({ procedure }) => procedure === 'chat.send');
      const first = asked && levels.find(({ atMs, value }) => atMs > asked.atMs && value > audible);
      return asked && first && { waited: first.atMs - asked.atMs };
    }, 10_000);
    if (heard === null) {
      say(`turn ${turn}: never heard`);
      continue;
    }
    turns.firstAudioMs.push(heard.waited);
    // What the stages took is known of replies that were not cut.
    if (turn % turnsPerWhole === turnsPerWhole - 1) {
      await room.lesson.stop.waitFor({ state: 'detached', timeout: 60_000 });
      continue;
    }
    await wait(700);
    await room.lesson.stop.click();
    await room.lesson.stop.waitFor({ state: 'detached' });
    await wait(900);
    const { sent, levels, openings } = await room.media.received();
    const clicked = sent.findLast(({ procedure }) => procedure === 'click')?.atMs ?? 0;
    turns.silenceMs.push((levels.findLast(({ value }) => value > audible)?.atMs ?? clicked) - clicked);
    turns.mouthMs.push((openings.findLast(({ value }) => value > open)?.atMs ?? clicked) - clicked);
  }
  return turns;
}

interface SpokenTurns {
  /** From the student's first sound, while the tutor speaks, to silence, and to a closed mouth. */
  readonly silenceMs: readonly number[];
  readonly mouthMs: readonly number[];
  /** From the student's last sound to the tutor's first. */
  readonly answerMs: readonly number[];
}

/** The student's microphone speaks by itself, every so often, whether the tutor speaks or not. */
async function measureSpoken(room: MeasuredRoom, utteranceMs: number): Promise<SpokenTurns> {
  await room.lesson.page.getByRole('button', { name: english('startTalking') }).click();
  const until = performance.now() + Number(values.utterances) * (silenceMs.before + utteranceMs + silenceMs.after);
  // Looked at now and then: a quarter of an hour of samples at once is more than a page can hand over.
  while (performance.now() < until) {
    await room.media.received();
    await wait(Math.min(10_000, Math.max(0, until - performance.now())));
  }
  const { microphone, levels, openings } = await room.media.received();
  const result = { silenceMs: [] as number[], mouthMs: [] as number[], answerMs: [] as number[] };
  const utterances = runsOf(microphone, audible, 1_200);
  for (const { fromMs, toMs } of utterances.slice(0, -1)) {
    const before = levels.filter(({ atMs, value }) => atMs > fromMs - 300 && atMs < fromMs && value > audible);
    if (before.length > 10) {
      const during = (points: readonly Point[], threshold: number) =>
        points.findLast(({ atMs, value }) => atMs < toMs && value > threshold)?.atMs ?? fromMs;
      result.silenceMs.push(Math.max(0, during(levels, audible) - fromMs));
      result.mouthMs.push(Math.max(0, during(openings, open) - fromMs));
    }
    const answer = levels.find(({ atMs, value }) => atMs > toMs && value > audible);
    if (answer !== undefined && answer.atMs - toMs < silenceMs.before + silenceMs.after) result.answerMs.push(answer.atMs - toMs);
  }
  return result;
}

const Timed = z.object({ timings: z.record(z.string(), z.number().nullable()) });

/** What the engine says that each stage took, over all turns. */
async function stagesOf(product: Product): Promise<Readonly<Record<string, ReturnType<typeof summary>>>> {
  const client = await consoleClient(product.engine);
  const stages = new Map<string, number[]>();
  for await (const { id } of client.sessions.list({ status: 'active' })) {
    for (const event of await eventsOf(client, id)) {
      for (const [stage, ms] of Object.entries(Timed.safeParse(event.payload).data?.timings ?? {})) {
        if (typeof ms !== 'number') continue;
        stages.set(stage, [...(stages.get(stage) ?? []), ms]);
      }
    }
  }
  return Object.fromEntries([...stages].map(([stage, all]) => [stage, summary(all)]));
}

const folder = mkdtempSync(join(tmpdir(), 'bench-voice-'));
try {
  await using speaker = createSpeaker({ enabled: true, edgeVoice: null });
  const { samples } = await speaker.say({ text: said, language: 'en', voice: null, signal: new AbortController().signal });
  const quiet = (ms: number) => new Int16Array((ms * playoutRate) / 1_000);
  const microphone = join(folder, 'student.wav');
  const loop = [quiet(silenceMs.before), samples, quiet(silenceMs.after)];
  writeFileSync(microphone, wavOf(Int16Array.from(loop.flatMap((part) => [...part])), playoutRate));
  await using product = await startProduct({ microphoneWav: microphone, env: { RATE_MESSAGES: '100000', RATE_PER_ADDRESS: '100000' } });
  await prepareTutor(product);
  const starts = summary(await measureStarts(product));
  say(`session start to first picture: ${JSON.stringify(starts)}`);
  await using room = await enterRoom(product, tutor.name);
  await room.media.until('connected');
  const typed = await measureTyped(room);
  say(`message sent to first audio heard: ${JSON.stringify(summary(typed.firstAudioMs))}`);
  const stages = await stagesOf(product);
  say(`stages: ${JSON.stringify(stages)}`);
  const spoken = await measureSpoken(room, (samples.length / playoutRate) * 1_000);
  console.log(
    JSON.stringify({
      bench: 'voice',
      startToFaceMs: starts,
      sentToFirstAudioMs: summary(typed.firstAudioMs),
      stopButtonToSilenceMs: summary(typed.silenceMs),
      stopButtonToMouthAtRestMs: summary(typed.mouthMs),
      bargeInToSilenceMs: summary(spoken.silenceMs),
      bargeInToMouthAtRestMs: summary(spoken.mouthMs),
      speechEndToFirstAudioMs: summary(spoken.answerMs),
      stages,
      cores: cpus().length,
    }),
  );
} finally {
  rmSync(folder, { recursive: true });
}

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createTutorClient } from '@virtual-tutor/sdk';
import { percentile } from '../support/av-sync.ts';
import { film, writeFilm } from '../support/filmed-clip.ts';
import { enterRoom, startProduct } from '../support/measured-room.ts';

/*
 * Twenty teachers upload at once while a lesson goes on: every clip becomes a face, in the order in which they came, and what the student
 * sees in real Chromium keeps its 25 pictures a second. The same minute without builds is measured first: the machine has its own troubles.
 */

const { values } = parseArgs({ options: { clips: { type: 'string', default: '20' }, json: { type: 'boolean', default: false } } });
const clips = Number(values.clips);
const frames = 80;
const quietMs = 30_000;
const questions = ['Why is the sky blue?', 'What is photosynthesis?', 'What is evaporation?'];

const folder = await mkdtemp(join(tmpdir(), 'soak-uploads-'));
try {
  const path = join(folder, 'clip.mp4');
  await writeFilm(path, await film({ frames, width: 480, height: 360, eyesPx: 70, sway: 1, noise: 2 }), 25);
  const clip = await readFile(path);
  await using product = await startProduct();
  const { avatars } = createTutorClient({ url: product.engine.url, apiKey: product.engine.apiKey });
  await using room = await enterRoom(product);
  await wait(5_000);

  const whileAsking = async (until: () => boolean) => {
    room.media.forget();
    for (let nth = 0; !until(); nth += 1) {
      await room.lesson.ask(questions[nth % questions.length] ?? '');
      for (let waited = 0; waited < 8_000 && !until(); waited += 500) await wait(500);
    }
    return perSecond((await room.media.received()).openings.map(({ atMs }) => atMs));
  };
  const startedMs = performance.now();
  const alone = await whileAsking(() => performance.now() - startedMs > quietMs);

  const finished: number[] = [];
  const statuses: string[] = [];
  const uploadedMs = performance.now();
  const consent = { by: 'Grace Hopper', statement: 'My students may see me.' };
  const made = await Promise.all(
    Array.from({ length: clips }, (_, nth) => avatars.upload(clip, { name: `Teacher ${nth}`, fileName: 'clip.mp4', consent })),
  );
  const positions = await Promise.all(made.map(async ({ id }) => (await avatars.get(id)).position ?? -1));
  const built = made.map(async ({ id }, nth) => {
    for await (const seen of avatars.watch(id)) statuses[nth] = seen.status;
    finished.push(nth);
  });
  let done = false;
  const all = Promise.all(built).then(() => {
    done = true;
  });
  const beside = await whileAsking(() => done);
  await all;
  const seconds = (performance.now() - uploadedMs) / 1000;
  const ready = statuses.filter((status) => status === 'ready').length;
  const inOrder = finished.every((nth, at) => nth === finished.toSorted((a, b) => (positions[a] ?? 0) - (positions[b] ?? 0))[at]);
  const held = ready === clips && inOrder && beside.p5 >= 0.9 * alone.p5;
  console.log(held ? 'it held' : 'it did not hold');
  console.log(
    JSON.stringify({
      held,
      clips,
      ready,
      inOrder,
      queued: Math.max(...positions),
      seconds,
      secondsPerClip: seconds / clips,
      alone,
      beside,
    }),
  );
  if (!held) process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** Pictures shown in each whole second. */
function perSecond(times: readonly number[]) {
  const first = times[0] ?? 0;
  const counts = new Map<number, number>();
  for (const atMs of times) counts.set(Math.floor((atMs - first) / 1000), (counts.get(Math.floor((atMs - first) / 1000)) ?? 0) + 1);
  const whole = [...counts.keys()].filter((second) => second < Math.max(...counts.keys()));
  const rates = whole.map((second) => counts.get(second) ?? 0);
  return { seconds: rates.length, p5: percentile(rates, 0.05), p50: percentile(rates, 0.5), least: Math.min(...rates) };
}

import { parseArgs } from 'node:util';
import { createSpeaker } from '../../packages/engine/src/speech/speaker.ts';
import { accepted, percentile, type SentenceSync } from '../support/av-sync.ts';
import { launchStudentsBrowser, newTurn, openRigLesson, startMediaRig } from '../support/media-rig.ts';
import { speakAndMeasure } from '../support/spoken-turn.ts';

/*
 * A tutor who speaks for half an hour and is interrupted a hundred times. Lips and voice, as a browser in real Chromium
 * received them, must fit within what people accept for 99 % of the time, and no worse at the end than at the beginning.
 */

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    interruptions: { type: 'string', default: '100' },
    json: { type: 'boolean', default: false },
  },
});
const mostDriftMs = 20;
const texts = [
  'The speed of light is about three hundred thousand kilometres per second, so nothing that you throw will ever catch it.',
  'Plants turn light into sugar, and for that they need water, air and a great deal of patience.',
  'A triangle on a flat sheet of paper has angles that add up to half a turn, however you draw it.',
];

await using rig = await startMediaRig({ seed: 30 });
await using speaker = createSpeaker({ enabled: true, edgeVoice: null });
const browser = await launchStudentsBrowser();
try {
  await using lesson = await openRigLesson(rig, { browser });
  const measured: (SentenceSync | null)[][] = [];
  const measure = async () => {
    measured.push([...(await speakAndMeasure({ rig, lesson, speaker }, texts)).sentences]);
    const offsets = (measured.at(-1) ?? []).flatMap((sync) => sync?.offsets ?? []).map(({ offsetMs }) => offsetMs);
    console.log(`round ${measured.length}: ${offsets.length} windows, median ${Math.round(percentile(offsets, 0.5))} ms`);
  };
  const endAt = performance.now() + Number(values.minutes) * 60_000;
  while (measured.length < 2 || performance.now() < endAt) await measure();
  const rounds = measured.length;
  for (let nth = 0; nth < Number(values.interruptions); nth += 1) {
    const from = rig.facts.length;
    const turnId = newTurn();
    lesson.say(turnId, 0, texts[nth % texts.length] ?? '');
    await lesson.fact('firstFrame', from);
    await rig.workers.request({ type: 'stop', sessionId: lesson.sessionId, turnId });
  }
  for (let nth = 0; nth < 2; nth += 1) await measure();
  const offsetsOf = (some: typeof measured) =>
    some
      .flat()
      .flatMap((sync) => sync?.offsets ?? [])
      .map(({ offsetMs }) => offsetMs);
  const all = offsetsOf(measured);
  const within = all.filter((ms) => ms >= accepted.fromMs && ms <= accepted.toMs).length / all.length;
  const median = (some: typeof measured) => percentile(offsetsOf(some), 0.5);
  const share = Math.max(1, Math.floor(rounds / 6));
  const driftMs = median(measured.slice(rounds - share, rounds)) - median(measured.slice(0, share));
  const driftByInterruptionsMs = median(measured.slice(rounds)) - median(measured.slice(rounds - share, rounds));
  const unheard = measured.flat().filter((sync) => sync === null).length;
  const correlation = percentile(
    measured.flat().map((sync) => sync?.mouthCorrelation ?? 0),
    0.05,
  );
  const held =
    within >= 0.99 &&
    Math.abs(driftMs) <= mostDriftMs &&
    Math.abs(driftByInterruptionsMs) <= mostDriftMs &&
    correlation >= 0.7 &&
    unheard === 0;
  console.log(held ? 'it held' : 'IT DID NOT HOLD');
  const figures = { held, windows: all.length, within, correlationP5: correlation, driftMs, driftByInterruptionsMs, unheard };
  if (values.json)
    console.log(JSON.stringify({ ...figures, offsetMs: { p1: percentile(all, 0.01), p50: median(measured), p99: percentile(all, 0.99) } }));
  process.exitCode = held ? 0 : 1;
} finally {
  await browser.close();
}

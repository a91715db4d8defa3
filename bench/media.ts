import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { cpuSecondsOf, untilQuiet } from '../test/support/process-load.ts';
import { makeMaterial } from './media/lesson-material.ts';
import { type Sender, startAiortc, startOurs } from './media/senders.ts';
import { Viewers } from './media/viewers.ts';

/*
 * What a viewer costs the process that streams to it: our engine worker against aiortc, the library of the
 * predecessor, in the same run and with the same pictures (512x512 at 25 a second, VP8) and sound (Opus).
 * aiortc gets them as ready pictures and samples; ours draws and synthesises them as well. `idle`: the tutor
 * is at rest; `speaking`: to every viewer at once. Viewers are a process of their own that only decrypts and
 * counts. A sender that this machine cannot hold shows fewer frames: so CPU counts per 25 frames that arrived.
 */

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '10' },
    sessions: { type: 'string', default: '1,8,30' },
  },
});
const seconds = Number(values.seconds);
const counts = values.sessions.split(',').map(Number);
const framesPerSecond = 25;
const settleMs = 4_000;

interface Measured {
  readonly who: 'ours' | 'aiortc';
  readonly tutor: 'idle' | 'speaking';
  readonly sessions: number;
  /** Of one core, in all. */
  readonly cpuPercent: number;
  /** Of one core, for each 25 frames a second that a viewer got. */
  readonly perSession: number;
  /** That each viewer got. */
  readonly fps: number;
  readonly kbitPerSession: number;
  readonly troubles: readonly string[];
}

async function measure(sender: Sender, what: Pick<Measured, 'who' | 'tutor' | 'sessions'>): Promise<Measured> {
  await using viewers = new Viewers();
  for (let nth = 0; nth < what.sessions; nth += 1) await viewers.join(`${nth}`, (offer) => sender.answer(`${nth}`, offer));
  if (what.tutor === 'speaking') sender.speak();
  await wait(settleMs);
  const [before, cpuBefore, startedAt] = [await viewers.count(), cpuSecondsOf(sender.pid), performance.now()];
  await wait(seconds * 1_000);
  const [after, cpuAfter, endedAt] = [await viewers.count(), cpuSecondsOf(sender.pid), performance.now()];
  const took = (endedAt - startedAt) / 1_000;
  const cpuPercent = (100 * (cpuAfter - cpuBefore)) / took;
  const fps = (after.frames - before.frames) / took / what.sessions;
  const measured = {
    ...what,
    cpuPercent: rounded(cpuPercent),
    perSession: rounded(cpuPercent / what.sessions / (fps / framesPerSecond)),
    fps: rounded(fps),
    kbitPerSession: Math.round(((after.bytes - before.bytes) * 8) / 1_000 / took / what.sessions),
    troubles: [...new Set(sender.troubles)],
  };
  await viewers.leave();
  if (!values.json) {
    const { who, tutor, sessions, perSession, kbitPerSession } = measured;
    const line = `${who.padEnd(6)} ${tutor.padEnd(8)} ${String(sessions).padStart(2)}  ${String(perSession).padStart(6)} % a session`;
    console.log(`${line}  ${measured.cpuPercent} % in all  ${measured.fps} fps  ${kbitPerSession} kbit/s  ${measured.troubles.join('; ')}`);
  }
  return measured;
}

function rounded(figure: number): number {
  return Math.round(figure * 100) / 100;
}

const folder = mkdtempSync(join(tmpdir(), 'bench-media-'));
const all: Measured[] = [];
try {
  const material = await makeMaterial(folder);
  for (const sessions of counts) {
    for (const tutor of ['idle', 'speaking'] as const) {
      for (const who of ['aiortc', 'ours'] as const) {
        await using sender = who === 'ours' ? await startOurs() : await startAiortc(material[tutor]);
        await untilQuiet(sender.pid);
        all.push(await measure(sender, { who, tutor, sessions }));
      }
    }
  }
} finally {
  rmSync(folder, { recursive: true });
}

const of = (who: Measured['who'], tutor: Measured['tutor']) => all.filter((one) => one.who === who && one.tutor === tutor);
const ratios = (tutor: Measured['tutor']) =>
  of('ours', tutor).map(({ perSession }, nth) => rounded(perSession / (of('aiortc', tutor)[nth]?.perSession ?? Number.NaN)));
const bySessions = (measured: readonly Measured[]) =>
  Object.fromEntries(measured.map(({ sessions, perSession, fps }) => [sessions, { cpu: perSession, fps }]));
console.log(
  JSON.stringify({
    bench: 'media',
    // The worst of all session counts.
    idleRatioToAiortc: Math.max(...ratios('idle')),
    speakingRatioToAiortc: Math.max(...ratios('speaking')),
    sessions: counts,
    idleRatios: ratios('idle'),
    speakingRatios: ratios('speaking'),
    perIdleCpu: bySessions(of('ours', 'idle')),
    perSpeakingCpu: bySessions(of('ours', 'speaking')),
    aiortcCpu: { idle: bySessions(of('aiortc', 'idle')), speaking: bySessions(of('aiortc', 'speaking')) },
    seconds,
    cores: cpus().length,
    troubles: all
      .filter(({ troubles }) => troubles.length > 0)
      .map(({ who, tutor, sessions, troubles }) => ({ who, tutor, sessions, troubles })),
  }),
);

import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { AvatarId, TurnId } from '@virtual-tutor/schemas';
import { readManifest } from '../packages/engine/src/avatar/artifact/open-avatar.ts';
import {
  type Appearance,
  type LessonScore,
  type LoggedEvent,
  lessonScore,
  renderLesson,
} from '../packages/engine/src/lesson-video/index.ts';
import { playoutRate } from '../packages/engine/src/media/ports.ts';
import { createSpeaker } from '../packages/engine/src/speech/speaker.ts';
import { writeTintedAvatar } from '../test/support/tinted-film.ts';

/*
 * How long it takes to show a lesson again as a video: a lesson of a minute and more in which the tutor speaks for three quarters of the time, with
 * a drawn and with a filmed face, each rendered twice. `realTimeFactor` is the length of the lesson over the time that rendering took, the slower of
 * the faces; `sameHash`: both files of each face are the same, byte for byte. Limit: 4.
 */

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false }, turns: { type: 'string', default: '6' } } });
const turns = Number(values.turns);
const avatarId = AvatarId.parse('0193c5a0-0000-7000-8000-00000000000a');
const reply = [
  'Plants take light, water and air, and make sugar of them in their leaves. ',
  'For that they need chlorophyll, which is why most of them are green. ',
  'At night, when there is no light, they live on what they have made.',
];
/** Between two replies the student thinks and types, ms. */
const pauseMs = 4_000;

/** As the engine would have written it: each sentence as long as the voice needs for it. */
async function lessonLog(): Promise<readonly LoggedEvent[]> {
  await using speaker = createSpeaker({ enabled: true, edgeVoice: null });
  const signal = new AbortController().signal;
  const lengths: number[] = [];
  for (const text of reply) {
    const { samples } = await speaker.say({ text, language: 'en', voice: null, signal });
    lengths.push((samples.length * 1_000) / playoutRate);
  }
  let atMs = Date.UTC(2026, 0, 1);
  const log: LoggedEvent[] = [{ atMs, event: { type: 'QualityChanged', payload: { from: 'text', to: 'video', reason: 'connected' } } }];
  for (let nth = 0; nth < turns; nth += 1) {
    const turnId = TurnId.parse(`11111111-1111-4111-8111-${String(nth).padStart(12, '0')}`);
    const message = { turnId, clientMessageId: turnId, modality: 'text', language: 'en', asr: null } as const;
    atMs += pauseMs;
    log.push({ atMs, event: { type: 'MessageReceived', payload: message, personal: { text: 'How do plants live?' } } });
    atMs += 300;
    for (const [index, text] of reply.entries()) {
      log.push({ atMs, event: { type: 'SentenceGenerated', payload: { turnId, index, citations: [] }, personal: { text } } });
    }
    for (const [index, durationMs] of lengths.entries()) {
      atMs += Math.ceil(durationMs);
      const playout = { medium: 'voice', heardMs: durationMs, durationMs } as const;
      log.push({ atMs, event: { type: 'SentenceHeard', payload: { turnId, index, playout } } });
    }
  }
  return log;
}

interface Measured {
  readonly face: string;
  readonly realTimeFactor: number;
  readonly cpuMsPerSecond: number;
  readonly kbps: number;
  readonly sameHash: boolean;
}

async function measure(
  face: string,
  score: LessonScore,
  { film, folder }: { film: Appearance['film']; folder: string },
): Promise<Measured> {
  const appearances: readonly Appearance[] = [{ fromMs: 0, voice: null, character: 'ada', film }];
  const hashes = new Set<string>();
  let [wallMs, cpuMs, bytes] = [0, 0, 0];
  for (const name of ['first', 'second']) {
    const path = join(folder, `${face}-${name}.mp4`);
    const before = process.cpuUsage();
    const startedAt = performance.now();
    const { silent, films } = await renderLesson({ score, appearances, avatarsFolder: folder, path });
    wallMs = Math.max(wallMs, performance.now() - startedAt);
    const { user, system } = process.cpuUsage(before);
    cpuMs = (user + system) / 1_000;
    if (silent.length > 0 || films.length > 0) throw new Error('something could not be rendered');
    const file = await readFile(path);
    bytes = file.length;
    hashes.add(createHash('sha256').update(file).digest('hex'));
  }
  const seconds = score.durationMs / 1_000;
  return {
    face,
    realTimeFactor: Number((score.durationMs / wallMs).toFixed(1)),
    cpuMsPerSecond: Math.round(cpuMs / seconds),
    kbps: Math.round((bytes * 8) / seconds / 1_000),
    sameHash: hashes.size === 1,
  };
}

const folder = await mkdtemp(join(tmpdir(), 'video-'));
try {
  const score = lessonScore(await lessonLog());
  await writeTintedAvatar(join(folder, avatarId), { u: 110, v: 150 }, 50);
  const { artifacts } = await readManifest(join(folder, avatarId));
  const drawn = await measure('drawn', score, { film: null, folder });
  const filmed = await measure('filmed', score, { film: { avatarId, artifacts }, folder });
  const results = [drawn, filmed];
  if (!values.json) console.table(results);
  const realTimeFactor = Math.min(...results.map((result) => result.realTimeFactor));
  const sameHash = results.every((result) => result.sameHash);
  const spokenMs = score.sentences.reduce((sum, { heardMs }) => sum + heardMs, 0);
  const lesson = { lessonSeconds: Math.round(score.durationMs / 1_000), spokenSeconds: Math.round(spokenMs / 1_000) };
  console.log(JSON.stringify({ bench: 'video', realTimeFactor, sameHash, ...lesson, results }));
  if (realTimeFactor < 4 || !sameHash) process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true });
}

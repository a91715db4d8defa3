import { existsSync, readFileSync } from 'node:fs';
import { copyFile, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Face, WorkerConfig } from '@virtual-tutor/engine/media';
import { AvatarId, SessionId } from '@virtual-tutor/schemas';
import { v7 as uuidv7 } from 'uuid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openFaceFinder } from '../../packages/engine/src/adapters/face-api.ts';
import { buildAvatar, sourceName } from '../../packages/engine/src/avatar/build/build-avatar.ts';
import { measureFace } from '../../packages/engine/src/avatar/face/measure.ts';
import type { FoundFace } from '../../packages/engine/src/avatar/face/ports.ts';
import { rgbOfI420 } from '../../packages/engine/src/avatar/i420-picture.ts';
import { playoutRate } from '../../packages/engine/src/media/ports.ts';
import { createSpeaker } from '../../packages/engine/src/speech/speaker.ts';
import type { SessionFact } from '../../packages/server/src/app/media-plane.ts';
import { type MediaWorkers, startMediaWorkers } from '../../packages/server/src/workers/media-workers.ts';
import { lagOf, openingOfPhones, type Point, percentile } from '../support/av-sync.ts';
import { newTurn } from '../support/media-rig.ts';
import { until } from '../support/relays.ts';
import { rehearse } from '../support/spoken-turn.ts';
import { isTinted, type Tint, writeTintedAvatar } from '../support/tinted-film.ts';
import { writeTinyMuseTalk } from '../support/tiny-musetalk.ts';
import { WatchingStudent } from '../support/watching-student.ts';

const avatar = (nth: number) => AvatarId.parse(`0193c5a0-0000-7000-8000-00000000000${nth}`);
const [lin, torn, absent, real] = [avatar(1), avatar(2), avatar(3), avatar(4)];
const tint: Tint = { u: 80, v: 160 };
const filmed = (avatarId: AvatarId): Face => ({ kind: 'filmed', avatarId, character: 'ada' });
const drawn: Face = { kind: 'drawn', character: 'ada' };

const config: Omit<WorkerConfig, 'avatar'> = {
  mediaAddress: '127.0.0.1',
  mediaPorts: [41_100, 41_199],
  relayAddresses: ['127.0.0.1'],
  relayPorts: [1_024, 65_535],
  engineRelay: null,
  tts: { enabled: true, edgeVoice: null },
  asr: { enabled: false, modelsFolder: null, model: 'base', device: 'cpu', language: null },
  capacity: { sessions: 10, speaking: 10 },
};

describe('an engine worker with filmed tutors', () => {
  let folder: string;
  let workers: MediaWorkers;
  const facts: SessionFact[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'filmed-worker-'));
    await writeTintedAvatar(join(folder, lin), tint);
    await cp(join(folder, lin), join(folder, torn), { recursive: true });
    await writeFile(join(folder, torn, 'frames.mkv'), 'torn');
    workers = startMediaWorkers({
      config: { ...config, avatar: { enabled: true, folder, museTalkFolder: null } },
      workers: 1,
      onFault: () => undefined,
    });
    workers.onFact((fact) => facts.push(fact));
    await workers.ready;
  });
  afterAll(async () => {
    await workers?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  function openWith(face: Face) {
    const sessionId = SessionId.parse(uuidv7());
    expect(workers.open({ sessionId, locale: 'en', voice: null, face })).toBeNull();
    return sessionId;
  }

  test('shows the film once it is loaded, and another face within a second of the order, in the middle of a sentence', async () => {
    const sessionId = openWith(filmed(lin));
    await using student = await WatchingStudent.connect(workers, sessionId);
    await until(() => student.pictures.some(({ picture }) => isTinted(picture, tint)));
    const first = student.pictures.findIndex(({ picture }) => isTinted(picture, tint));
    expect(student.pictures.slice(first).every(({ picture }) => isTinted(picture, tint))).toBe(true);

    const turnId = newTurn();
    workers.order({ type: 'say', sessionId, turnId, index: 0, text: 'Plants turn light into sugar.', language: 'en' });
    await until(() => facts.some((fact) => fact.type === 'firstFrame' && fact.turnId === turnId));
    const orderedAtMs = performance.now();
    workers.order({ type: 'wear', sessionId, face: drawn });
    await until(() => facts.some((fact) => fact.type === 'heard' && fact.turnId === turnId));
    const after = student.pictures.filter(({ atMs }) => atMs >= orderedAtMs);
    const seen = after.findIndex(({ picture }) => !isTinted(picture, tint));
    const switchMs = (after[seen]?.atMs ?? Number.POSITIVE_INFINITY) - orderedAtMs;
    if (process.env['LONG'] === '1') console.log(`another face ${Math.round(switchMs)} ms after the order`);
    expect(switchMs).toBeLessThan(1_000);
    expect(after[seen]?.key).toBe(true);
    expect(after.slice(seen).some(({ picture }) => isTinted(picture, tint))).toBe(false);
    // The mouth and the voice went on.
    expect(after.length).toBeGreaterThan(seen + 5);
    expect(facts.filter((fact) => fact.type === 'quality' && fact.sessionId === sessionId).map((fact) => fact)).toMatchObject([
      { to: 'video' },
    ]);
    workers.order({ type: 'close', sessionId });
  });

  test('shows the drawn tutor in place of those that are damaged or not on this node, and says what to do', async () => {
    await Promise.all(
      ([torn, absent] as const).map(async (avatarId) => {
        const sessionId = openWith(filmed(avatarId));
        await using student = await WatchingStudent.connect(workers, sessionId);
        const turnId = newTurn();
        workers.order({ type: 'say', sessionId, turnId, index: 0, text: 'Good morning.', language: 'en' });
        await until(() => facts.some((fact) => fact.type === 'heard' && fact.turnId === turnId));
        expect(facts.some((fact) => fact.type === 'firstFrame' && fact.turnId === turnId)).toBe(true);
        expect(student.pictures.length).toBeGreaterThan(10);
        expect(student.pictures.some(({ picture }) => isTinted(picture, tint))).toBe(false);
        workers.order({ type: 'close', sessionId });
      }),
    );
    const told = workers.health().find(({ name }) => name === 'filmed tutors');
    expect(told?.status).toBe('degraded');
    expect(told?.reason).toContain(`avatar ${torn}: its files are damaged`);
    expect(told?.reason).toContain(`avatar ${absent}: its files are not on this node`);
  });

  /** The whole way of a photo: built, loaded, spoken, decoded; and the mouth found again in what a viewer sees. */
  test.runIf(process.env['LONG'] === '1')('moves the mouth of a real face with the words, and no other time', async () => {
    await using finder = await openFaceFinder();
    const place = join(folder, real);
    await mkdir(place);
    await copyFile(fileURLToPath(new URL('../support/faces/hopper.jpg', import.meta.url)), join(place, sourceName));
    const limits = { maxDurationMs: 60_000, maxPixels: 4096 * 2304 };
    const { status } = await buildAvatar({
      folder: place,
      finder,
      limits,
      onProgress: () => undefined,
      signal: new AbortController().signal,
    });
    expect(status).toBe('ready');

    const sessionId = openWith(filmed(real));
    await using student = await WatchingStudent.connect(workers, sessionId);
    await using speaker = createSpeaker({ enabled: true, edgeVoice: null });
    const text = 'Plants turn light into sugar, and for that they need water and air.';
    const speech = await rehearse(speaker, text);
    await wait(3_000);
    const turnId = newTurn();
    const fromMs = performance.now();
    workers.order({ type: 'say', sessionId, turnId, index: 0, text, language: 'en' });
    await until(() => facts.some((fact) => fact.type === 'heard' && fact.turnId === turnId));
    await wait(1_000);

    const openings: Point[] = [];
    let near: readonly FoundFace[] = [];
    for (const { atMs, picture } of student.pictures.filter((seen) => seen.atMs > fromMs - 1_000)) {
      near = await finder.find(rgbOfI420(picture, 512), near);
      const [face] = near;
      if (face !== undefined) openings.push({ atMs, value: measureFace(face.landmarks)?.mouthOpening ?? 0 });
    }
    const durationMs = (speech.samples.length / playoutRate) * 1_000;
    const fit = lagOf(openings, openingOfPhones(speech.visemes), { fromMs, toMs: fromMs + 2_000, stepMs: 10 });
    const beganMs = fit?.lagMs ?? 0;
    const rest = openings.filter(({ atMs }) => atMs < fromMs || atMs > beganMs + durationMs + 300).map(({ value }) => value);
    const spoken = openings.filter(({ atMs }) => atMs >= beganMs && atMs <= beganMs + durationMs).map(({ value }) => value);
    const [still, wide] = [percentile(rest, 0.95), percentile(spoken, 0.9)];
    console.log(`fit ${fit?.fit}, began after ${beganMs - fromMs} ms, at rest up to ${still}, spoken ${wide}`);
    expect(fit?.fit).toBeGreaterThan(0.75);
    expect(wide).toBeGreaterThan(still + 0.05);
    workers.order({ type: 'close', sessionId });
  });
});

describe('engine workers with MuseTalk', () => {
  let folder: string;
  let workers: MediaWorkers;
  const facts: SessionFact[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'painted-worker-'));
    await writeTintedAvatar(join(folder, lin), tint);
    const museTalkFolder = join(folder, 'models');
    writeTinyMuseTalk(museTalkFolder, { decoder: 'calm' });
    workers = startMediaWorkers({
      config: { ...config, avatar: { enabled: true, folder, museTalkFolder } },
      workers: 2,
      onFault: () => undefined,
    });
    workers.onFact((fact) => facts.push(fact));
    await workers.ready;
  });
  afterAll(async () => {
    await workers?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  /** What the small models paint has another colour than the film; what the warp renderer draws has not. */
  async function speakTo(student: WatchingStudent, sessionId: SessionId) {
    const turnId = newTurn();
    const from = student.pictures.length;
    workers.order({ type: 'say', sessionId, turnId, index: 0, text: 'Plants turn light into sugar.', language: 'en' });
    await until(() => facts.some((fact) => fact.type === 'heard' && fact.turnId === turnId));
    const pictures = student.pictures.slice(from).map(({ picture }) => picture);

    return { pictures: pictures.length, painted: pictures.filter((picture) => !isTinted(picture, tint)).length };
  }

  /** Two students of one tutor, and how many of the pictures of a sentence were painted. On a busy machine a face may rest: then another two. */
  async function spokenToTwo() {
    const sessions = [SessionId.parse(uuidv7()), SessionId.parse(uuidv7())];
    for (const sessionId of sessions) expect(workers.open({ sessionId, locale: 'en', voice: null, face: filmed(lin) })).toBeNull();
    const seen = await Promise.all(
      sessions.map(async (sessionId) => {
        await using student = await WatchingStudent.connect(workers, sessionId);
        await until(() => student.pictures.some(({ picture }) => isTinted(picture, tint)));
        return await speakTo(student, sessionId);
      }),
    );
    for (const sessionId of sessions) workers.order({ type: 'close', sessionId });
    return seen;
  }

  test('paint the mouths of all who see a filmed tutor in one place, and shape them when MuseTalk is gone', async () => {
    await until(() => workers.health().some(({ name, status }) => name === 'MuseTalk' && status === 'ok'));
    await spokenToTwo();
    await until(() => existsSync(join(folder, lin, 'musetalk.bin')));
    const allPainted = async () => (await spokenToTwo()).every(({ pictures, painted }) => painted > pictures / 2);
    expect((await allPainted()) || (await allPainted()) || (await allPainted())).toBe(true);

    await writeFile(join(folder, 'models', 'unet.onnx'), 'torn');
    for (const pid of painters(workers.pids)) process.kill(pid, 'SIGKILL');
    await until(() => workers.health().some(({ name, status }) => name === 'MuseTalk' && status === 'degraded'));
    await wait(500);
    for (const { pictures, painted } of await spokenToTwo()) {
      expect(pictures).toBeGreaterThan(10);
      expect(painted).toBe(0);
    }
  }, 90_000);
});

/** Their children that run MuseTalk (proc(5)). */
function painters(parents: readonly number[]): readonly number[] {
  const children = parents.flatMap((pid) => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number));
  return children.filter((pid) => pid > 0 && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('musetalk/process'));
}

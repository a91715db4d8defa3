import { randomUUID } from 'node:crypto';
import type { WorkerConfig } from '@virtual-tutor/engine/media';
import { SessionId, TurnId } from '@virtual-tutor/schemas';
import type { Browser } from 'playwright-core';
import { v7 as uuidv7 } from 'uuid';
import type { SessionFact } from '../../packages/server/src/app/media-plane.ts';
import { type MediaWorkers, startMediaWorkers } from '../../packages/server/src/workers/media-workers.ts';
import { launchChromium } from './chromium.ts';
import { NetSim } from './netsim.ts';
import { untilQuiet } from './process-load.ts';
import { ReceivingBrowser } from './received-media.ts';
import { type Relay, startRelay, until } from './relays.ts';

/** Chromium that plays without being clicked and has a microphone: beeps, or this WAV, again and again. */
export function launchStudentsBrowser(microphoneWav?: string): Promise<Browser> {
  const file = microphoneWav === undefined ? [] : [`--use-file-for-fake-audio-capture=${microphoneWav}`];
  return launchChromium([
    '--autoplay-policy=no-user-gesture-required',
    '--use-fake-device-for-media-stream',
    '--use-fake-ui-for-media-stream',
    // A tab that nobody looks at goes on.
    '--disable-renderer-backgrounding',
    '--disable-background-timer-throttling',
    ...file,
  ]);
}

/** Everything of the product that media passes, without the API: relay and engine workers, and a bad network before them. */
export interface MediaRig extends AsyncDisposable {
  readonly relay: Relay;
  readonly network: NetSim;
  readonly workers: MediaWorkers;
  /** What the workers said, oldest first. */
  readonly facts: readonly SessionFact[];
  /** Faults that the workers told. */
  readonly output: readonly string[];
}

export interface MediaRigOptions extends Partial<WorkerConfig> {
  readonly seed?: number;
  /** The engine, too, has its ports on the relay. */
  readonly throughRelay?: boolean;
}

export async function startMediaRig({ seed = 1, throughRelay = false, ...changes }: MediaRigOptions = {}): Promise<MediaRig> {
  await using cleanUp = new AsyncDisposableStack();
  const relay = cleanUp.use(await startRelay('embedded', { engineRelay: throughRelay }));
  const { mediaAddress, mediaPorts, relayAddress, relayPorts, port } = relay.plan;
  const network = cleanUp.use(await NetSim.udp({ target: port, seed }));
  const output: string[] = [];
  const workers = cleanUp.use(
    startMediaWorkers({
      workers: 1,
      onFault: (fault) => output.push(fault),
      config: {
        mediaAddress,
        mediaPorts,
        relayAddresses: [relayAddress],
        relayPorts,
        engineRelay: throughRelay ? { url: relay.url('udp'), ...relay.credential('engine', { ttlSeconds: 86_400 }) } : null,
        tts: { enabled: true, edgeVoice: null },
        asr: { enabled: false, modelsFolder: null, model: 'base', device: 'cpu', language: null },
        avatar: { enabled: true, folder: '', museTalkFolder: null },
        capacity: { sessions: 40, speaking: 40 },
        ...changes,
      },
    }),
  );
  await workers.ready;
  await until(() => workers.health()[0]?.status === 'ok');
  for (const pid of workers.pids) await untilQuiet(pid);
  const facts: SessionFact[] = [];
  workers.onFact((fact) => facts.push(fact));
  const resources = cleanUp.move();
  return { relay, network, workers, facts, output, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

export interface RigLesson extends AsyncDisposable {
  readonly sessionId: SessionId;
  readonly student: ReceivingBrowser;
  /** Speaks a sentence of this turn after those before it. */
  say(turnId: TurnId, index: number, text: string): void;
  /** The first fact of this kind since `from` (a count of facts), which may be still to come. */
  fact<T extends SessionFact['type']>(type: T, from?: number): Promise<Extract<SessionFact, { type: T }>>;
}

const factWithinMs = 60_000;

/** One student whose browser reaches the relay through the rig's network. */
export async function openRigLesson(
  rig: MediaRig,
  { browser, microphone = false }: { readonly browser: Browser; readonly microphone?: boolean },
): Promise<RigLesson> {
  const { relay, network, workers, output } = rig;
  const sessionId = SessionId.parse(uuidv7());
  const refused = workers.open({ sessionId, locale: 'en', voice: null, face: { kind: 'drawn', character: 'ada' } });
  if (refused !== null) throw new Error(refused.message);
  const peerId = randomUUID();
  const student = await ReceivingBrowser.connect(browser, {
    iceServers: [{ urls: `turn:127.0.0.1:${network.port}?transport=udp`, ...relay.credential(sessionId) }],
    microphone,
    negotiate: async (offerSdp) => {
      const answer = await workers.request({ type: 'negotiate', sessionId, peerId, offerSdp });
      if (answer.type !== 'answered') throw new Error(`the engine said no: ${JSON.stringify(answer)}\n${output.join('\n')}`);
      return answer.answerSdp;
    },
  });
  return rigLessonOf(rig, { sessionId, student });
}

/** A student who is connected already, by whatever way. */
export function rigLessonOf(
  { workers, facts, output }: MediaRig,
  { sessionId, student }: Pick<RigLesson, 'sessionId' | 'student'>,
): RigLesson {
  return {
    sessionId,
    student,
    say: (turnId, index, text) => workers.order({ type: 'say', sessionId, turnId, index, text, language: 'en' }),
    async fact(type, from = 0) {
      type Wanted = Extract<SessionFact, { type: typeof type }>;
      const isIt = (fact: SessionFact): fact is Wanted => fact.type === type && fact.sessionId === sessionId;
      const known = facts.slice(from).find(isIt);
      if (known !== undefined) return known;
      const { promise, resolve, reject } = Promise.withResolvers<Wanted>();
      const stop = workers.onFact((fact) => isIt(fact) && resolve(fact));
      const late = setTimeout(() => reject(new Error(`no ${type} came\n${output.join('\n')}`)), factWithinMs);
      return promise.finally(() => {
        clearTimeout(late);
        stop();
      });
    },
    async [Symbol.asyncDispose]() {
      await student[Symbol.asyncDispose]();
      workers.order({ type: 'close', sessionId });
    },
  };
}

export function newTurn(): TurnId {
  return TurnId.parse(randomUUID());
}

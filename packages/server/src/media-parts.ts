import type { WorkerConfig } from '@virtual-tutor/engine/media';
import { type MediaPlane, noMedia } from './app/media-plane.ts';
import type { Clock } from './app/ports.ts';
import type { TurnAccess } from './app/turn-access.ts';
import type { Config } from './config.ts';
import type { Log } from './log.ts';
import { openTurn } from './turn/open-turn.ts';
import { startMediaWorkers } from './workers/media-workers.ts';

/** Tutors with a moving mouth that one worker keeps up with on one core. */
const speakingPerWorker = 12;

export interface MediaParts {
  readonly plane: MediaPlane;
  readonly turn: TurnAccess | null;
  readonly enabled: { readonly speech: boolean; readonly listening: boolean; readonly face: boolean };
}

/** The relay and the engine workers, as the configuration asks for them. */
export async function openMedia(
  config: Config,
  { log, clock, cleanUp }: { readonly log: Log; readonly clock: Clock; readonly cleanUp: AsyncDisposableStack },
): Promise<MediaParts> {
  const enabled = { speech: config.enableTts, listening: config.enableAsr, face: config.enableAvatar };
  if (!enabled.speech && !enabled.listening && !enabled.face) return { plane: noMedia, turn: null, enabled };
  const turn = cleanUp.use(await openTurn({ settings: config.turn, dataDir: config.dataDir, clock }));
  const plane = cleanUp.use(
    startMediaWorkers({
      config: workerConfig(config, turn),
      workers: config.mediaWorkers,
      onFault: (fault) => log.warn('an engine worker failed', { fault }),
    }),
  );
  return { plane, turn, enabled };
}

function workerConfig(config: Config, turn: TurnAccess): WorkerConfig {
  const [first, last] = turn.relayPorts;
  const relayed = Math.floor((last - first + 1) / (turn.engineRelay() === null ? 1 : 2));
  const sessions = Math.min(config.maxMediaSessions, relayed);
  const { mediaAddress, mediaPorts, relayAddresses, relayPorts } = turn;
  return {
    mediaAddress,
    mediaPorts,
    relayAddresses,
    relayPorts,
    engineRelay: turn.engineRelay(),
    tts: { enabled: config.enableTts, edgeVoice: config.ttsVoice },
    asr: { enabled: config.enableAsr, ...config.asr },
    avatar: { enabled: config.enableAvatar, folder: config.avatars.folder, museTalkFolder: config.avatars.museTalkFolder },
    capacity: { sessions, speaking: speakingPerWorker },
  };
}

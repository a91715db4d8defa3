import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { AvatarId, Locale } from '@virtual-tutor/schemas';
import { createOpusDecoder, createOpusEncoder } from '../adapters/node-av-opus.ts';
import { createVad } from '../adapters/silero.ts';
import { createPeerFactory } from '../adapters/werift-peers.ts';
import { openAvatar } from '../avatar/artifact/open-avatar.ts';
import { MuseTalkProcess } from '../avatar/musetalk/musetalk-process.ts';
import { createEar, type Ear, type EarClock, type EarEvent } from '../listening/ear.ts';
import { createRecogniser, type Recogniser } from '../listening/recogniser.ts';
import type { OpenMedia, WorkerConfig } from '../media/protocol.ts';
import { createSpeaker } from '../speech/speaker.ts';
import type { WorkerParts } from './engine-worker.ts';
import { openWardrobe, type Painter } from './wardrobe.ts';

const voiceBps = 32_000;
/** Filmed tutors in memory at once, of at most some 60 MB each. */
const mostFilms = 8;
/** How long a film stays that nobody sees any more: a class that follows another has the same tutor, ms. */
const filmKeptMs = 60_000;

/** Opens what all sessions of a worker share: peers, synthesisers, recognisers, faces. `onDefect` is told of faults that it survives. */
export async function openParts(config: WorkerConfig, onDefect: (error: unknown) => void): Promise<WorkerParts> {
  await using cleanUp = new AsyncDisposableStack();
  const peers = cleanUp.use(await createPeerFactory(config));
  const speaker = cleanUp.use(createSpeaker(config.tts));
  const recogniser = config.asr.enabled ? cleanUp.use(createRecogniser(config.asr)) : null;
  // The first student must not wait for weights to be read.
  if (recogniser !== null) await createVad();
  const { enabled, folder, museTalkFolder } = config.avatar;
  const folderOf = (avatarId: AvatarId) => join(folder, avatarId);
  const muse = enabled && museTalkFolder !== null ? cleanUp.use(new MuseTalkProcess({ folder: museTalkFolder })) : null;
  const wardrobe = enabled
    ? cleanUp.use(
        openWardrobe({
          load: (avatarId) => openAvatar(folderOf(avatarId)),
          painter: muse && painterOf(muse, folderOf),
          most: mostFilms,
          keptMs: filmKeptMs,
          now: () => Date.now(),
          onDefect,
        }),
      )
    : null;
  const resources = cleanUp.move();
  return {
    partsOf: (media) => ({
      peers,
      say: (request) => speaker.say(request),
      maySpeak: () => speaker.maySpeak(media.locale),
      createAudioEncoder: () => createOpusEncoder({ bps: voiceBps }),
      createEar:
        recogniser === null ? null : (onEvent) => openEar({ media, recogniser, language: config.asr.language ?? media.locale, onEvent }),
      wear: wardrobe === null ? null : wardrobe.wear,
    }),
    health: () => [
      ...speaker.health(),
      ...(recogniser?.health() ?? []),
      ...(wardrobe?.health() ?? []),
      ...(muse === null ? [] : [muse.health()]),
    ],
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

function painterOf(muse: MuseTalkProcess, folderOf: (avatarId: AvatarId) => string): Painter {
  return {
    get live() {
      return muse.live;
    },
    dress: (avatarId) => muse.dress(folderOf(avatarId)),
    onChange: (listener) => muse.onChange(listener),
  };
}

const clock: EarClock = {
  now: () => Date.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

interface EarRequest {
  readonly media: OpenMedia;
  readonly recogniser: Recogniser;
  readonly language: Locale;
  readonly onEvent: (event: EarEvent) => void;
}

async function openEar({ media, recogniser, language, onEvent }: EarRequest): Promise<Ear> {
  const vad = await createVad();
  const decoder = createOpusDecoder();
  const ear = createEar({
    owner: media.sessionId,
    language,
    recogniser,
    vad,
    decoder,
    clock,
    newId: randomUUID,
    onEvent,
  });
  return {
    packet: (opus, header) => ear.packet(opus, header),
    pcm: (samples) => ear.pcm(samples),
    commit: () => ear.commit(),
    playing: (on, saying) => ear.playing(on, saying),
    close() {
      ear.close();
      decoder[Symbol.dispose]();
    },
  };
}

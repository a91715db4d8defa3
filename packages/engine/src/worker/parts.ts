import { randomUUID } from 'node:crypto';
import type { Locale } from '@virtual-tutor/schemas';
import { createIllustrated } from '../adapters/canvas-illustrated.ts';
import { createOpusDecoder, createOpusEncoder } from '../adapters/node-av-opus.ts';
import { createVideoEncoder } from '../adapters/node-av-video.ts';
import { createVad } from '../adapters/silero.ts';
import { createPeerFactory } from '../adapters/werift-peers.ts';
import { createFaceStream } from '../avatar/face-stream.ts';
import { IdleLoops } from '../avatar/idle-loop.ts';
import { createEar, type Ear, type EarClock, type EarEvent } from '../listening/ear.ts';
import { createRecogniser, type Recogniser } from '../listening/recogniser.ts';
import type { Renderer, VideoCodec } from '../media/ports.ts';
import type { Character, OpenMedia, WorkerConfig } from '../media/protocol.ts';
import { createSpeaker } from '../speech/speaker.ts';
import type { WorkerParts } from './engine-worker.ts';

const voiceBps = 32_000;
/** While the tutor speaks; at rest everybody shares one loop. */
const faceBps = 500_000;
const characters: readonly Character[] = ['ada', 'xiaolan'];

/** Opens what all sessions of a worker share: peers, synthesisers, recognisers, faces. */
export async function openParts(config: WorkerConfig): Promise<WorkerParts> {
  await using cleanUp = new AsyncDisposableStack();
  const peers = cleanUp.use(await createPeerFactory(config));
  const speaker = cleanUp.use(createSpeaker(config.tts));
  const recogniser = config.asr.enabled ? cleanUp.use(createRecogniser(config.asr)) : null;
  // The first student must not wait for weights to be read, or for a loop to be drawn.
  if (recogniser !== null) await createVad();
  const createFace = config.avatar.enabled ? openFaces() : null;
  const resources = cleanUp.move();
  return {
    partsOf: (media) => ({
      peers,
      say: (request) => speaker.say(request),
      maySpeak: () => speaker.maySpeak(media.locale),
      createAudioEncoder: () => createOpusEncoder({ bps: voiceBps }),
      createEar:
        recogniser === null ? null : (onEvent) => openEar({ media, recogniser, language: config.asr.language ?? media.locale, onEvent }),
      createFace: createFace === null ? null : (codec) => createFace(media.character, codec),
    }),
    health: () => [...speaker.health(), ...(recogniser?.health() ?? [])],
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

function openFaces() {
  const loops = new IdleLoops(createVideoEncoder);
  const renderers: Partial<Record<Character, Renderer>> = {};
  const rendererOf = (character: Character): Renderer => {
    const renderer = renderers[character] ?? createIllustrated(character);
    renderers[character] = renderer;
    return renderer;
  };
  for (const character of characters) loops.of(rendererOf(character), 'VP8');
  return (character: Character, codec: VideoCodec) =>
    createFaceStream({
      renderer: rendererOf(character),
      codec,
      loops,
      openEncoder: createVideoEncoder,
      bps: faceBps,
      nowMs: () => performance.now(),
    });
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

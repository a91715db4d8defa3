export type { OfferRefused } from './ports.ts';
export type {
  Character,
  ComponentHealth,
  Face,
  HeardUpTo,
  OpenMedia,
  SpeechChunk,
  WorkerCommand,
  WorkerConfig,
  WorkerFact,
} from './protocol.ts';

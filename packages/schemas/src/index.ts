export {
  ApiKey,
  api,
  ChainVerdict,
  DependencyHealth,
  Document,
  Grant,
  Health,
  KnowledgeBase,
  MediaChunk,
  maxAudioBytes,
  maxChunkBytes,
  maxDocumentBytes,
  maxFrameBytes,
  maxMessageLength,
  maxOfferLength,
  protocolVersion,
  Session,
  TranscriptTurn,
  Tutor,
  WebrtcConfig,
} from './api.ts';
export { Appearance } from './appearance.ts';
export { Avatar } from './avatar-api.ts';
export {
  AvatarArtifact,
  AvatarBuildFailure,
  type AvatarEvent,
  AvatarFault,
  AvatarQuality,
  AvatarStage,
  avatarEvents,
  avatarStages,
  type NewAvatarEvent,
} from './avatar-events.ts';
export { catalogue } from './catalogue.ts';
export { closeCodes, ErrorCode, errorCodes, WireError } from './errors.ts';
export { type EventCatalogue, type EventDefinition, type EventOf, type NewEventOf, upcast } from './event-definition.ts';
export { Actor, AuditedEvent, EventMeta } from './event-envelope.ts';
export {
  AvatarId,
  CommandId,
  DocumentId,
  EventId,
  KeyId,
  KnowledgeBaseId,
  Locale,
  PassageId,
  SessionId,
  Sha256,
  StreamName,
  StudentId,
  TenantId,
  TurnId,
  TutorId,
} from './ids.ts';
export { DocumentMime, DocumentRejection, type KnowledgeEvent, knowledgeEvents, type NewKnowledgeEvent } from './knowledge-events.ts';
export { ExportItem } from './privacy-api.ts';
export { maxScenarioBytes, redactionMark, Scenario, type ScenarioTurn } from './scenario.ts';
export { EventsSeal, InclusionProof, KeySeal, LogFault, LogFaultCode, LogVerdict, RootStatement, Seal, SealCoverage } from './seal.ts';
export {
  MediaCandidate,
  type NewSessionEvent,
  Playout,
  Recognition,
  RetrievedPassage,
  SessionEndReason,
  type SessionEvent,
  SessionLimits,
  sessionEvents,
  TokenUsage,
  TurnTimings,
} from './session-events.ts';
export { CitedPassage, type FeedCursor, FeedId, FeedItem, formatFeedId, parseFeedId } from './session-feed.ts';
export { Quality, QualityReason, Signal, SpokenWord } from './session-signals.ts';
export { Sentence, SessionState, Turn } from './session-state.ts';
export { categoryOf, idOf, type StreamCategory, streams } from './streams.ts';
export { type NewTenantEvent, Role, type TenantEvent, tenantEvents, WordsDays } from './tenant-events.ts';
export { Face, type NewTutorEvent, type TutorEvent, TutorSettings, tutorEvents } from './tutor-events.ts';

import type {
  AvatarArtifact,
  AvatarBuildFailure,
  AvatarEvent,
  AvatarQuality,
  AvatarStage,
  NewAvatarEvent,
  TutorId,
} from '@virtual-tutor/schemas';
import { avatarStages } from '@virtual-tutor/schemas';
import { accept, type Decider, type Decision, refuse } from './decision.ts';

type PayloadOf<T extends NewAvatarEvent['type']> = Extract<NewAvatarEvent, { readonly type: T }>['payload'];
type Registration = Extract<NewAvatarEvent, { readonly type: 'AvatarRegistered' }>;

/** What every avatar has from the beginning, whatever became of it. */
interface Registered extends PayloadOf<'AvatarRegistered'> {
  readonly assignedTo: readonly TutorId[];
}

/** How often a build is begun before it is given up: a clip that crashes the builder must not do so for ever. */
export const mostAttempts = 3;

export type AvatarState =
  | { readonly status: 'absent' }
  | (Registered & { readonly status: 'queued' })
  | (Registered & {
      readonly status: 'building';
      readonly attempt: number;
      /** Null: no stage has begun. */
      readonly progress: { readonly stage: AvatarStage; readonly fraction: number } | null;
    })
  | (Registered & { readonly status: 'ready'; readonly quality: AvatarQuality; readonly artifacts: readonly AvatarArtifact[] })
  | (Registered & { readonly status: 'rejected'; readonly reasons: PayloadOf<'AvatarRejected'>['reasons'] })
  | (Registered & {
      readonly status: 'failed';
      readonly attempt: number;
      readonly code: AvatarBuildFailure;
      /** It will be begun again. */
      readonly retryable: boolean;
    })
  | (Registered & { readonly status: 'revoked' })
  | (Registered & { readonly status: 'deleted' });

export type AvatarCommand =
  | { readonly type: 'RegisterAvatar'; readonly payload: Registration['payload']; readonly personal: Registration['personal'] }
  | { readonly type: 'StartBuild'; readonly node: string }
  | { readonly type: 'RecordProgress'; readonly attempt: number; readonly stage: AvatarStage; readonly fraction: number }
  | { readonly type: 'CompleteBuild'; readonly attempt: number; readonly result: PayloadOf<'AvatarReady'> }
  | { readonly type: 'RejectClip'; readonly attempt: number; readonly reasons: PayloadOf<'AvatarRejected'>['reasons'] }
  | { readonly type: 'FailBuild'; readonly attempt: number; readonly code: AvatarBuildFailure; readonly retryable: boolean }
  | { readonly type: 'AssignAvatar'; readonly tutorId: TutorId }
  | { readonly type: 'RevokeAvatar'; readonly reason: PayloadOf<'AvatarRevoked'>['reason'] }
  | { readonly type: 'DeleteAvatar' };

type Existing = Exclude<AvatarState, { status: 'absent' }>;
type BuildFact = Extract<AvatarCommand, { readonly attempt: number }>;

function register(command: Extract<AvatarCommand, { type: 'RegisterAvatar' }>, state: AvatarState): Decision<NewAvatarEvent> {
  if (state.status === 'absent') return accept({ type: 'AvatarRegistered', payload: command.payload, personal: command.personal });
  return state.sha256 === command.payload.sha256
    ? accept()
    : refuse('command_reused', 'this idempotency key already registered another clip');
}

function startBuild(node: string, state: Existing): Decision<NewAvatarEvent> {
  switch (state.status) {
    case 'queued':
      return accept({ type: 'AvatarBuildStarted', payload: { attempt: 1, node } });
    case 'building':
    case 'failed': {
      if (state.status === 'failed' && !state.retryable)
        return refuse('avatar_not_ready', 'this build was given up: upload the clip again');
      const { attempt } = state;
      // Found in the midst of it: whoever built it before is dead.
      return attempt < mostAttempts
        ? accept({ type: 'AvatarBuildStarted', payload: { attempt: attempt + 1, node } })
        : accept({ type: 'AvatarBuildFailed', payload: { code: 'crashed', retryable: false, attempt } });
    }
    case 'ready':
    case 'rejected':
    case 'revoked':
    case 'deleted':
      return accept();
  }
}

/** What a builder says of a build that nobody waits for any more is no news. */
function recordBuild(command: BuildFact, state: Existing): Decision<NewAvatarEvent> {
  if (state.status !== 'building' || state.attempt !== command.attempt) return accept();
  switch (command.type) {
    case 'RecordProgress': {
      const { stage, fraction } = command;
      const step = { stage, fraction: Math.floor(fraction * 10) / 10 };
      return isAhead(step, state.progress) ? accept({ type: 'AvatarBuildProgressed', payload: step }) : accept();
    }
    case 'CompleteBuild':
      return accept({ type: 'AvatarReady', payload: command.result });
    case 'RejectClip':
      return accept({ type: 'AvatarRejected', payload: { reasons: [...command.reasons] } });
    case 'FailBuild': {
      const { code, attempt } = command;
      return accept({ type: 'AvatarBuildFailed', payload: { code, attempt, retryable: command.retryable && attempt < mostAttempts } });
    }
  }
}

function isAhead(
  step: { readonly stage: AvatarStage; readonly fraction: number },
  known: { readonly stage: AvatarStage; readonly fraction: number } | null,
): boolean {
  if (known === null) return true;
  const stages = avatarStages.indexOf(step.stage) - avatarStages.indexOf(known.stage);
  return stages > 0 || (stages === 0 && step.fraction > known.fraction);
}

function decideExisting(command: Exclude<AvatarCommand, { type: 'RegisterAvatar' }>, state: Existing): Decision<NewAvatarEvent> {
  switch (command.type) {
    case 'StartBuild':
      return startBuild(command.node, state);
    case 'AssignAvatar':
      if (state.status !== 'ready') return refuse('avatar_not_ready', 'only a filmed tutor that is ready can be given to a tutor');
      return state.assignedTo.includes(command.tutorId)
        ? accept()
        : accept({ type: 'AvatarAssigned', payload: { tutorId: command.tutorId } });
    case 'RevokeAvatar':
      if (state.status === 'deleted') return refuse('not_found', 'this filmed tutor was deleted');
      return state.status === 'revoked' ? accept() : accept({ type: 'AvatarRevoked', payload: { reason: command.reason } });
    case 'DeleteAvatar':
      return state.status === 'deleted' ? accept() : accept({ type: 'AvatarDeleted', payload: {} });
    default:
      return recordBuild(command, state);
  }
}

function evolveExisting(state: Existing, event: Exclude<AvatarEvent, { type: 'AvatarRegistered' }>): AvatarState {
  const { source, bytes, sha256, node, tutorId, consentedAt, assignedTo } = state;
  const registered: Registered = { source, bytes, sha256, node, tutorId, consentedAt, assignedTo };
  switch (event.type) {
    case 'AvatarBuildStarted':
      return { ...registered, status: 'building', attempt: event.payload.attempt, progress: null };
    case 'AvatarBuildProgressed':
      return state.status === 'building' ? { ...state, progress: event.payload } : state;
    case 'AvatarReady':
      return { ...registered, status: 'ready', quality: event.payload.quality, artifacts: event.payload.artifacts };
    case 'AvatarRejected':
      return { ...registered, status: 'rejected', reasons: event.payload.reasons };
    case 'AvatarBuildFailed':
      return { ...registered, status: 'failed', ...event.payload };
    case 'AvatarAssigned':
      return { ...state, assignedTo: [...assignedTo, event.payload.tutorId] };
    case 'AvatarRevoked':
      return { ...registered, status: 'revoked' };
    case 'AvatarDeleted':
      return { ...registered, status: 'deleted' };
  }
}

export const avatar: Decider<AvatarState, AvatarCommand, AvatarEvent, NewAvatarEvent> = {
  initial: { status: 'absent' },
  evolve(state, event) {
    if (event.type === 'AvatarRegistered') return { status: 'queued', ...event.payload, assignedTo: [] };
    if (state.status === 'absent') throw new Error('something happened to an avatar before it was registered');
    return evolveExisting(state, event);
  },
  decide(command, state) {
    if (command.type === 'RegisterAvatar') return register(command, state);
    return state.status === 'absent' ? refuse('not_found', 'there is no such filmed tutor') : decideExisting(command, state);
  },
};

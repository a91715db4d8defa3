import type {
  KeyId,
  KnowledgeBaseId,
  Locale,
  NewSessionEvent,
  PassageId,
  Playout,
  Recognition,
  RetrievedPassage,
  SessionEndReason,
  SessionEvent,
  SessionLimits,
  SessionState,
  StudentId,
  TokenUsage,
  Turn,
  TurnId,
  TurnTimings,
  TutorId,
} from '@virtual-tutor/schemas';
import { accept, type Decider, type Decision, refuse } from './decision.ts';
import { evolveSession } from './session-state.ts';

/** A reply that crashed its host this often is given up, so that a poisonous turn cannot take node after node down. */
export const maxResumes = 2;

export interface Lesson {
  readonly tutorId: TutorId;
  readonly tutorRevision: number;
  readonly studentId: StudentId;
  readonly knowledgeBaseId: KnowledgeBaseId | null;
  readonly locale: Locale;
  readonly limits: SessionLimits;
  readonly mode: 'session' | 'user';
}

export type SessionCommand =
  | ({ readonly type: 'CreateSession'; readonly node: string } & Lesson)
  | { readonly type: 'IssueJoinLink'; readonly linkId: KeyId; readonly codeHash: string; readonly expiresAt: string }
  | { readonly type: 'RedeemJoinLink'; readonly codeHash: string /** ISO 8601. */; readonly now: string }
  | { readonly type: 'HostSession'; readonly node: string }
  | ({ readonly type: 'ReceiveMessage' } & Message & Cut)
  | ({
      readonly type: 'InterruptReply';
      /** Null: whichever reply is under way. */
      readonly turnId: TurnId | null;
      readonly by: 'student' | 'operator';
    } & Cut)
  | ({ readonly type: 'EndSession'; readonly reason: SessionEndReason } & Cut)
  /** Its key is destroyed already. */
  | { readonly type: 'RecordWordsExpired'; readonly afterDays: number }
  | MediaFact
  | ({ readonly epoch: number; readonly turnId: TurnId } & ReplyFact);

/** Where a reply that was under way is cut. */
export interface Cut {
  /** What was shown or played after the last sentence that was heard whole. */
  readonly partial: string;
  /** Of the sentence that was cut, ms that were played; null: it was read. */
  readonly heardMs: number | null;
}

/** What happened to the session's voice and picture; of no turn. */
export type MediaFact =
  | ({ readonly type: 'RecordConnected' } & PayloadOf<'MediaConnected'>)
  | ({ readonly type: 'RecordDisconnected' } & PayloadOf<'MediaDisconnected'>)
  | ({ readonly type: 'ChangeQuality' } & Omit<PayloadOf<'QualityChanged'>, 'from'>);
type PayloadOf<T extends NewSessionEvent['type']> = Extract<NewSessionEvent, { readonly type: T }>['payload'];

interface Message {
  readonly turnId: TurnId;
  readonly clientMessageId: string;
  readonly text: string;
  readonly modality: 'text' | 'voice';
  readonly language: Locale;
  /** Null: typed. */
  readonly asr: Recognition | null;
}

/** What a host reports of the reply it is making. */
export type ReplyFact =
  | {
      readonly type: 'RecordPassages';
      readonly knowledgeBaseId: KnowledgeBaseId;
      readonly knowledgeRevision: number;
      readonly passages: RetrievedPassage[];
    }
  | {
      readonly type: 'StartReply';
      readonly provider: string;
      readonly model: string;
      readonly promptHash: string;
      readonly temperature: number;
      readonly tutorRevision: number;
      readonly fallback: (NewSessionEvent & { type: 'ReplyStarted' })['payload']['fallback'];
    }
  | { readonly type: 'ResumeReply' }
  | { readonly type: 'RecordSentence'; readonly index: number; readonly text: string; readonly citations: PassageId[] }
  | { readonly type: 'RecordHeard'; readonly index: number; readonly playout: Playout }
  | { readonly type: 'CompleteReply'; readonly usage: TokenUsage | null; readonly timings: TurnTimings }
  | {
      readonly type: 'FailReply';
      readonly code: (NewSessionEvent & { type: 'ReplyFailed' })['payload']['code'];
      readonly retryable: boolean;
    };

type Active = Extract<SessionState, { status: 'active' }>;
type Ended = Extract<SessionState, { status: 'ended' }>;
type OpenTurn = Extract<Turn, { status: 'waiting' | 'replying' }>;

/** The turn that has no terminal event yet; there is at most one. */
export function openTurn(state: SessionState): OpenTurn | null {
  if (state.status === 'absent') return null;
  const last = state.turns.at(-1);
  return last !== undefined && (last.status === 'waiting' || last.status === 'replying') ? last : null;
}

/** The text of all sentences that were heard whole, joined. */
function heardOf(turn: Turn): string {
  return turn.sentences
    .filter((sentence) => sentence.heard)
    .map((sentence) => sentence.text ?? '')
    .join('');
}

/** What the student lived of a finished turn: never what was generated and then thrown away. */
export function asHeard(turn: Turn): { readonly question: string; readonly heard: string } {
  return { question: turn.message ?? '', heard: turn.status === 'interrupted' ? (turn.heardText ?? '') : heardOf(turn) };
}

function interruption(turn: OpenTurn, by: 'student' | 'operator' | 'timeout', { partial, heardMs }: Cut): NewSessionEvent {
  const heardSentences = turn.sentences.filter((sentence) => sentence.heard).length;
  return {
    type: 'ReplyInterrupted',
    payload: { turnId: turn.turnId, by, heardSentences, discardedSentences: turn.sentences.length - heardSentences, heardMs },
    personal: { heardText: heardOf(turn) + partial },
  };
}

function create(command: Extract<SessionCommand, { type: 'CreateSession' }>, state: SessionState): Decision<NewSessionEvent> {
  const { type: _, node, ...lesson } = command;
  if (state.status === 'absent') {
    return accept<NewSessionEvent>({ type: 'SessionCreated', payload: lesson }, { type: 'SessionHosted', payload: { node, epoch: 1 } });
  }
  const same = state.tutorId === lesson.tutorId && state.studentId === lesson.studentId && state.mode === lesson.mode;
  return same ? accept() : refuse('command_reused', 'this idempotency key already made another session: use a new key');
}

function redeem(command: Extract<SessionCommand, { type: 'RedeemJoinLink' }>, state: Active): Decision<NewSessionEvent> {
  const link = state.links.find((candidate) => candidate.codeHash === command.codeHash);
  if (link === undefined) return refuse('not_found', 'this link is not known: ask for a new one');
  if (link.redeemed) return refuse('link_used', 'this link was already used: ask for a new one');
  if (Date.parse(link.expiresAt) <= Date.parse(command.now)) return refuse('link_used', 'this link has expired: ask for a new one');
  return accept({ type: 'JoinLinkRedeemed', payload: { linkId: link.linkId } });
}

function receive(command: Extract<SessionCommand, { type: 'ReceiveMessage' }>, state: Active): Decision<NewSessionEvent> {
  const known = state.turns.find((turn) => turn.clientMessageId === command.clientMessageId);
  if (known !== undefined) {
    return known.message === command.text
      ? accept()
      : refuse('command_reused', 'this clientMessageId already names another message: use a new id');
  }
  const { turnId, clientMessageId, modality, language, text, asr } = command;
  const received: NewSessionEvent = {
    type: 'MessageReceived',
    payload: { turnId, clientMessageId, modality, language, asr },
    personal: { text },
  };
  const open = openTurn(state);
  return open === null ? accept(received) : accept(interruption(open, 'student', command), received);
}

function decideFact(command: { readonly epoch: number; readonly turnId: TurnId } & ReplyFact, state: Active): Decision<NewSessionEvent> {
  if (state.host?.epoch !== command.epoch) return refuse('conflict', 'another node hosts this session now');
  const turn = openTurn(state);
  if (turn?.turnId !== command.turnId) return refuse('conflict', 'this turn is over');
  return factOf(command, turn);
}

function factOf(command: { readonly turnId: TurnId } & ReplyFact, turn: OpenTurn): Decision<NewSessionEvent> {
  const { turnId } = command;
  switch (command.type) {
    case 'RecordPassages': {
      const { knowledgeBaseId, knowledgeRevision, passages } = command;
      return accept({ type: 'PassagesRetrieved', payload: { turnId, knowledgeBaseId, knowledgeRevision, passages } });
    }
    case 'StartReply': {
      if (turn.status === 'replying') return refuse('conflict', 'this reply has already started');
      const { provider, model, promptHash, temperature, tutorRevision, fallback } = command;
      return accept({ type: 'ReplyStarted', payload: { turnId, provider, model, promptHash, temperature, tutorRevision, fallback } });
    }
    case 'ResumeReply': {
      if (turn.resumes >= maxResumes) return accept({ type: 'ReplyFailed', payload: { turnId, code: 'unavailable', retryable: true } });
      return accept({ type: 'ReplyResumed', payload: { turnId, fromIndex: turn.sentences.length, attempt: turn.resumes + 1 } });
    }
    case 'RecordSentence': {
      if (command.index !== turn.sentences.length) return refuse('conflict', 'sentences are recorded in order');
      const { index, text, citations } = command;
      return accept({ type: 'SentenceGenerated', payload: { turnId, index, citations }, personal: { text } });
    }
    case 'RecordHeard': {
      const sentence = turn.sentences[command.index];
      if (sentence === undefined) return refuse('conflict', 'a sentence is heard after it was generated');
      if (sentence.heard) return accept();
      // What was heard is a beginning of the reply: it has no holes.
      const inOrder = turn.sentences.slice(0, command.index).every(({ heard }) => heard);
      return inOrder
        ? accept({ type: 'SentenceHeard', payload: { turnId, index: command.index, playout: command.playout } })
        : refuse('conflict', 'sentences are heard in order');
    }
    case 'CompleteReply': {
      if (turn.sentences.some((sentence) => !sentence.heard)) return refuse('conflict', 'a reply is complete when all of it was heard');
      const { usage, timings } = command;
      return accept({ type: 'ReplyCompleted', payload: { turnId, sentences: turn.sentences.length, usage, timings } });
    }
    case 'FailReply':
      return accept({ type: 'ReplyFailed', payload: { turnId, code: command.code, retryable: command.retryable } });
  }
}

function end(command: Extract<SessionCommand, { type: 'EndSession' }>, state: Active): Decision<NewSessionEvent> {
  const ended: NewSessionEvent = { type: 'SessionEnded', payload: { reason: command.reason } };
  const open = openTurn(state);
  if (open === null) return accept(ended);
  const by = command.reason === 'timeout' || command.reason === 'idle' ? 'timeout' : command.reason === 'student' ? 'student' : 'operator';
  return accept(interruption(open, by, command), ended);
}

function decideMedia(command: MediaFact, state: Active): Decision<NewSessionEvent> {
  switch (command.type) {
    case 'RecordConnected': {
      const { peerId, local, remote } = command;
      return accept({ type: 'MediaConnected', payload: { peerId, local, remote } });
    }
    case 'RecordDisconnected': {
      const { peerId, reason, connectedMs, bytesSent } = command;
      return accept({ type: 'MediaDisconnected', payload: { peerId, reason, connectedMs, bytesSent } });
    }
    case 'ChangeQuality': {
      const { to, reason } = command;
      return to === state.quality ? accept() : accept({ type: 'QualityChanged', payload: { from: state.quality, to, reason } });
    }
  }
}

function decideActive(command: Exclude<SessionCommand, { type: 'CreateSession' }>, state: Active): Decision<NewSessionEvent> {
  switch (command.type) {
    case 'IssueJoinLink': {
      const known = state.links.some((link) => link.linkId === command.linkId);
      const { linkId, codeHash, expiresAt } = command;
      return known ? accept() : accept({ type: 'JoinLinkIssued', payload: { linkId, codeHash, expiresAt } });
    }
    case 'RedeemJoinLink':
      return redeem(command, state);
    case 'HostSession':
      return accept({ type: 'SessionHosted', payload: { node: command.node, epoch: (state.host?.epoch ?? 0) + 1 } });
    case 'ReceiveMessage':
      return receive(command, state);
    case 'InterruptReply': {
      const open = openTurn(state);
      if (open === null || (command.turnId !== null && command.turnId !== open.turnId)) {
        return refuse('nothing_to_interrupt', 'no such reply is under way');
      }
      return accept(interruption(open, command.by, command));
    }
    case 'EndSession':
      return end(command, state);
    case 'RecordWordsExpired':
      return refuse('conflict', 'words expire once their lesson has ended');
    case 'RecordConnected':
    case 'RecordDisconnected':
    case 'ChangeQuality':
      return decideMedia(command, state);
    default:
      return decideFact(command, state);
  }
}

function decideEnded(command: Exclude<SessionCommand, { type: 'CreateSession' }>, state: Ended): Decision<NewSessionEvent> {
  switch (command.type) {
    case 'EndSession':
      return accept();
    case 'RecordWordsExpired': {
      const { studentId } = state;
      if (state.wordsExpired) return accept();
      return accept({ type: 'SessionWordsExpired', payload: { studentId, afterDays: command.afterDays } });
    }
    default:
      return refuse('session_ended', 'this session has ended: start a new one');
  }
}

function decide(command: SessionCommand, state: SessionState): Decision<NewSessionEvent> {
  if (command.type === 'CreateSession') return create(command, state);
  switch (state.status) {
    case 'absent':
      return refuse('not_found', 'there is no such session');
    case 'ended':
      return decideEnded(command, state);
    case 'active':
      return decideActive(command, state);
  }
}

export const session: Decider<SessionState, SessionCommand, SessionEvent, NewSessionEvent> = {
  initial: { status: 'absent' },
  evolve: evolveSession,
  decide,
};

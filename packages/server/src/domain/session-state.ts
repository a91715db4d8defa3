import type { SessionEvent, SessionState, Turn } from '@virtual-tutor/schemas';

type Active = Extract<SessionState, { status: 'active' }>;
type OfType<T extends SessionEvent['type']> = Extract<SessionEvent, { type: T }>;
type TurnEvent = Extract<SessionEvent, { payload: { turnId: unknown } }>;

/** An event that cannot follow the events before it: the log was written by something else than this domain. */
function impossible(event: SessionEvent, state: SessionState): Error {
  return new Error(`${event.type} cannot follow in a session that is ${state.status}`);
}

function withLastTurn(state: Active, change: (turn: Turn) => Turn): Active {
  const last = state.turns.at(-1);
  return last === undefined ? state : { ...state, turns: [...state.turns.slice(0, -1), change(last)] };
}

function baseOf(turn: Turn): Pick<Turn, 'turnId' | 'clientMessageId' | 'language' | 'message' | 'sentences'> {
  const { turnId, clientMessageId, language, message, sentences } = turn;
  return { turnId, clientMessageId, language, message, sentences };
}

function resumesOf(turn: Turn): number {
  return turn.status === 'waiting' || turn.status === 'replying' ? turn.resumes : 0;
}

function evolveTurn(turn: Turn, event: Exclude<TurnEvent, OfType<'MessageReceived'>>): Turn {
  switch (event.type) {
    case 'PassagesRetrieved':
      return turn;
    case 'ReplyStarted':
      return {
        ...baseOf(turn),
        status: 'replying',
        provider: event.payload.provider,
        model: event.payload.model,
        resumes: resumesOf(turn),
      };
    case 'ReplyResumed':
      return turn.status === 'waiting' || turn.status === 'replying' ? { ...turn, resumes: event.payload.attempt } : turn;
    case 'SentenceGenerated': {
      const { index, citations } = event.payload;
      return { ...turn, sentences: [...turn.sentences, { index, text: event.personal?.text ?? null, citations, heard: false }] };
    }
    case 'SentenceHeard': {
      const { index } = event.payload;
      return { ...turn, sentences: turn.sentences.map((sentence) => (sentence.index === index ? { ...sentence, heard: true } : sentence)) };
    }
    case 'ReplyCompleted':
      return { ...baseOf(turn), status: 'completed' };
    case 'ReplyInterrupted':
      return { ...baseOf(turn), status: 'interrupted', by: event.payload.by, heardText: event.personal?.heardText ?? null };
    case 'ReplyFailed':
      return { ...baseOf(turn), status: 'failed', code: event.payload.code };
  }
}

/** Whoever folded the lesson before its key was destroyed is left with as little as whoever folds it now. */
function withoutWords(turn: Turn): Turn {
  const sentences = turn.sentences.map((sentence) => ({ ...sentence, text: null }));
  return turn.status === 'interrupted' ? { ...turn, message: null, heardText: null, sentences } : { ...turn, message: null, sentences };
}

function evolveActive(state: Active, event: Exclude<SessionEvent, OfType<'SessionCreated' | 'SessionWordsExpired'>>): SessionState {
  switch (event.type) {
    case 'JoinLinkIssued':
      return { ...state, links: [...state.links, { ...event.payload, redeemed: false }] };
    case 'JoinLinkRedeemed':
      return { ...state, links: state.links.map((link) => (link.linkId === event.payload.linkId ? { ...link, redeemed: true } : link)) };
    case 'SessionHosted':
      return { ...state, host: { node: event.payload.node, epoch: event.payload.epoch } };
    case 'SessionReleased':
    case 'MediaConnected':
    case 'MediaDisconnected':
      return state;
    case 'QualityChanged':
      return { ...state, quality: event.payload.to };
    case 'MessageReceived': {
      const { turnId, clientMessageId, language } = event.payload;
      const turn: Turn = {
        status: 'waiting',
        turnId,
        clientMessageId,
        language,
        message: event.personal?.text ?? null,
        sentences: [],
        resumes: 0,
      };
      return { ...state, turns: [...state.turns, turn] };
    }
    case 'SessionEnded': {
      const { host: _host, links: _links, quality: _quality, ...lesson } = state;
      return { ...lesson, status: 'ended', reason: event.payload.reason, wordsExpired: false };
    }
    default:
      return withLastTurn(state, (turn) => evolveTurn(turn, event));
  }
}

export function evolveSession(state: SessionState, event: SessionEvent): SessionState {
  if (event.type === 'SessionCreated') {
    if (state.status !== 'absent') throw impossible(event, state);
    const { tutorRevision: _, ...lesson } = event.payload;
    return { ...lesson, status: 'active', turns: [], host: null, quality: 'text', links: [] };
  }
  if (event.type === 'SessionWordsExpired') {
    if (state.status !== 'ended') throw impossible(event, state);
    return { ...state, turns: state.turns.map(withoutWords), wordsExpired: true };
  }
  if (state.status !== 'active') throw impossible(event, state);
  return evolveActive(state, event);
}

import { FailureNotice, Loading } from '../parts/notice.tsx';
import { useSpeech } from '../texts/use-language.tsx';
import { type ReplayedTurn, transcriptOf } from './transcript-of.ts';
import type { StateAtRevision } from './use-state-at.ts';

interface StateProps {
  readonly state: StateAtRevision;
}

/** The conversation as it stood. */
export function TranscriptAt({ state }: StateProps) {
  const { say } = useSpeech();
  if (state.status === 'loading') return <Loading />;
  if (state.status === 'failed') return <FailureNotice error={state.error} />;
  const turns = transcriptOf(state.value.state);
  if (turns.length === 0) return <p className="empty">{say(state.value.state.status === 'absent' ? 'status_absent' : 'nothingYet')}</p>;
  return (
    <ol className={state.stale ? 'transcript stale' : 'transcript'}>
      {turns.map((turn) => (
        <TranscriptTurn key={turn.turnId} turn={turn} />
      ))}
    </ol>
  );
}

function TranscriptTurn({ turn }: { readonly turn: ReplayedTurn }) {
  const { say } = useSpeech();
  const { message, sentences, status, heardText } = turn;
  return (
    <li>
      <p className="transcript-message">{message ?? <em>{say('personalForgotten')}</em>}</p>
      <p className="transcript-reply">
        <span className={`tag turn-${status}`}>{say(`turn_${status}`)}</span>{' '}
        {heardText ??
          sentences.map(({ index, text, heard }) => (
            <span key={index} className={heard ? 'heard' : 'unheard'} title={say(heard ? 'heardMark' : 'unheardMark')}>
              {text ?? <em>{say('personalForgotten')}</em>}
            </span>
          ))}
      </p>
    </li>
  );
}

/** The fold itself. */
export function StateAt({ state }: StateProps) {
  const { say } = useSpeech();
  if (state.status === 'loading') return <Loading />;
  if (state.status === 'failed') return <FailureNotice error={state.error} />;
  return (
    <figure className={state.stale ? 'raw stale' : 'raw'}>
      <figcaption>{say('rawState')}</figcaption>
      <pre>{JSON.stringify(state.value.state, null, 2)}</pre>
    </figure>
  );
}

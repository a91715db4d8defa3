import type { Passage, ViewedTurn } from '@virtual-tutor/sdk';
import { memo, type ReactNode } from 'react';
import { sayCode } from '../engine/failure.ts';
import { Avatar } from '../parts/avatar.tsx';
import { Book, Mic, Retry, Warning } from '../parts/icons.tsx';
import type { Language } from '../texts/texts.ts';
import { langOf, useSpeech } from '../texts/use-language.tsx';
import { nameOfPassage } from './passage-name.ts';
import { RichText } from './rich-text.tsx';

export interface Speaker {
  readonly id: string;
  readonly name: string;
  readonly locale: Language | null;
}

export interface OpenedPassage {
  readonly number: number;
  readonly passage: Passage;
}

interface TurnProps {
  readonly turn: ViewedTurn;
  /** Its reply as far as it is to be shown. */
  readonly reply: string;
  readonly tutor: Speaker;
  readonly onOpen: (opened: OpenedPassage) => void;
  /** Null once nothing can be asked any more. */
  readonly onAskAgain: ((text: string) => void) | null;
}

/** One question and its answer. */
export const TurnView = memo(function TurnView({ turn, reply, tutor, onOpen, onAskAgain }: TurnProps) {
  const { say } = useSpeech();
  const { passages, status } = turn;
  const open = (number: number) => {
    const passage = passages[number - 1];
    if (passage !== undefined) onOpen({ number, passage });
  };
  const underWay = status === 'waiting' || status === 'replying';
  return (
    <li className="turn">
      <StudentSaid text={turn.message ?? say('erased')} spoken={turn.modality === 'voice'} />
      <TutorSaid tutor={tutor} busy={underWay}>
        {reply === '' ? null : <RichText text={reply} growing={status === 'replying'} citing={{ passages, onOpen: open }} />}
        {underWay && reply === '' ? <Thinking name={tutor.name} reading={passages.length > 0} /> : null}
        <TurnEnd turn={turn} onAskAgain={onAskAgain} />
        {underWay ? null : <Sources turn={turn} onOpen={open} />}
      </TutorSaid>
    </li>
  );
});

export function StudentSaid({
  text,
  spoken = false,
  children,
}: {
  readonly text: string;
  readonly spoken?: boolean;
  readonly children?: ReactNode;
}) {
  const { say } = useSpeech();
  return (
    <div className="said said-student">
      <p className="visually-hidden">{say('you')}</p>
      <p className="bubble" dir="auto">
        {spoken ? <SpokenMark /> : null}
        {text}
      </p>
      {children}
    </div>
  );
}

function SpokenMark() {
  const { say } = useSpeech();
  return (
    <span className="spoken-mark" title={say('saidAloud')}>
      <Mic />
      <span className="visually-hidden">{say('saidAloud')}</span>
    </span>
  );
}

export function TutorSaid({
  tutor,
  busy = false,
  children,
}: {
  readonly tutor: Speaker;
  readonly busy?: boolean;
  readonly children: ReactNode;
}) {
  return (
    <div className="said said-tutor" aria-busy={busy}>
      <Avatar id={tutor.id} name={tutor.name} />
      <div className="words" lang={langOf(tutor.locale)}>
        <p className="visually-hidden">{tutor.name}</p>
        {children}
      </div>
    </div>
  );
}

function Thinking({ name, reading }: { readonly name: string; readonly reading: boolean }) {
  const { say } = useSpeech();
  return (
    <p className="thinking">
      <span className="dots" aria-hidden="true">
        <i />
        <i />
        <i />
      </span>
      {say(reading ? 'readingPassages' : 'thinking', { name })}
    </p>
  );
}

function TurnEnd({ turn, onAskAgain }: Pick<TurnProps, 'turn' | 'onAskAgain'>) {
  const { say, language } = useSpeech();
  const { status, message, failure } = turn;
  if (status !== 'interrupted' && status !== 'failed') return null;
  const words = status === 'interrupted' ? say('interrupted') : `${say('failed')} ${failure === null ? '' : sayCode(failure.code, say)}`;
  return (
    <div className={`turn-end turn-end-${status}`} lang={langOf(language)}>
      {status === 'failed' ? <Warning /> : null}
      <p>{words}</p>
      {message === null || onAskAgain === null ? null : (
        <button type="button" className="button button-quiet" onClick={() => onAskAgain(message)}>
          <Retry />
          {say('askAgain')}
        </button>
      )}
    </div>
  );
}

function Sources({ turn, onOpen }: { readonly turn: ViewedTurn; readonly onOpen: (number: number) => void }) {
  const { say, language } = useSpeech();
  const cited = new Set(turn.sentences.flatMap(({ citations }) => citations));
  const sources = turn.passages.map((passage, at) => ({ passage, number: at + 1 })).filter(({ passage }) => cited.has(passage.passageId));
  if (sources.length === 0) return null;
  return (
    <div className="sources">
      <p className="sources-title" lang={langOf(language)}>
        <Book />
        {say('sources')}
      </p>
      <ul>
        {sources.map(({ passage, number }) => (
          <li key={passage.passageId}>
            <button type="button" className="source" onClick={() => onOpen(number)}>
              <span className="source-number">{number}</span>
              <span className="source-title">{nameOfPassage(passage, say('untitled'))}</span>
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

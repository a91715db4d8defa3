import type { AuditedEvent } from '@virtual-tutor/sdk';
import { useEffect, useId, useState } from 'react';
import { useSpeech } from '../texts/use-language.tsx';
import { atMs, captionAt, type Speed, speeds, waitMs } from './playback.ts';
import { sinceStart } from './timeline.ts';

/** A wait that is said to be a silence, ms. */
const silentMs = 2_000;

/** Plays the lesson from its events: nothing is run again. */
export function Player({
  events,
  revision,
  onMove,
}: {
  readonly events: readonly AuditedEvent[];
  readonly revision: number;
  readonly onMove: (revision: number) => void;
}) {
  const { say, number } = useSpeech();
  const [playing, setPlaying] = useState(false);
  const [speed, setSpeed] = useState<Speed>(1);
  const [skipsSilence, setSkipsSilence] = useState(true);
  const id = useId();
  const wait = waitMs(events, revision, { speed, skipsSilence });
  useEffect(() => {
    if (!playing) return;
    if (wait === null) {
      setPlaying(false);
      return;
    }
    const timer = setTimeout(() => onMove(revision + 1), wait);
    return () => clearTimeout(timer);
  }, [playing, wait, revision, onMove]);

  const caption = captionAt(events, revision);
  const now = atMs(
    events,
    events.find((event) => event.revision === revision),
  );
  const real = waitMs(events, revision, { speed: 1, skipsSilence: false });
  const start = () => {
    if (wait === null) onMove(1);
    setPlaying(true);
  };
  return (
    <section className="player" aria-label={say('play')}>
      <button type="button" className="button" aria-pressed={playing} onClick={() => (playing ? setPlaying(false) : start())}>
        {say(playing ? 'pause' : 'play')}
      </button>
      <label htmlFor={`${id}-speed`}>{say('speed')}</label>
      <select id={`${id}-speed`} value={speed} onChange={({ target }) => setSpeed(speeds[target.selectedIndex] ?? 1)}>
        {speeds.map((one) => (
          <option key={one} value={one}>
            {say('speedOf', { speed: number(one) })}
          </option>
        ))}
      </select>
      <label className="choice">
        <input type="checkbox" checked={skipsSilence} onChange={({ target }) => setSkipsSilence(target.checked)} />
        {say('skipSilence')}
      </label>
      <span className="event-time">{say('playPosition', { now: sinceStart(now), end: sinceStart(atMs(events, events.at(-1))) })}</span>
      {real !== null && real > silentMs ? <span className="hint">{say('silence', { duration: sinceStart(real).slice(1) })}</span> : null}
      <figure className="player-caption" aria-label={say('caption')}>
        {caption === null ? null : (
          <>
            <figcaption>{say(caption.by === 'student' ? 'captionStudent' : 'captionTutor')}</figcaption>
            <p>{caption.text?.trim() ?? <em>{say('personalForgotten')}</em>}</p>
          </>
        )}
      </figure>
    </section>
  );
}

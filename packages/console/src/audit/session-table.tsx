import type { Session } from '@virtual-tutor/sdk';
import { hrefOf } from '../router.ts';
import { useSpeech } from '../texts/use-language.tsx';

export function SessionTable({ sessions }: { readonly sessions: readonly Session[] }) {
  const { say } = useSpeech();
  return (
    <div className="table-frame">
      <table>
        <thead>
          <tr>
            <th scope="col">{say('colStudent')}</th>
            <th scope="col">{say('colTutor')}</th>
            <th scope="col">{say('colStarted')}</th>
            <th scope="col">{say('colStatus')}</th>
            <th scope="col" className="number">
              {say('colQuestions')}
            </th>
          </tr>
        </thead>
        <tbody>
          {sessions.map((session) => (
            <SessionRow key={session.id} session={session} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function SessionRow({ session }: { readonly session: Session }) {
  const { say, dateTime, number } = useSpeech();
  const { id, studentId, tutorId, createdAt, endReason, turns } = session;
  const when = dateTime(createdAt);
  return (
    <tr>
      <th scope="row">
        <a
          className="row-link"
          href={hrefOf({ view: 'replay', sessionId: id, revision: null })}
          aria-label={say('openReplay', { student: studentId, when })}
        >
          {studentId}
        </a>
      </th>
      <td>{tutorId}</td>
      <td>
        <time dateTime={createdAt}>{when}</time>
      </td>
      <td>
        {endReason === null ? (
          <span className="tag tag-indexed">{say('active')}</span>
        ) : (
          say('endedAs', { reason: say(`reason_${endReason}`) })
        )}
      </td>
      <td className="number">{number(turns)}</td>
    </tr>
  );
}

import type { TutorClient } from '@virtual-tutor/sdk';
import { useId, useState } from 'react';
import { FailureNotice, Loading } from '../parts/notice.tsx';
import { useSpeech } from '../texts/use-language.tsx';
import { stateDiff } from './state-diff.ts';
import { type StateAtRevision, useStateAt } from './use-state-at.ts';

/** Two revisions of the lesson, side by side: only what differs. */
export function Changes({
  client,
  sessionId,
  revision,
  state,
}: {
  readonly client: TutorClient;
  readonly sessionId: string;
  readonly revision: number;
  readonly state: StateAtRevision;
}) {
  const { say } = useSpeech();
  const [chosen, setChosen] = useState<number | null>(null);
  const other = chosen ?? Math.max(1, revision - 1);
  const before = useStateAt(client, sessionId, other);
  const id = useId();
  return (
    <>
      <p className="hint">
        <label htmlFor={id}>{say('diffLead')}</label>{' '}
        <input
          id={id}
          type="number"
          min={1}
          value={other}
          onChange={({ target }) => setChosen(Number.isNaN(target.valueAsNumber) ? null : Math.max(1, Math.round(target.valueAsNumber)))}
        />
      </p>
      <Difference before={before} after={state} names={[say('diffAt', { revision: other }), say('diffAt', { revision })]} />
    </>
  );
}

function Difference({
  before,
  after,
  names,
}: {
  readonly before: StateAtRevision;
  readonly after: StateAtRevision;
  readonly names: readonly [string, string];
}) {
  const { say } = useSpeech();
  for (const state of [before, after]) if (state.status === 'failed') return <FailureNotice error={state.error} />;
  if (before.status !== 'loaded' || after.status !== 'loaded') return <Loading />;
  const changes = stateDiff(before.value.state, after.value.state);
  if (changes.length === 0) return <p className="empty">{say('diffNone')}</p>;
  return (
    <div className={before.stale || after.stale ? 'table-frame stale' : 'table-frame'}>
      <table className="diff">
        <thead>
          <tr>
            <th scope="col">{say('diffPlace')}</th>
            {names.map((name) => (
              <th scope="col" key={name}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {changes.map(({ path, before: old, after: now }) => (
            <tr key={path.join('.')}>
              <th scope="row">{path.join('.')}</th>
              <td>{written(old)}</td>
              <td>{written(now)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function written(value: unknown): string {
  if (value === undefined) return '–';
  return typeof value === 'string' ? value : JSON.stringify(value, null, 1);
}

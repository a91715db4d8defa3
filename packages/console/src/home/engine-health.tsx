import type { Health } from '@virtual-tutor/sdk';
import { createTutorClient } from '@virtual-tutor/sdk';
import { useEffect, useState } from 'react';
import { engineUrl } from '../engine/staff.tsx';
import type { TextKey } from '../texts/texts.ts';
import { useSpeech } from '../texts/use-language.tsx';

const refreshMs = 10_000;

const overall = { ok: 'engineOk', degraded: 'engineDegraded', down: 'engineDown' } as const satisfies Record<Health['status'], TextKey>;
const single = { ok: 'statusOk', degraded: 'statusDegraded', down: 'statusDown' } as const satisfies Record<Health['status'], TextKey>;
const names: Readonly<Record<string, 'dependency_eventLog' | 'dependency_projections' | 'dependency_seals' | 'dependency_languageModel'>> =
  {
    'event log': 'dependency_eventLog',
    projections: 'dependency_projections',
    seals: 'dependency_seals',
    'language model': 'dependency_languageModel',
  };

/** Every part of the engine by name, with the reason when one is not well. */
export function EngineHealth() {
  const { say, number } = useSpeech();
  const health = useHealth();
  if (health === null) return null;
  const { status, dependencies, sessions, version, node } = health;
  return (
    <details className="health" open={status !== 'ok'}>
      <summary>
        <span className={`light light-${status}`} aria-hidden="true" />
        <span className="visually-hidden">{say('engine')}: </span>
        {say(overall[status])}
      </summary>
      <ul className="dependencies">
        {dependencies.map((dependency) => (
          <Dependency key={dependency.name} dependency={dependency} />
        ))}
      </ul>
      <p className="hint">{say('engineNumbers', { active: number(sessions.active), max: number(sessions.max), version, node })}</p>
    </details>
  );
}

function Dependency({ dependency }: { readonly dependency: Health['dependencies'][number] }) {
  const { say } = useSpeech();
  const { name, status, runsOn, reason } = dependency;
  const key = names[name];
  return (
    <li>
      <span className={`light light-${status}`} aria-hidden="true" />
      <div>
        <p>
          <strong>{key === undefined ? name : say(key)}</strong> <span className="tag">{say(single[status])}</span>
          <span className="runs-on">{runsOn}</span>
        </p>
        {reason === null ? null : (
          <p className="reason" lang="en">
            {reason}
          </p>
        )}
      </div>
    </li>
  );
}

function useHealth(): Health | null {
  const [health, setHealth] = useState<Health | null>(null);
  useEffect(() => {
    const left = new AbortController();
    const client = createTutorClient({ url: engineUrl, apiKey: '' });
    const read = () =>
      client.health({ signal: left.signal }).then(setHealth, () => {
        if (!left.signal.aborted) setHealth(null);
      });
    void read();
    const timer = setInterval(read, refreshMs);
    return () => {
      left.abort();
      clearInterval(timer);
    };
  }, []);
  return health;
}

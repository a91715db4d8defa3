import type { SealCoverage, TutorClient } from '@virtual-tutor/sdk';
import { useCallback } from 'react';
import { useLoaded } from '../engine/use-loaded.ts';
import { Check, Warning } from '../parts/icons.tsx';
import { FailureNotice, Loading } from '../parts/notice.tsx';
import { useSpeech } from '../texts/use-language.tsx';

/** Whether the lesson's events are the ones that were written, in their order. */
export function Verdict({ client, sessionId }: { readonly client: TutorClient; readonly sessionId: string }) {
  const { say, number } = useSpeech();
  const { loaded, reload } = useLoaded(useCallback((signal: AbortSignal) => verdictOf(client, sessionId, signal), [client, sessionId]));
  if (loaded.status === 'loading') return <Loading />;
  if (loaded.status === 'failed') return <FailureNotice error={loaded.error} onRetry={reload} />;
  const { verdict, coverage } = loaded.value;
  const intact = verdict.verdict === 'intact';
  return (
    <section className={`verdict verdict-${verdict.verdict}`} role={intact ? 'status' : 'alert'}>
      {intact ? <Check /> : <Warning />}
      <div>
        <p className="verdict-title">{say(intact ? 'verdictIntact' : 'verdictBroken')}</p>
        {intact ? (
          <p>
            {say('verdictIntactBody', { events: number(verdict.events) })} {say('headHash')}{' '}
            <code className="hash">{verdict.headHash.slice(0, 16)}…</code> <Covered coverage={coverage} />
          </p>
        ) : (
          <p>{say('verdictBrokenBody', { revision: verdict.revision, reason: verdict.reason })}</p>
        )}
      </div>
      <button type="button" className="button" onClick={reload}>
        {say('verifyAgain')}
      </button>
    </section>
  );
}

async function verdictOf(client: TutorClient, sessionId: string, signal: AbortSignal) {
  const [verdict, coverage] = await Promise.all([client.audit.verify(sessionId, { signal }), client.audit.coverage(sessionId, { signal })]);
  return { verdict, coverage };
}

/** Which seals keep it, and what they do not keep yet. */
function Covered({ coverage: { seals, unsealedFrom } }: { readonly coverage: SealCoverage }) {
  const { say } = useSpeech();
  const [first, last] = [seals[0], seals.at(-1)];
  return (
    <span>
      {first === undefined || last === undefined ? '' : say('sealedTo', { from: first.sealNo, to: last.sealNo })}{' '}
      {unsealedFrom === null ? '' : say('notSealed', { revision: unsealedFrom })}
    </span>
  );
}

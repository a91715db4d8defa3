import { joinSession } from '@virtual-tutor/sdk/browser';
import { useEffect, useState } from 'react';
import { sayFailure } from '../engine/failure.ts';
import { keepGrant } from '../engine/grants.ts';
import { engineUrl } from '../engine/staff.tsx';
import { Blank, Loading } from '../parts/notice.tsx';
import { Page } from '../parts/page.tsx';
import { useSpeech } from '../texts/use-language.tsx';
import { go } from '../use-route.ts';

/** Codes already traded by this page: a link opens once, and React may run an effect twice. */
const trading = new Map<string, Promise<string>>();

export function Join({ code }: { readonly code: string }) {
  const { say } = useSpeech();
  const [error, setError] = useState<unknown>(null);
  useEffect(() => {
    trade(code).then((sessionId) => go({ view: 'lesson', sessionId }, { replace: true }), setError);
  }, [code]);
  return (
    <Page title={error === null ? say('joinTitle') : say('joinFailedTitle')}>
      {error === null ? (
        <Loading />
      ) : (
        <Blank title={sayFailure(error, say)}>
          <p>{say('joinFailedBody')}</p>
        </Blank>
      )}
    </Page>
  );
}

function trade(code: string): Promise<string> {
  const earlier = trading.get(code);
  if (earlier !== undefined) return earlier;
  const traded = joinSession(engineUrl, code).then((grant) => {
    keepGrant(grant);
    return grant.sessionId;
  });
  trading.set(code, traded);
  return traded;
}

import type { TutorClient } from '@virtual-tutor/sdk';
import { useCallback } from 'react';
import { firstOf } from '../engine/pages.ts';
import { useLoaded } from '../engine/use-loaded.ts';
import { Avatar } from '../parts/avatar.tsx';
import { Blank, FailureNotice, Loading } from '../parts/notice.tsx';
import { hrefOf } from '../router.ts';
import { langOf, useSpeech } from '../texts/use-language.tsx';
import { newId } from './new-id.ts';

export function Tutors({ client }: { readonly client: TutorClient }) {
  const { say } = useSpeech();
  const { loaded, reload } = useLoaded(useCallback((signal: AbortSignal) => firstOf(client.tutors.list({ signal })), [client]));
  if (loaded.status === 'loading') return <Loading />;
  if (loaded.status === 'failed') return <FailureNotice error={loaded.error} onRetry={reload} />;
  return (
    <>
      {loaded.value.length === 0 ? <Blank title={say('noTutorsTitle')} /> : null}
      <ul className="rows">
        {loaded.value.map(({ id, status, settings }) => (
          <li key={id}>
            <a className="row" href={hrefOf({ view: 'desk', tab: 'tutors', id })}>
              <Avatar id={id} name={settings.name} />
              <span className="row-words">
                <span className="row-title" lang={langOf(settings.language)}>
                  {settings.name}
                </span>
                <span className="row-facts">
                  {say(settings.language === 'zh' ? 'languageZh' : 'languageEn')}
                  {settings.knowledgeBaseId === null ? null : ` · ${settings.knowledgeBaseId}`}
                </span>
              </span>
              {status === 'retired' ? <span className="tag">{say('retired')}</span> : null}
              <span className="row-action">
                {say('edit')}
                <span className="visually-hidden"> {settings.name}</span>
              </span>
            </a>
          </li>
        ))}
      </ul>
      <p className="after-rows">
        <a className="button" href={hrefOf({ view: 'desk', tab: 'tutors', id: newId })}>
          {say('newTutor')}
        </a>
      </p>
    </>
  );
}

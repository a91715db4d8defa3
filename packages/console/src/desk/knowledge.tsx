import type { TutorClient } from '@virtual-tutor/sdk';
import { type SyntheticEvent, useCallback, useState } from 'react';
import { firstOf } from '../engine/pages.ts';
import { useAction } from '../engine/use-action.ts';
import { useLoaded } from '../engine/use-loaded.ts';
import { Field } from '../parts/field.tsx';
import { Book } from '../parts/icons.tsx';
import { Blank, FailureNotice, Loading } from '../parts/notice.tsx';
import { isSlug } from '../parts/slug.ts';
import { hrefOf } from '../router.ts';
import { useSpeech } from '../texts/use-language.tsx';
import { go } from '../use-route.ts';

export function Knowledge({ client }: { readonly client: TutorClient }) {
  const { say, number } = useSpeech();
  const { loaded, reload } = useLoaded(useCallback((signal: AbortSignal) => firstOf(client.knowledge.list({ signal })), [client]));
  if (loaded.status === 'loading') return <Loading />;
  if (loaded.status === 'failed') return <FailureNotice error={loaded.error} onRetry={reload} />;
  return (
    <>
      {loaded.value.length === 0 ? <Blank title={say('noKnowledgeYet')} /> : null}
      <ul className="rows">
        {loaded.value.map(({ id, name, documents }) => (
          <li key={id}>
            <a className="row" href={hrefOf({ view: 'desk', tab: 'knowledge', id })}>
              <span className="row-icon">
                <Book />
              </span>
              <span className="row-words">
                <span className="row-title">{name}</span>
                <span className="row-facts">
                  {id} · {say('documentCount', { count: number(documents) })}
                </span>
              </span>
              <span className="row-action">{say('edit')}</span>
            </a>
          </li>
        ))}
      </ul>
      <NewCollection client={client} />
    </>
  );
}

function NewCollection({ client }: { readonly client: TutorClient }) {
  const { say } = useSpeech();
  const [id, setId] = useState('');
  const [name, setName] = useState('');
  const create = useAction(
    useCallback(async () => {
      await client.knowledge.create(id, name.trim());
      go({ view: 'desk', tab: 'knowledge', id });
    }, [client, id, name]),
  );
  const onSubmit = (event: SyntheticEvent) => {
    event.preventDefault();
    create.run();
  };
  return (
    <details className="advanced">
      <summary>{say('newKnowledge')}</summary>
      <form className="form" onSubmit={onSubmit}>
        <div className="field-row">
          <Field label={say('fieldName')}>
            {(wiring) => <input {...wiring} required maxLength={120} value={name} onChange={(event) => setName(event.target.value)} />}
          </Field>
          <Field label={say('fieldId')} hint={say('fieldIdHint')} problem={id === '' || isSlug(id) ? null : say('invalidSlug')}>
            {(wiring) => (
              <input
                {...wiring}
                required
                maxLength={64}
                autoComplete="off"
                spellCheck={false}
                value={id}
                onChange={(event) => setId(event.target.value)}
              />
            )}
          </Field>
        </div>
        {create.error === null ? null : <FailureNotice error={create.error} />}
        <div className="form-actions">
          <button type="submit" className="button button-primary" disabled={!isSlug(id) || name.trim() === '' || create.busy}>
            {say('create')}
          </button>
        </div>
      </form>
    </details>
  );
}

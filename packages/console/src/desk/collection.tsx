import type { KnowledgeDocument, TutorClient } from '@virtual-tutor/sdk';
import { useCallback, useState } from 'react';
import { firstOf } from '../engine/pages.ts';
import { useAction } from '../engine/use-action.ts';
import { useLoaded } from '../engine/use-loaded.ts';
import { Confirmation } from '../parts/dialog.tsx';
import { Blank, FailureNotice, Loading, Notice } from '../parts/notice.tsx';
import { hrefOf } from '../router.ts';
import { useSpeech } from '../texts/use-language.tsx';
import { AddDocument } from './add-document.tsx';

/** The documents of one knowledge base. */
export function Collection({ client, knowledgeBaseId }: { readonly client: TutorClient; readonly knowledgeBaseId: string }) {
  const { say } = useSpeech();
  const [notice, setNotice] = useState<string | null>(null);
  const [leaving, setLeaving] = useState<KnowledgeDocument | null>(null);
  const load = useCallback(
    async (signal: AbortSignal) => ({
      base: await client.knowledge.get(knowledgeBaseId, { signal }),
      documents: await firstOf(client.knowledge.documents(knowledgeBaseId, { signal })),
    }),
    [client, knowledgeBaseId],
  );
  const { loaded, reload } = useLoaded(load);
  const remove = useAction(
    useCallback(
      async (document: KnowledgeDocument) => {
        await client.knowledge.removeDocument(knowledgeBaseId, document.id);
        setNotice(say('removedDocument', { title: document.title }));
        reload();
      },
      [client, knowledgeBaseId, reload, say],
    ),
  );
  if (loaded.status === 'loading') return <Loading />;
  if (loaded.status === 'failed') return <FailureNotice error={loaded.error} onRetry={reload} />;
  const { base, documents } = loaded.value;
  const onAdded = (document: KnowledgeDocument) => {
    setNotice(document.status === 'rejected' ? null : say('addedDocument', { title: document.title }));
    reload();
  };
  return (
    <>
      <div className="section-head">
        <h2>{base.name}</h2>
        <a className="button" href={hrefOf({ view: 'desk', tab: 'knowledge', id: null })}>
          {say('back')}
        </a>
      </div>
      {notice === null ? null : (
        <Notice tone="good">
          <p>{notice}</p>
        </Notice>
      )}
      {remove.error === null ? null : <FailureNotice error={remove.error} />}
      {documents.length === 0 ? (
        <Blank title={say('noDocumentsTitle')}>
          <p>{say('noDocumentsBody')}</p>
        </Blank>
      ) : (
        <ul className="rows" aria-label={say('documents')}>
          {documents.map((document) => (
            <DocumentRow key={document.id} document={document} onRemove={() => setLeaving(document)} />
          ))}
        </ul>
      )}
      <AddDocument client={client} knowledgeBaseId={knowledgeBaseId} onAdded={onAdded} />
      {leaving === null ? null : (
        <Confirmation
          title={say('removeAsk', { title: leaving.title })}
          body={say('removeBody')}
          action={say('remove')}
          onConfirm={() => remove.run(leaving)}
          onClose={() => setLeaving(null)}
        />
      )}
    </>
  );
}

function DocumentRow({ document, onRemove }: { readonly document: KnowledgeDocument; readonly onRemove: () => void }) {
  const { say, number } = useSpeech();
  const { title, status, passages, bytes, rejection } = document;
  const facts = { passages: number(passages), size: `${number(Math.max(1, Math.round(bytes / 1000)))} kB` };
  return (
    <li className="row row-still">
      <span className="row-words">
        <span className="row-title">{title}</span>
        <span className="row-facts">{rejection === null ? say('documentFacts', facts) : say(`rejected_${rejection}`)}</span>
      </span>
      <span className={`tag tag-${status}`}>{say(`document_${status}`)}</span>
      <button type="button" className="button button-quiet" aria-label={say('removeNamed', { title })} onClick={onRemove}>
        {say('remove')}
      </button>
    </li>
  );
}

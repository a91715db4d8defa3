import type { KnowledgeDocument, TutorClient } from '@virtual-tutor/sdk';
import { type ChangeEvent, type SyntheticEvent, useCallback, useId, useState } from 'react';
import { useAction } from '../engine/use-action.ts';
import { Field } from '../parts/field.tsx';
import { FailureNotice } from '../parts/notice.tsx';
import type { TextKey } from '../texts/texts.ts';
import { useSpeech } from '../texts/use-language.tsx';
import { readTextFile } from './text-file.ts';

/** The engine's largest document, bytes of UTF-8. */
const maxBytes = 1_000_000;

export function AddDocument({
  client,
  knowledgeBaseId,
  onAdded,
}: {
  readonly client: TutorClient;
  readonly knowledgeBaseId: string;
  readonly onAdded: (document: KnowledgeDocument) => void;
}) {
  const { say } = useSpeech();
  const fileId = useId();
  const [title, setTitle] = useState('');
  const [text, setText] = useState('');
  const [fileProblem, setFileProblem] = useState<Extract<TextKey, 'fileUnreadable'> | null>(null);
  const tooLarge = new Blob([text]).size > maxBytes;
  const add = useAction(
    useCallback(async () => {
      const document = await client.knowledge.addDocument(knowledgeBaseId, { title: title.trim(), mime: 'text/markdown', text });
      setTitle('');
      setText('');
      onAdded(document);
    }, [client, knowledgeBaseId, title, text, onAdded]),
  );
  const onFile = async (event: ChangeEvent<HTMLInputElement>) => {
    const [file] = event.target.files ?? [];
    if (file === undefined) return;
    const content = await readTextFile(file);
    setFileProblem(content === null ? 'fileUnreadable' : null);
    if (content === null) return;
    setText(content);
    setTitle((current) => (current === '' ? file.name.replace(/\.[^.]+$/, '') : current));
  };
  const onSubmit = (event: SyntheticEvent) => {
    event.preventDefault();
    add.run();
  };
  const textProblem = fileProblem ?? (tooLarge ? 'fileTooLarge' : null);
  return (
    <form className="form card" onSubmit={onSubmit}>
      <h3>{say('addDocument')}</h3>
      <Field label={say('documentTitle')}>
        {(wiring) => <input {...wiring} required maxLength={200} value={title} onChange={(event) => setTitle(event.target.value)} />}
      </Field>
      <Field label={say('documentText')} hint={say('documentTextHint')} problem={textProblem === null ? null : say(textProblem)}>
        {(wiring) => <textarea {...wiring} required rows={8} value={text} onChange={(event) => setText(event.target.value)} />}
      </Field>
      {add.error === null ? null : <FailureNotice error={add.error} />}
      <div className="form-actions">
        <button
          type="submit"
          className="button button-primary"
          disabled={add.busy || tooLarge || title.trim() === '' || text.trim() === ''}
        >
          {say(add.busy ? 'adding' : 'add')}
        </button>
        <label className="button file-button" htmlFor={fileId}>
          {say('chooseFile')}
          <input
            id={fileId}
            className="visually-hidden"
            type="file"
            accept=".txt,.md,.markdown,text/plain,text/markdown"
            onChange={(event) => void onFile(event)}
          />
        </label>
      </div>
    </form>
  );
}

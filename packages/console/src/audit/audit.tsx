import type { Session, TutorClient } from '@virtual-tutor/sdk';
import { type SyntheticEvent, useCallback, useState } from 'react';
import { Field } from '../parts/field.tsx';
import { Blank, FailureNotice, Loading } from '../parts/notice.tsx';
import { Page } from '../parts/page.tsx';
import { isSlug } from '../parts/slug.ts';
import { StaffOnly } from '../parts/staff-only.tsx';
import { useSpeech } from '../texts/use-language.tsx';
import { SessionTable } from './session-table.tsx';
import { type Pages, usePages } from './use-pages.ts';

const pageSize = 25;

export function Audit() {
  const { say } = useSpeech();
  return (
    <Page title={say('auditTitle')} lead={say('auditLead')} wide>
      <StaffOnly roles={['auditor']}>{(client) => <Sessions client={client} />}</StaffOnly>
    </Page>
  );
}

function Sessions({ client }: { readonly client: TutorClient }) {
  const [studentId, setStudentId] = useState<string | null>(null);
  const list = useCallback(() => client.audit.sessions(studentId === null ? {} : { studentId }), [client, studentId]);
  const pages = usePages(list, pageSize);
  return (
    <>
      <StudentFilter studentId={studentId} onChange={setStudentId} />
      <PagedSessions pages={pages} />
    </>
  );
}

function StudentFilter({
  studentId,
  onChange,
}: {
  readonly studentId: string | null;
  readonly onChange: (studentId: string | null) => void;
}) {
  const { say } = useSpeech();
  const [draft, setDraft] = useState('');
  const valid = isSlug(draft);
  const onSubmit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (valid) onChange(draft);
  };
  const showAll = () => {
    setDraft('');
    onChange(null);
  };
  return (
    <form className="filter" onSubmit={onSubmit}>
      <Field label={say('filterStudent')} problem={draft === '' || valid ? null : say('studentInvalid')}>
        {(wiring) => (
          <input {...wiring} value={draft} autoComplete="off" spellCheck={false} onChange={(event) => setDraft(event.target.value)} />
        )}
      </Field>
      <button type="submit" className="button" disabled={!valid}>
        {say('filter')}
      </button>
      {studentId === null ? null : (
        <button type="button" className="button button-quiet" onClick={showAll}>
          {say('showAll')}
        </button>
      )}
    </form>
  );
}

function PagedSessions({ pages }: { readonly pages: Pages<Session> }) {
  const { say } = useSpeech();
  const { items: sessions, more, error, showMore } = pages;
  if (error !== null) return <FailureNotice error={error} />;
  if (sessions === null) return <Loading />;
  if (sessions.length === 0) {
    return (
      <Blank title={say('noSessionsTitle')}>
        <p>{say('noSessionsBody')}</p>
      </Blank>
    );
  }
  return (
    <>
      <SessionTable sessions={sessions} />
      {more ? (
        <p className="after-rows">
          <button type="button" className="button" onClick={showMore}>
            {say('showMore')}
          </button>
        </p>
      ) : null}
    </>
  );
}

import type { TutorClient } from '@virtual-tutor/sdk';
import { useCallback } from 'react';
import { useAction } from '../engine/use-action.ts';
import { FailureNotice } from '../parts/notice.tsx';
import { useSpeech } from '../texts/use-language.tsx';

/** Saves the lesson as evidence, with its words or without. */
export function EvidenceButtons({ client, sessionId }: { readonly client: TutorClient; readonly sessionId: string }) {
  const { say } = useSpeech();
  const full = useAction(useCallback(() => save(client, sessionId, false), [client, sessionId]));
  const redacted = useAction(useCallback(() => save(client, sessionId, true), [client, sessionId]));
  return (
    <>
      {(full.error ?? redacted.error) === null ? null : <FailureNotice error={full.error ?? redacted.error} />}
      <button type="button" className="button" disabled={full.busy} onClick={full.run}>
        {say('evidence')}
      </button>
      <button type="button" className="button" disabled={redacted.busy} onClick={redacted.run}>
        {say('evidenceRedacted')}
      </button>
    </>
  );
}

async function save(client: TutorClient, sessionId: string, redacted: boolean): Promise<void> {
  const text = await client.audit.export(sessionId, { redacted });
  const url = URL.createObjectURL(new Blob([text], { type: 'application/x-ndjson' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = `lesson-${sessionId}${redacted ? '.redacted' : ''}.evidence`;
  link.click();
  URL.revokeObjectURL(url);
}

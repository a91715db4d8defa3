import type { TutorClient } from '@virtual-tutor/sdk';
import { type SyntheticEvent, useCallback, useEffect, useRef, useState } from 'react';
import { useAction } from '../../engine/use-action.ts';
import { Field } from '../../parts/field.tsx';
import { FailureNotice } from '../../parts/notice.tsx';
import { hrefOf } from '../../router.ts';
import { useSpeech } from '../../texts/use-language.tsx';
import { go } from '../../use-route.ts';
import { type Clip, ClipField } from './clip-field.tsx';

/** A clip, who is in it, and her consent. */
export function NewFace({ client }: { readonly client: TutorClient }) {
  const { say } = useSpeech();
  const [clip, setClip] = useState<Clip | null>(null);
  const [name, setName] = useState('');
  const [by, setBy] = useState('');
  /** The very words that were ticked: those of another language were not. */
  const [agreed, setAgreed] = useState<string | null>(null);
  const [sent, setSent] = useState(0);
  const sending = useRef<AbortController | null>(null);
  useEffect(() => () => sending.current?.abort(), []);
  const statement = say('consentStatement');
  const upload = useAction(
    useCallback(async () => {
      if (clip === null) return;
      const controller = new AbortController();
      sending.current = controller;
      setSent(0);
      try {
        const consent = { by: by.trim(), statement };
        const made = await client.avatars.upload(
          clip.blob,
          { name: name.trim(), fileName: clip.fileName, consent },
          { signal: controller.signal, onProgress: (bytes, all) => setSent(bytes / all) },
        );
        go({ view: 'desk', tab: 'faces', id: made.id });
      } catch (error) {
        if (!controller.signal.aborted) throw error;
      }
    }, [client, clip, name, by, statement]),
  );
  const onSubmit = (event: SyntheticEvent) => {
    event.preventDefault();
    upload.run();
  };
  const complete = clip !== null && name.trim() !== '' && by.trim() !== '' && agreed === statement;
  return (
    <form className="form" onSubmit={onSubmit}>
      <h2>{say('newFace')}</h2>
      <fieldset className="plain" disabled={upload.busy}>
        <ClipField clip={clip} onClip={setClip} />
        <div className="field-row">
          <Field label={say('faceName')}>
            {(wiring) => (
              <input {...wiring} required maxLength={80} autoComplete="off" value={name} onChange={({ target }) => setName(target.value)} />
            )}
          </Field>
          <Field label={say('consentBy')}>
            {(wiring) => (
              <input {...wiring} required maxLength={120} autoComplete="off" value={by} onChange={({ target }) => setBy(target.value)} />
            )}
          </Field>
        </div>
        <section className="card consent" aria-label={say('consentTitle')}>
          <h3>{say('consentTitle')}</h3>
          <p>{statement}</p>
          <label className="tick">
            <input
              type="checkbox"
              required
              checked={agreed === statement}
              onChange={({ target }) => setAgreed(target.checked ? statement : null)}
            />
            <span>{say('consentGiven')}</span>
          </label>
        </section>
      </fieldset>
      {upload.error === null ? null : <FailureNotice error={upload.error} />}
      {upload.busy ? <Sending share={sent} onCancel={() => sending.current?.abort()} /> : null}
      <div className="form-actions">
        <button type="submit" className="button button-primary" disabled={!complete || upload.busy}>
          {say('makeFace')}
        </button>
        <a className="button" href={hrefOf({ view: 'desk', tab: 'faces', id: null })}>
          {say('back')}
        </a>
      </div>
    </form>
  );
}

function Sending({ share, onCancel }: { readonly share: number; readonly onCancel: () => void }) {
  const { say } = useSpeech();
  const percent = Math.floor(share * 100);
  const said = say('sendingClip', { percent });
  return (
    <div className="sending">
      <progress max={100} value={percent} aria-label={said} />
      <span>{said}</span>
      <button type="button" className="button button-quiet" onClick={onCancel}>
        {say('cancelSending')}
      </button>
    </div>
  );
}

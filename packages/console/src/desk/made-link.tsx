import { useEffect, useRef, useState } from 'react';
import { Field } from '../parts/field.tsx';
import { Check } from '../parts/icons.tsx';
import { useSpeech } from '../texts/use-language.tsx';

export interface StudentLink {
  readonly studentId: string;
  readonly url: string;
  readonly expiresAt: string;
}

export function MadeLink({ link }: { readonly link: StudentLink }) {
  const { say, dateTime } = useSpeech();
  const address = useRef<HTMLInputElement>(null);
  const [isCopied, setIsCopied] = useState(false);
  useEffect(() => address.current?.focus(), []);
  const copy = () => {
    address.current?.select();
    // Absent on plain http: the selected text can still be copied by hand.
    navigator.clipboard?.writeText(link.url).then(
      () => setIsCopied(true),
      () => undefined,
    );
  };
  return (
    <section className="card made-link" aria-label={say('linkReady', { student: link.studentId })}>
      <h2>{say('linkReady', { student: link.studentId })}</h2>
      <Field label={say('linkAddress')} hint={say('linkExpires', { when: dateTime(link.expiresAt) })}>
        {(wiring) => <input {...wiring} ref={address} readOnly value={link.url} onFocus={(event) => event.target.select()} />}
      </Field>
      <div className="form-actions" aria-live="polite">
        <button type="button" className="button button-primary" onClick={copy}>
          {isCopied ? <Check /> : null}
          {say(isCopied ? 'copied' : 'copy')}
        </button>
      </div>
    </section>
  );
}

import { type SyntheticEvent, useState } from 'react';
import { useSpeech } from '../texts/use-language.tsx';
import { Field } from './field.tsx';

export function SignInForm({ refused, onKey }: { readonly refused: boolean; readonly onKey: (key: string) => void }) {
  const { say } = useSpeech();
  const [key, setKey] = useState('');
  const onSubmit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (key.trim() !== '') onKey(key.trim());
  };
  return (
    <form className="card sign-in" onSubmit={onSubmit}>
      <h2>{say('signInTitle')}</h2>
      <p>{say('signInBody')}</p>
      <Field label={say('apiKey')} hint={say('apiKeyHint')} problem={refused ? say('keyRefused') : null}>
        {(wiring) => (
          <input
            {...wiring}
            type="password"
            autoComplete="off"
            spellCheck={false}
            value={key}
            onChange={(event) => setKey(event.target.value)}
          />
        )}
      </Field>
      <button type="submit" className="button button-primary">
        {say('signIn')}
      </button>
      <p className="hint">{say('signInStudent')}</p>
    </form>
  );
}

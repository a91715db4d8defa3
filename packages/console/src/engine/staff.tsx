import { createTutorClient, type Role, signInOnLoopback, type TutorClient } from '@virtual-tutor/sdk';
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useState } from 'react';
import { codeOf } from './failure.ts';
import { keep, kept } from './tab-storage.ts';

/** Who sits at this page, as far as the control plane goes. Students never sign in: they hold a grant. */
export type SignIn =
  | { readonly status: 'pending' }
  | { readonly status: 'unreachable' }
  | { readonly status: 'needsKey'; readonly refused: boolean }
  | { readonly status: 'signedIn'; readonly client: TutorClient; readonly roles: readonly Role[]; readonly withKey: boolean };

export interface Staff {
  readonly signIn: SignIn;
  readonly useKey: (key: string) => void;
  readonly signOut: () => void;
}

const keyStorage = 'vt-api-key';
const retryMs = 2_000;
export const engineUrl = window.location.origin;

const StaffContext = createContext<Staff | null>(null);

export function StaffProvider({ children }: { readonly children: ReactNode }) {
  const [apiKey, setApiKey] = useState<string | null>(() => kept(keyStorage));
  const [signIn, setSignIn] = useState<SignIn>({ status: 'pending' });

  useEffect(() => {
    const ended = new AbortController();
    void keepSignedIn(apiKey, { onChange: setSignIn, signal: ended.signal });
    return () => ended.abort();
  }, [apiKey]);

  const useKey = useCallback((key: string) => {
    keep(keyStorage, key);
    setSignIn({ status: 'pending' });
    setApiKey(key);
  }, []);
  const signOut = useCallback(() => {
    keep(keyStorage, null);
    setSignIn({ status: 'pending' });
    setApiKey(null);
  }, []);
  const staff = useMemo(() => ({ signIn, useKey, signOut }), [signIn, useKey, signOut]);
  return <StaffContext value={staff}>{children}</StaffContext>;
}

export function useStaff(): Staff {
  const staff = useContext(StaffContext);
  if (staff === null) throw new Error('useStaff needs a StaffProvider above it');
  return staff;
}

interface Keeping {
  readonly onChange: (signIn: SignIn) => void;
  readonly signal: AbortSignal;
}

/** Signs in, again while the engine is away, and again before the console's token expires. */
async function keepSignedIn(apiKey: string | null, { onChange, signal }: Keeping): Promise<void> {
  let waitMs: number | null = 0;
  while (waitMs !== null && (await waited(waitMs, signal))) {
    const [result, nextMs] = await attempt(apiKey);
    if (signal.aborted) return;
    onChange(result);
    waitMs = nextMs;
  }
}

async function attempt(apiKey: string | null): Promise<readonly [SignIn, waitMs: number | null]> {
  try {
    const credential = apiKey === null ? await signInOnLoopback(engineUrl) : { token: apiKey, expiresAt: null };
    // The key was typed in by its owner, into a page that its owner's engine serves.
    const client = createTutorClient({ url: engineUrl, apiKey: credential.token, allowApiKeyInBrowser: true });
    const { roles } = await client.whoami();
    const againMs = credential.expiresAt === null ? null : Math.max(retryMs, (Date.parse(credential.expiresAt) - Date.now()) * 0.8);
    return [{ status: 'signedIn', client, roles, withKey: apiKey !== null }, againMs];
  } catch (error) {
    const code = codeOf(error);
    if (code === 'unauthorized' || code === 'forbidden') {
      if (apiKey !== null) keep(keyStorage, null);
      return [{ status: 'needsKey', refused: apiKey !== null }, null];
    }
    return [{ status: 'unreachable' }, retryMs];
  }
}

/** False when given up. */
function waited(ms: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(true), ms);
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve(false);
      },
      { once: true },
    );
  });
}

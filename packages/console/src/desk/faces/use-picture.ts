import type { TutorClient } from '@virtual-tutor/sdk';
import { useEffect, useState } from 'react';

/** An address for a file of an avatar, as long as it is on show; null while it is fetched, and where there is none. */
export function usePicture(client: TutorClient, avatarId: string, name: string | null): string | null {
  const [address, setAddress] = useState<string | null>(null);
  useEffect(() => {
    if (name === null) return;
    const ended = new AbortController();
    let made: string | null = null;
    client.avatars.file(avatarId, name, { signal: ended.signal }).then(
      ({ mime, bytes }) => {
        if (ended.signal.aborted) return;
        made = URL.createObjectURL(new Blob([Uint8Array.from(bytes)], { type: mime }));
        setAddress(made);
      },
      () => undefined,
    );
    return () => {
      ended.abort();
      setAddress(null);
      if (made !== null) URL.revokeObjectURL(made);
    };
  }, [client, avatarId, name]);
  return address;
}

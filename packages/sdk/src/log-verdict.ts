import { LinkLost } from './errors.ts';
import { readLive } from './live-reader.ts';
import type { LogVerdict } from './seal-contract.ts';
import type { Api } from './transport.ts';

export interface VerifyLogOptions {
  /** Seal hashes that were kept elsewhere: the log's fingerprint, or any newer one. */
  readonly noted?: readonly string[];
  readonly signal?: AbortSignal;
  readonly onProgress?: (checked: number) => void;
}

/** The verdict on the whole log; after a lost connection it begins anew. */
export async function verifyLog(api: Api, { noted = [], signal, onProgress }: VerifyLogOptions): Promise<LogVerdict> {
  const said = readLive<{ readonly checked: number } | LogVerdict>(
    (handlers) => api.audit.verifyLog.subscribe({ noted: [...noted] }, handlers),
    { signal, isOver: () => false },
  );
  for await (const item of said) {
    if ('verdict' in item) return item;
    onProgress?.(item.checked);
  }
  throw new LinkLost('the engine stopped before the verdict');
}

import type { KeyVault } from '../../packages/server/src/app/ports.ts';

/** Seals by doing nothing, for tests of what is in an event and not of who may read it. */
export const plainVault: Pick<KeyVault, 'seal' | 'open' | 'disclose'> = {
  seal: async (_subject, plaintext) => ({ keyId: 'key', sealed: plaintext }),
  open: async (_keyId, sealed) => sealed,
  disclose: async () => null,
};

import type { KeyVault } from '../../packages/server/src/app/ports.ts';

/** Seals by doing nothing, for tests of what is in an event and not of who may read it. */
export const plainVault: KeyVault = {
  seal: async (_subject, plaintext) => ({ keyId: 'key', sealed: plaintext }),
  open: async (_keyId, sealed) => sealed,
  disclose: async () => null,
  destroy: async () => ({ keyId: null }),
  evict: () => {},
};

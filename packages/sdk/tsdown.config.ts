import { defineConfig, type UserConfig } from 'tsdown';

const shared: UserConfig = {
  format: ['esm', 'cjs'],
  platform: 'neutral',
  target: 'es2022',
  dts: true,
  fixedExtension: true,
  clean: false,
};

/** Bundled, so that this package has no dependencies and meets no second copy of tRPC. */
const withTrpc: UserConfig = {
  ...shared,
  deps: { alwaysBundle: [/^@trpc\//], neverBundle: ['react'], onlyBundle: ['@trpc/client', '@trpc/server'] },
};

export default defineConfig([
  {
    ...withTrpc,
    entry: ['src/index.ts'],
    clean: true,
    // Its compiled class fields look like side effects, and would keep the WebSocket client in a bundle without sockets.
    treeshake: { manualPureFunctions: ['_defineProperty'] },
  },
  { ...withTrpc, entry: ['src/browser.ts', 'src/react.ts', 'src/testing.ts'] },
  // Whoever comes here brings tRPC along.
  { ...shared, entry: ['src/trpc.ts'], deps: { neverBundle: [/^@trpc\//] } },
]);

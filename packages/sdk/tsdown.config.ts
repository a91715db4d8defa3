import { defineConfig, type UserConfig } from 'tsdown';

const shared: UserConfig = {
  format: ['esm', 'cjs'],
  platform: 'neutral',
  target: 'es2022',
  dts: true,
  fixedExtension: true,
  sourcemap: false,
};

export default defineConfig([
  {
    ...shared,
    entry: ['src/index.ts', 'src/browser.ts', 'src/react.ts', 'src/testing.ts'],
    // Bundled, so that this package has no dependencies and meets no second copy of tRPC.
    deps: { alwaysBundle: [/^@trpc\//], neverBundle: ['react'] },
  },
  {
    ...shared,
    entry: ['src/trpc.ts'],
    // Whoever comes here brings tRPC along.
    deps: { neverBundle: [/^@trpc\//] },
    clean: false,
  },
]);

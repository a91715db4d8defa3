/** The import arrows of ARCHITECTURE.md, one rule each. */
const only = (name, from, allowed) => ({
  name,
  severity: 'error',
  from: { path: from, pathNot: '\\.test\\.tsx?$' },
  to: { pathNot: allowed },
});

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    only('schemas-import-only-zod', '^packages/schemas/src', ['^packages/schemas/src', 'node_modules/zod/']),
    only('domain-is-pure', '^packages/server/src/domain', ['^packages/server/src/domain', '^packages/schemas/src']),
    only('turn-is-pure', '^packages/engine/src/turn', ['^packages/engine/src/turn', '^packages/schemas/src']),
    {
      name: 'engine-knows-no-server',
      severity: 'error',
      from: { path: '^packages/engine/src' },
      to: { path: ['^packages/(server|sdk|console)/', 'node_modules/(@trpc|drizzle-orm|postgres|ws)/'] },
    },
    {
      name: 'engine-natives-only-in-adapters',
      severity: 'error',
      from: { path: '^packages/engine/src', pathNot: ['^packages/engine/src/adapters', '\\.test\\.ts$'] },
      to: { path: 'node_modules/(ollama|minisearch|werift|node-av|onnxruntime-node)/' },
    },
    {
      name: 'app-knows-no-technology',
      severity: 'error',
      from: { path: '^packages/server/src/app', pathNot: '\\.test\\.ts$' },
      to: {
        path: [
          '^packages/server/src/(store|api|cli)',
          '^packages/server/src/(main|config)',
          'node_modules/(@trpc|postgres|ws|@electric-sql)/',
        ],
      },
    },
    {
      name: 'store-knows-no-api',
      severity: 'error',
      from: { path: '^packages/server/src/store' },
      to: { path: ['^packages/server/src/(api|cli|domain)', 'node_modules/(@trpc|ws)/'] },
    },
    {
      name: 'api-translates-only',
      severity: 'error',
      from: { path: '^packages/server/src/api', pathNot: '\\.test\\.ts$' },
      to: { path: ['^packages/server/src/(store|cli)', 'node_modules/(postgres|drizzle-orm|@electric-sql)/'] },
    },
    {
      name: 'sdk-takes-only-types-from-server',
      severity: 'error',
      from: { path: '^packages/sdk/src', pathNot: '\\.test(-d)?\\.tsx?$' },
      to: { path: '^packages/(server|engine|console)/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'sdk-names-the-router-in-one-file',
      severity: 'error',
      from: { path: '^packages/sdk/src', pathNot: ['^packages/sdk/src/(transport|trpc)\\.ts$', '\\.test(-d)?\\.tsx?$'] },
      to: { path: ['^packages/server/', 'node_modules/@trpc/'] },
    },
    {
      name: 'console-uses-only-the-sdk',
      severity: 'error',
      from: { path: '^packages/console/src' },
      to: { path: '^packages/(server|engine|schemas)/' },
    },
    {
      name: 'no-test-code-in-product',
      severity: 'error',
      from: { path: '^packages/[^/]+/src', pathNot: '\\.test(-d)?\\.tsx?$' },
      to: { path: ['^test/', '^bench/', '\\.test\\.tsx?$'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|temp)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'node', 'default'] },
  },
};

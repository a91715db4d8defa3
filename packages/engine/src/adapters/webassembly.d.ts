/** What this engine uses of WebAssembly: TypeScript types it for browsers only. */
declare namespace WebAssembly {
  type ModuleImports = Readonly<Record<string, (...values: never[]) => number>>;
  interface Module {
    readonly [Symbol.toStringTag]: string;
  }
  class Memory {
    readonly buffer: ArrayBuffer;
  }
  class Instance {
    constructor(module: Module, imports: Readonly<Record<string, ModuleImports>>);
    readonly exports: Readonly<Record<string, unknown>>;
  }
  function compile(bytes: Uint8Array): Promise<Module>;
}

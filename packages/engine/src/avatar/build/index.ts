export type { BuildOutcome } from './build.ts';
export type { BuildCommand, BuildFact } from './main.ts';

export type { CitedPassage, TurnComparison } from './compare.ts';
export { createRedaction, type Redact, withheldTerms } from './redact.ts';
export { type Against, runScenario, type ScenarioPorts } from './run-scenario.ts';

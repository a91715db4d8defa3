export { createTutorClient, signInOnLoopback, type TutorClientOptions } from './client.ts';
export type * from './contract.ts';
export { TutorError } from './errors.ts';

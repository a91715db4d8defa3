export {
  type ArchiveEntry,
  archiveBytes,
  archiveEnd,
  boxesName,
  frameShape,
  framesFolder,
  headerOf,
  latentsName,
  mostFrames,
  paddingOf,
} from '../legacy/archive.ts';
export type { BuildOutcome } from './build.ts';
export type { BuildCommand, BuildFact } from './main.ts';

import type { FrameOutcome } from './batcher.ts';
import type { Device, FrameInput } from './graphs.ts';
import type { PatchPlace } from './mouth-patch.ts';
import type { MuseTalkUnavailable } from './unavailable.ts';
import type { HiddenStates } from './windows.ts';

/* What an engine worker and its MuseTalk process say to each other. */

export type MuseTalkOrder =
  /** Once, first. `live`: answered by `loaded` or `unavailable`. `dress`: of that avatar, then the process ends. */
  | { readonly type: 'live'; readonly folder: string }
  | { readonly type: 'dress'; readonly folder: string; readonly avatarFolder: string }
  /** Answered by `heard`. `samples`: at `playoutRate`. */
  | { readonly type: 'hear'; readonly id: number; readonly samples: Int16Array }
  /** Answered by `drawn`. */
  | ({ readonly type: 'draw'; readonly id: number } & PatchRequest)
  /** This viewer wants nothing of what it asked for any more. */
  | { readonly type: 'leave'; readonly viewer: string };

export interface PatchRequest {
  /** Viewers take turns. */
  readonly viewer: string;
  /** Counts up for each viewer. */
  readonly frame: number;
  /** When it has to be there, from now, ms. */
  readonly inMs: number;
  readonly input: FrameInput;
  readonly place: PatchPlace;
}

export type PatchOutcome =
  /** Of `patchOf`. */
  { readonly status: 'drawn'; readonly planes: Uint8Array } | { readonly status: Exclude<FrameOutcome<never>['status'], 'drawn'> };

export type MuseTalkReport =
  | {
      readonly type: 'loaded';
      readonly device: Device;
      readonly framesPerSecond: number;
      readonly windowOffsetMs: number;
      /** Names these very models. */
      readonly models: string;
    }
  /** `reason` says what to do about it. */
  | { readonly type: 'unavailable'; readonly code: MuseTalkUnavailable['code'] | 'too_slow'; readonly reason: string }
  | { readonly type: 'heard'; readonly id: number; readonly states: HiddenStates | null }
  | { readonly type: 'drawn'; readonly id: number; readonly outcome: PatchOutcome }
  | { readonly type: 'dressed' };

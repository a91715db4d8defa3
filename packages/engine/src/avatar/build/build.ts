import type { AvatarArtifact, AvatarFault, AvatarQuality, AvatarStage } from '@virtual-tutor/schemas';
import type { AvatarManifest } from '../artifact/manifest.ts';
import type { FaceFinder } from '../face/ports.ts';
import type { ClipLimits } from '../source/clip.ts';

export type BuildOutcome =
  | { readonly status: 'ready'; readonly manifest: AvatarManifest; readonly quality: AvatarQuality }
  | {
      readonly status: 'rejected';
      readonly reasons: readonly { readonly code: AvatarFault; readonly atMs: number | null; readonly picture: AvatarArtifact | null }[];
    };

export interface Build {
  /** The avatar's own; holds the clip as `source`. */
  readonly folder: string;
  readonly finder: FaceFinder;
  readonly limits: ClipLimits;
  /** `fraction` of the stage, in tenths; never the same twice. */
  onProgress(stage: AvatarStage, fraction: number): void;
  readonly signal: AbortSignal;
}

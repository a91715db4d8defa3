/*
 * Ties the hand-written types to the engine's router and schemas: a change on one side alone is a
 * compile error here. Checked by `tsc`, never run.
 */
import type { inferRouterError, inferRouterInputs, inferRouterOutputs } from '@trpc/server';
import type * as schemas from '@virtual-tutor/schemas';
import type { AppRouter as EngineRouter } from '@virtual-tutor/server/router';
import type * as contract from './contract.ts';
import type * as feed from './feed-item.ts';
import type { AppRouter } from './trpc.ts';

/** Ids lose their brands, and everything is read-only: what is left has to be the same. */
type Plain<T> = T extends string
  ? T extends object
    ? string
    : T
  : T extends readonly (infer Item)[]
    ? readonly Plain<Item>[]
    : T extends object
      ? { readonly [Key in keyof T]: Plain<T[Key]> }
      : T;
type Same<A, B> = [Plain<A>] extends [Plain<B>] ? ([Plain<B>] extends [Plain<A>] ? true : false) : false;
type Takes<Accepted, Given> = [Given] extends [Accepted] ? true : false;
declare function check<_Claim extends true>(): void;

type In = inferRouterInputs<EngineRouter>;
type Out = inferRouterOutputs<EngineRouter>;
type OwnIn = inferRouterInputs<AppRouter>;
type OwnOut = inferRouterOutputs<AppRouter>;

export function schemasAndContractAgree(): void {
  check<Same<contract.ErrorCode, schemas.ErrorCode>>();
  check<Same<contract.Locale, schemas.Locale>>();
  check<Same<contract.Role, schemas.Role>>();
  check<Same<contract.EndReason, schemas.SessionEndReason>>();
  check<Same<contract.Session, schemas.Session>>();
  check<Same<contract.Grant, schemas.Grant>>();
  check<Same<contract.TutorSettings, schemas.TutorSettings>>();
  check<Same<contract.Tutor, schemas.Tutor>>();
  check<Same<contract.KnowledgeBase, schemas.KnowledgeBase>>();
  check<Same<contract.KnowledgeDocument, schemas.Document>>();
  check<Same<contract.Avatar, schemas.Avatar>>();
  check<Same<contract.AvatarFault, schemas.AvatarFault>>();
  check<Same<contract.AvatarStage, schemas.AvatarStage>>();
  check<Same<contract.AvatarBuildFailure, schemas.AvatarBuildFailure>>();
  check<Same<contract.AvatarQuality, schemas.AvatarQuality>>();
  check<Same<contract.AvatarArtifact, schemas.AvatarArtifact>>();
  check<Same<contract.Health, schemas.Health>>();
  check<Same<contract.TranscriptTurn, schemas.TranscriptTurn>>();
  check<Same<contract.ChainVerdict, schemas.ChainVerdict>>();
  check<Same<contract.Seal, schemas.Seal>>();
  check<Same<contract.SealCoverage, schemas.SealCoverage>>();
  check<Same<contract.LogVerdict, schemas.LogVerdict>>();
  check<Same<contract.Passage, schemas.CitedPassage>>();
  check<Same<contract.Signal, schemas.Signal>>();
  check<Same<contract.Quality, schemas.Quality>>();
  check<Same<contract.QualityReason, schemas.QualityReason>>();
  check<Same<contract.WebrtcConfig, schemas.WebrtcConfig>>();
  check<Same<contract.MediaChunk, schemas.MediaChunk>>();
  check<Takes<contract.MediaElement, HTMLVideoElement>>();
  check<Same<feed.FeedItem, schemas.FeedItem>>();
  check<Same<feed.FeedCursor, schemas.FeedCursor>>();
}

export function theRouterIsTheEngines(): void {
  check<Takes<In, OwnIn>>();
  check<Same<OwnIn, In>>();
  check<Same<Omit<OwnOut, 'audit' | 'session'>, Omit<Out, 'audit' | 'session'>>>();
  check<Same<OwnOut['audit']['events'], Out['audit']['events']>>();
  check<Same<OwnOut['audit']['appearances'], Out['audit']['appearances']>>();
  check<Takes<contract.AuditedState['state'], Plain<Out['audit']['state']['state']>>>();
  check<Takes<inferRouterError<AppRouter>, inferRouterError<EngineRouter>>>();
}

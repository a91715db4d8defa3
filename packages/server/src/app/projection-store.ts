import type { Placing, Projection } from './projections/projection.ts';
import type { ProjectionStatus } from './read-model.ts';

/** One generation of one projection, claimed by this node. */
export interface Lane {
  readonly projection: string;
  readonly generation: number;
  /** Rises with every claim: a batch of an older one is refused. */
  readonly epoch: number;
  /** Events up to here are in its rows. */
  readonly position: number;
  readonly state: 'active' | 'rebuilding';
}

export interface LaneKeys {
  readonly lane: Lane;
  readonly keys: readonly string[];
}

export interface LaneWrites {
  readonly lane: Lane;
  readonly position: number;
  /** Null: the row goes. */
  readonly rows: ReadonlyMap<string, Placing | null>;
}

export type CommitOutcome =
  | { readonly status: 'committed' }
  /** Another node claimed one of the lanes meanwhile, or it is gone. */
  | { readonly status: 'fenced' }
  /** The store would not have these rows, and trying again will not help. */
  | { readonly status: 'refused'; readonly error: unknown };

export interface LaneStatus extends Omit<ProjectionStatus, 'lag' | 'state'> {
  /** Of the fold that it is built with. */
  readonly version: number;
  /** `parked` still serves what it has; `parked_rebuild` never served. */
  readonly state: ProjectionStatus['state'] | 'parked_rebuild';
}

export type Fold = Pick<Projection, 'name' | 'version'>;

/** Where projections keep their rows and how far they are. Throws `StoreUnavailable`. */
export interface ProjectionStore {
  /** First generations of projections that have none; new ones where the fold's version rose. Throws where a newer engine's serves. */
  prepare(folds: readonly Fold[]): Promise<void>;
  /** Takes every lane of these very folds that is free, the owner's own, or left by a node that died. */
  claim(folds: readonly Fold[], lease: { readonly owner: string; readonly leaseMs: number }): Promise<readonly Lane[]>;
  /** By projection and key; of each projection at most one lane. */
  load(wanted: readonly LaneKeys[]): Promise<ReadonlyMap<string, ReadonlyMap<string, unknown>>>;
  /** All or nothing, rows and positions together. */
  commit(writes: readonly LaneWrites[], leaseMs: number): Promise<CommitOutcome>;
  /** False: the lane is no longer the caller's. */
  park(lane: Lane, error: string): Promise<boolean>;
  /** The new generation serves from here on. False: it is behind the one that serves, and readers never go back in time. */
  swap(lane: Lane): Promise<boolean>;
  /** A new generation beside the one that serves; one that was still being built is thrown away. Returns its number. */
  rebuild(fold: Fold): Promise<number>;
  /** Deletes up to `limit` rows of generations that are gone. Returns how many there were. */
  sweep(limit: number): Promise<number>;
  /** The lowest position of those that serve and are not parked; null: there is none. */
  reached(folds: readonly Fold[]): Promise<number | null>;
  list(): Promise<readonly LaneStatus[]>;
  /** Lets go, so that another node need not wait for the lease. */
  release(owner: string): Promise<void>;
}

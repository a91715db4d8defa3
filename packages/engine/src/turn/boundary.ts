export type Boundary =
  /** The sentence is `open.slice(0, end)`. */
  | { readonly type: 'end'; readonly end: number; readonly insideFence: boolean }
  /** Not over yet, or undecided before more text comes: `open.slice(0, certain)` belongs to it either way. */
  | { readonly type: 'open'; readonly certain: number; readonly scanned: number };

export interface Scan {
  readonly open: string;
  readonly scanned: number;
  readonly insideFence: boolean;
}

/** The WEBRTC_* variables, read. */
export interface TurnSettings {
  /** `single-port`: browsers need one open port. `port-range`: relay ports are among the open ones, as in the predecessor. */
  readonly layout: 'single-port' | 'port-range';
  /** The relay listens here, UDP and TCP. */
  readonly portMin: number;
  readonly portMax: number;
  /** Address or name that browsers reach the relay by. */
  readonly publicHost: string;
  /** Browsers are on this machine alone. */
  readonly loopbackOnly: boolean;
  /** A TURN server of the operator's, e.g. `turn:203.0.113.7:10110`; null: the embedded one. */
  readonly server: string | null;
  /** A fixed user instead of one for each session. */
  readonly user: { readonly username: string; readonly password: string } | null;
  /** Null: `turn.key` in the data folder. */
  readonly secretFile: string | null;
  readonly engineRelay: boolean;
  /** Null: chosen by `planOf`. */
  readonly mediaAddress: string | null;
  /** Inclusive. */
  readonly mediaPorts: readonly [number, number];
  /** Null: the media address. */
  readonly relayAddress: string | null;
}

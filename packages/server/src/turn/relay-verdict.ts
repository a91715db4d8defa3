import type { AllocateOutcome } from './allocate.ts';
import type { TurnPlan } from './plan.ts';

/** What an Allocate tried from here says about the relay; `fix` null: all is well. */
export interface RelayVerdict {
  readonly found: string;
  readonly fix: string | null;
}

export function verdictOn(outcome: AllocateOutcome, plan: TurnPlan): RelayVerdict {
  const at = plan.localUrl;
  switch (outcome.status) {
    case 'silent':
      return {
        found: `the TURN server at ${at} cannot be used: ${outcome.reason}`,
        fix: 'start it, and check WEBRTC_TURN_SERVER and the firewall',
      };
    case 'refused':
      return refusal(outcome.code, at);
    case 'allocated': {
      const [min, max] = plan.relayPorts;
      const { address = 'no IPv4 address', port = 0 } = outcome.relay ?? {};
      if (address !== plan.relayAddress)
        return {
          found: `the TURN server at ${at} relays from ${address}, but the engine knows ${plan.relayAddress}`,
          fix: `set relay-ip=${plan.relayAddress} and no external-ip there, or WEBRTC_RELAY_ADDRESS here (\`vtutor turn-config\` prints a right configuration)`,
        };
      if (port < min || port > max)
        return {
          found: `the TURN server at ${at} relays from port ${port}, outside ${min}-${max}`,
          fix: `set min-port=${min} and max-port=${max} there`,
        };
      return { found: `${at} relays from ${address}, ports ${min}-${max}`, fix: null };
    }
  }
}

/** A credential of five minutes is late there already, one of a day is not. */
export function clocksDiffer({ localUrl }: TurnPlan): RelayVerdict {
  return { found: `the clock of the TURN server at ${localUrl} is minutes ahead of this machine's`, fix: 'set both by NTP' };
}

function refusal(code: number, at: string): RelayVerdict {
  if (code === 486 || code === 508)
    return { found: `every relay port of ${at} is in use`, fix: 'wait until lessons end, or use WEBRTC_LAYOUT=single-port' };
  if (code === 401 || code === 403 || code === 441)
    return {
      found: `the TURN server at ${at} refuses the engine's credentials`,
      fix: "its static-auth-secret must be the engine's (WEBRTC_TURN_SECRET_FILE, or turn.key in DATA_DIR), and both clocks must be right",
    };
  return { found: `the TURN server at ${at} answers with error ${code}`, fix: 'see its log' };
}

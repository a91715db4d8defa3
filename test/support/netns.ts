import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { chromiumPath } from './loud-skip.ts';

/** Two network namespaces and one cable between them, on which a firewall lets the named ports pass and counts the rest. */
export interface Cable extends AsyncDisposable {
  /** Where the engine is: its address on the cable, and the words that run a program there. */
  readonly engine: Side;
  readonly browser: Side;
  /** Packets since the start, in both directions together. */
  counts(): Counts;
  /** A program that starts Chromium on the browser's side. */
  readonly chromium: string;
}

export interface Side {
  readonly address: string;
  /** Puts a command into the namespace: `[program, ...args]`. */
  within(command: readonly string[]): readonly [string, ...string[]];
}

export interface Counts {
  /** On the TURN ports. */
  readonly turnUdp: number;
  readonly turnTcp: number;
  readonly api: number;
  /** On any other port: dropped. */
  readonly otherUdp: number;
  readonly otherTcp: number;
}

export interface CableOptions {
  /** UDP ports that pass, as nft writes them: `10110` or `10110-10115`. */
  readonly udp: string;
  /** TCP port of the TURN server that passes; null: none. */
  readonly turnTcp: number | null;
  readonly apiPort: number;
}

const prefix = 'vtut';
let cables = 0;

function sh(program: string, args: readonly string[], input?: string): string {
  const done = spawnSync(program, args, { encoding: 'utf8', input });
  if (done.status !== 0) throw new Error(`${program} ${args.join(' ')}: ${done.stderr}`);
  return done.stdout;
}

/** Whether this machine lets us make namespaces and firewalls. */
export const namespacesAvailable = ((): boolean => {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  const name = `${prefix}-${process.pid}-probe`;
  if (spawnSync('ip', ['netns', 'add', name]).status !== 0) return false;
  const works = spawnSync('ip', ['netns', 'exec', name, 'nft', 'add', 'table', 'inet', 'probe']).status === 0;
  spawnSync('ip', ['netns', 'del', name]);
  return works;
})();

export function openCable(options: CableOptions): Cable {
  sweep();
  cables += 1;
  const id = `${prefix}-${process.pid}-${cables}`;
  const folder = mkdtempSync(join(tmpdir(), `${prefix}-`));
  const engine = sideOf(`${id}-e`, '10.77.0.1');
  const browser = sideOf(`${id}-b`, '10.77.0.2');
  const close = () => {
    for (const { name } of [engine, browser]) removeNamespace(name);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    for (const { name } of [engine, browser]) {
      sh('ip', ['netns', 'add', name]);
      // Neighbour discovery would be traffic that nobody asked for.
      sh('ip', ['netns', 'exec', name, 'sysctl', '-qw', 'net.ipv6.conf.default.disable_ipv6=1']);
    }
    sh('ip', ['-n', engine.name, 'link', 'add', 'cable', 'type', 'veth', 'peer', 'name', 'cable', 'netns', browser.name]);
    for (const { name, address } of [engine, browser]) {
      sh('ip', ['-n', name, 'link', 'set', 'lo', 'up']);
      sh('ip', ['-n', name, 'address', 'add', `${address}/24`, 'dev', 'cable']);
      sh('ip', ['-n', name, 'link', 'set', 'cable', 'up']);
    }
    sh('ip', ['netns', 'exec', engine.name, 'nft', '-f', '-'], firewall(options));
  } catch (error) {
    close();
    throw error;
  }
  const program = join(folder, 'chromium');
  writeFileSync(program, `#!/bin/sh\nexec ip netns exec ${browser.name} ${chromiumPath} "$@"\n`);
  chmodSync(program, 0o755);
  return {
    engine,
    browser,
    chromium: program,
    counts: () => countsOf(engine.name),
    [Symbol.asyncDispose]: async () => close(),
  };
}

/** A namespace of its own without a cable, that has these addresses. */
export function openNamespace(addresses: readonly string[]): Pick<Side, 'within'> & AsyncDisposable {
  sweep();
  cables += 1;
  const side = sideOf(`${prefix}-${process.pid}-${cables}-n`, '127.0.0.1');
  sh('ip', ['netns', 'add', side.name]);
  try {
    sh('ip', ['-n', side.name, 'link', 'set', 'lo', 'up']);
    for (const address of addresses) sh('ip', ['-n', side.name, 'address', 'add', address, 'dev', 'lo']);
  } catch (error) {
    removeNamespace(side.name);
    throw error;
  }
  return { within: side.within, [Symbol.asyncDispose]: async () => removeNamespace(side.name) };
}

function sideOf(name: string, address: string): Side & { readonly name: string } {
  return { name, address, within: (command) => ['ip', 'netns', 'exec', name, ...command] };
}

/** At the engine's end of the cable: what the browser sends, dropped or not, comes past here, and so does every answer. */
function firewall({ udp, turnTcp, apiPort }: CableOptions): string {
  const rules = (way: 'sport' | 'dport') => `
    udp ${way} ${udp} counter name turnUdp accept
    tcp ${way} ${apiPort} counter name api accept
    ${turnTcp === null ? '' : `tcp ${way} ${turnTcp} counter name turnTcp accept`}
    meta l4proto udp counter name otherUdp drop
    meta l4proto tcp counter name otherTcp drop
    meta l4proto icmp accept
    drop`;
  return `table inet cable {
  counter turnUdp {}
  counter turnTcp {}
  counter api {}
  counter otherUdp {}
  counter otherTcp {}
  chain in {
    type filter hook prerouting priority 0; policy accept;
    iifname != "cable" accept
    ${rules('dport')}
  }
  chain out {
    type filter hook output priority 0; policy accept;
    oifname != "cable" accept
    ${rules('sport')}
  }
}
`;
}

const NftCounters = z.object({
  nftables: z.array(z.object({ counter: z.object({ name: z.string(), packets: z.number() }).optional() })),
});

function countsOf(name: string): Counts {
  const listed = NftCounters.parse(JSON.parse(sh('ip', ['netns', 'exec', name, 'nft', '-j', 'list', 'counters'])));
  const packets = new Map(
    listed.nftables.flatMap(({ counter }) => (counter === undefined ? [] : [[counter.name, counter.packets] as const])),
  );
  const of = (counter: string) => packets.get(counter) ?? 0;
  return { turnUdp: of('turnUdp'), turnTcp: of('turnTcp'), api: of('api'), otherUdp: of('otherUdp'), otherTcp: of('otherTcp') };
}

/** With all that still runs in it. */
function removeNamespace(name: string): void {
  const pids = spawnSync('ip', ['netns', 'pids', name], { encoding: 'utf8' });
  for (const pid of pids.status === 0
    ? pids.stdout
        .split('\n')
        .map(Number)
        .filter((one) => one > 1)
    : []) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended by itself.
    }
  }
  spawnSync('ip', ['netns', 'del', name]);
}

/** Namespaces of test runs that were killed. */
function sweep(): void {
  const listed = spawnSync('ip', ['netns', 'list'], { encoding: 'utf8' }).stdout ?? '';
  for (const [name, pid] of listed.matchAll(new RegExp(`^${prefix}-(\\d+)-\\S+`, 'gm'))) {
    try {
      process.kill(Number(pid), 0);
    } catch {
      removeNamespace(name);
    }
  }
}

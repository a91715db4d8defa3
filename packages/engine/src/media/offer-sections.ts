import { OfferRefused } from './ports.ts';

export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

/** One `m=` section of an offer, read. */
export interface Section {
  readonly kind: 'audio' | 'video';
  readonly mid: string;
  readonly direction: Direction;
  /** Its own lines, the `m=` line among them. */
  readonly lines: readonly string[];
  /** Payload types of one `name/clock` in the order of preference. */
  payloadTypesOf(codec: string): readonly string[];
  /** The `fmtp` of one payload type; '' when there is none. */
  parametersOf(payloadType: string): string;
}

/** Throws `OfferRefused`. */
export function offeredSections(lines: readonly string[]): { readonly session: readonly string[]; readonly sections: readonly Section[] } {
  const starts = lines.flatMap((line, at) => (line.startsWith('m=') ? [at] : []));
  const sections = starts.map((start, nth) => readSection(lines.slice(start, starts[nth + 1])));
  if (new Set(sections.map(({ mid }) => mid)).size !== sections.length)
    throw new OfferRefused('malformed', 'each section has a mid of its own');
  return { session: lines.slice(0, starts[0]), sections };
}

function readSection(lines: readonly string[]): Section {
  const [, kind, port, types = ''] = /^m=(audio|video) (\d{1,5}) UDP\/TLS\/RTP\/SAVPF((?: \d{1,3}){1,128})$/.exec(lines[0] ?? '') ?? [];
  if (kind !== 'audio' && kind !== 'video') {
    throw new OfferRefused('unsupported_media', 'a section is audio or video over UDP/TLS/RTP/SAVPF');
  }
  if (Number(port) === 0 && !lines.includes('a=bundle-only')) throw new OfferRefused('unsupported_media', 'a section is stopped');
  const mids = lines.flatMap((line) => /^a=mid:([\w-]{1,16})$/.exec(line)?.[1] ?? []);
  const [mid] = mids;
  if (mid === undefined || mids.length !== 1) throw new OfferRefused('malformed', 'a section has one mid');
  const payloadTypes = types.trim().split(' ');
  const codecs = attributesOf(lines, 'rtpmap');
  const parameters = attributesOf(lines, 'fmtp');
  return {
    kind,
    mid,
    direction: directionOf(lines),
    lines,
    payloadTypesOf: (codec) => payloadTypes.filter((type) => codecs.get(type)?.toLowerCase() === codec.toLowerCase()),
    parametersOf: (payloadType) => parameters.get(payloadType) ?? '',
  };
}

/** By payload type. */
function attributesOf(lines: readonly string[], name: 'rtpmap' | 'fmtp'): ReadonlyMap<string, string> {
  return new Map(
    lines.flatMap((line) => {
      const [, type, value] = new RegExp(`^a=${name}:(\\d{1,3}) (.+)$`).exec(line) ?? [];
      return type === undefined || value === undefined ? [] : [[type, value] as const];
    }),
  );
}

function directionOf(lines: readonly string[]): Direction {
  if (lines.includes('a=sendonly')) return 'sendonly';
  if (lines.includes('a=recvonly')) return 'recvonly';
  return lines.includes('a=inactive') ? 'inactive' : 'sendrecv';
}

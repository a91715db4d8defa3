import type { EvidenceLine } from './contract.ts';
import { LinkLost } from './errors.ts';
import { readLive } from './live-reader.ts';
import type { Api } from './transport.ts';

export interface ExportOptions {
  /** Without words and passages; it still verifies. */
  readonly redacted?: boolean;
  readonly signal?: AbortSignal;
}

/** The text of a pack; after a lost connection it begins anew. */
export async function exportEvidence(api: Api, sessionId: string, { redacted = false, signal }: ExportOptions): Promise<string> {
  let lines: string[] = [];
  const said = readLive<EvidenceLine>((handlers) => api.audit.export.subscribe({ sessionId, redacted }, handlers), {
    signal,
    isOver: () => false,
  });
  for await (const line of said) {
    if (line.kind === 'pack') lines = [];
    lines.push(JSON.stringify(line));
    if (line.kind === 'end') return `${lines.join('\n')}\n`;
  }
  throw new LinkLost('the engine stopped before the end of the pack');
}

/** The small Markdown that tutors write. Data only: whoever shows it decides on elements, so no reply can become HTML. */
export type Inline =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'code'; readonly text: string }
  | { readonly type: 'strong' | 'emphasis'; readonly inlines: readonly Inline[] }
  /** A bracket with numbers, e.g. `[1, 2]`; numbers count from 1. */
  | { readonly type: 'citations'; readonly numbers: readonly number[] };

export type Block =
  | { readonly type: 'paragraph' | 'heading' | 'quote'; readonly inlines: readonly Inline[] }
  | { readonly type: 'list'; readonly ordered: boolean; readonly start: number; readonly items: readonly (readonly Inline[])[] }
  | { readonly type: 'code'; readonly text: string };

const bullet = /^\s{0,3}[-*+•]\s+(.*)$/u;
const numbered = /^\s{0,3}(\d{1,4})(?:[.)]\s+|、\s*)(\S.*)$/u;
const heading = /^#{1,6}\s+(.*)$/;
const quote = /^>\s?(.*)$/;
const fence = /^\s{0,3}```/;

/** Cheap enough to run on every piece of a growing reply: one pass over the lines. */
export function parseMarkdown(text: string): readonly Block[] {
  const lines = text.replaceAll('\r\n', '\n').split('\n');
  const blocks: Block[] = [];
  let at = 0;
  while (at < lines.length) {
    const [block, next] = readBlock(lines, at);
    if (block !== null) blocks.push(block);
    at = next;
  }
  return blocks;
}

type Read = readonly [block: Block | null, next: number];

function readBlock(lines: readonly string[], at: number): Read {
  const line = lines[at] ?? '';
  if (line.trim() === '') return [null, at + 1];
  if (fence.test(line)) return readCode(lines, at + 1);
  if (bullet.test(line)) return readList(lines, at, bullet);
  if (numbered.test(line)) return readList(lines, at, numbered);
  const title = heading.exec(line);
  if (title !== null) return [{ type: 'heading', inlines: parseInlines(title[1] ?? '') }, at + 1];
  if (quote.test(line)) {
    const end = endOfRun(lines, at, (candidate) => quote.test(candidate));
    const quoted = lines.slice(at, end).map((part) => quote.exec(part)?.[1] ?? '');
    return [{ type: 'quote', inlines: parseInlines(quoted.join('\n')) }, end];
  }
  const end = endOfRun(lines, at, isPlain);
  return [{ type: 'paragraph', inlines: parseInlines(lines.slice(at, end).join('\n')) }, end];
}

function readCode(lines: readonly string[], from: number): Read {
  const end = endOfRun(lines, from, (line) => !fence.test(line));
  return [{ type: 'code', text: lines.slice(from, end).join('\n') }, end + 1];
}

function readList(lines: readonly string[], at: number, marker: RegExp): Read {
  const ordered = marker === numbered;
  const start = ordered ? Number(numbered.exec(lines[at] ?? '')?.[1] ?? 1) : 1;
  const end = endOfRun(lines, at, (line) => marker.test(line));
  const items = lines.slice(at, end).map((line) => parseInlines(marker.exec(line)?.[ordered ? 2 : 1] ?? ''));
  return [{ type: 'list', ordered, start, items }, end];
}

function isPlain(line: string): boolean {
  return line.trim() !== '' && ![fence, bullet, numbered, heading, quote].some((pattern) => pattern.test(line));
}

/** First line at or after `from` that does not belong to the run. */
function endOfRun(lines: readonly string[], from: number, belongs: (line: string) => boolean): number {
  const length = lines.slice(from).findIndex((line) => !belongs(line));
  return length === -1 ? lines.length : from + length;
}

const inlinePattern =
  /`(?<code>[^`\n]+)`|\*\*(?<strong>[^*\n]+(?:\*[^*\n]+\*[^*\n]*)*)\*\*|(?<![\p{L}\p{N}*])\*(?<emphasis>[^*\s](?:[^*\n]*[^*\s])?)\*(?![\p{L}\p{N}*])|\[(?<numbers>\d{1,3}(?:[,，、] ?\d{1,3}){0,9})\]/gu;

export function parseInlines(text: string): readonly Inline[] {
  const inlines: Inline[] = [];
  let end = 0;
  for (const match of text.matchAll(inlinePattern)) {
    if (match.index > end) inlines.push({ type: 'text', text: text.slice(end, match.index) });
    inlines.push(inlineOf(match.groups ?? {}, match[0]));
    end = match.index + match[0].length;
  }
  if (end < text.length) inlines.push({ type: 'text', text: text.slice(end) });
  return inlines;
}

function inlineOf({ code, strong, emphasis, numbers }: Readonly<Record<string, string | undefined>>, whole: string): Inline {
  if (code !== undefined) return { type: 'code', text: code };
  if (strong !== undefined) return { type: 'strong', inlines: parseInlines(strong) };
  if (emphasis !== undefined) return { type: 'emphasis', inlines: parseInlines(emphasis) };
  if (numbers !== undefined) return { type: 'citations', numbers: numbers.split(/[,，、] ?/u).map(Number) };
  return { type: 'text', text: whole };
}

/** The first heading, without its marks. */
export function headingOf(text: string): string | null {
  const found = /^#{1,6}[ \t]+(.+)$/m.exec(text)?.[1];
  return found === undefined ? null : spokenText(found);
}

/** What a screen reader says of a sentence: its words without marks and citation numbers. */
export function spokenText(sentence: string): string {
  return parseMarkdown(sentence)
    .map((block) => {
      if (block.type === 'code') return block.text;
      return block.type === 'list' ? block.items.map(wordsOf).join(' ') : wordsOf(block.inlines);
    })
    .join(' ')
    .replace(/\s+/gu, ' ')
    .trim();
}

function wordsOf(inlines: readonly Inline[]): string {
  return inlines
    .map((inline) => {
      if (inline.type === 'citations') return '';
      return 'inlines' in inline ? wordsOf(inline.inlines) : inline.text;
    })
    .join('');
}

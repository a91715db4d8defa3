import type { Passage } from '@virtual-tutor/sdk';
import { type ReactNode, useMemo } from 'react';
import { type Block, type Inline, parseMarkdown } from '../markdown.ts';
import { useSpeech } from '../texts/use-language.tsx';
import { nameOfPassage } from './passage-name.ts';

export interface Citing {
  readonly passages: readonly Passage[];
  /** `number` counts from 1. */
  readonly onOpen: (number: number) => void;
}

/** Marks that only become clear with the next letters, at the end of text in the making. */
const halfMark = /(?:\[[\d,，、 ]*|\*{1,2}|`{1,2})$/u;

/** Keys are places: parts of a growing text only ever change at the end. */
export function RichText({
  text,
  growing = false,
  citing,
}: {
  readonly text: string;
  readonly growing?: boolean;
  readonly citing?: Citing;
}) {
  const blocks = useMemo(() => parseMarkdown(growing ? text.replace(halfMark, '') : text), [text, growing]);
  return (
    <div className={growing ? 'rich-text growing' : 'rich-text'}>
      {blocks.map((block, at) => (
        <BlockView key={at} block={block} citing={citing} />
      ))}
    </div>
  );
}

function BlockView({ block, citing }: { readonly block: Block; readonly citing: Citing | undefined }) {
  switch (block.type) {
    case 'paragraph':
      return <p>{inlineViews(block.inlines, citing)}</p>;
    case 'heading':
      return <p className="rich-heading">{inlineViews(block.inlines, citing)}</p>;
    case 'quote':
      return <blockquote>{inlineViews(block.inlines, citing)}</blockquote>;
    case 'code':
      return (
        <pre>
          <code>{block.text}</code>
        </pre>
      );
    case 'list':
      return <ListView block={block} citing={citing} />;
  }
}

function ListView({ block, citing }: { readonly block: Extract<Block, { type: 'list' }>; readonly citing: Citing | undefined }) {
  const items = block.items.map((inlines, at) => <li key={at}>{inlineViews(inlines, citing)}</li>);
  return block.ordered ? <ol start={block.start}>{items}</ol> : <ul>{items}</ul>;
}

function inlineViews(inlines: readonly Inline[], citing: Citing | undefined): ReactNode[] {
  return inlines.map((inline, at) => <InlineView key={at} inline={inline} citing={citing} />);
}

function InlineView({ inline, citing }: { readonly inline: Inline; readonly citing: Citing | undefined }): ReactNode {
  switch (inline.type) {
    case 'text':
      return inline.text;
    case 'code':
      return <code>{inline.text}</code>;
    case 'strong':
      return <strong>{inlineViews(inline.inlines, citing)}</strong>;
    case 'emphasis':
      return <em>{inlineViews(inline.inlines, citing)}</em>;
    case 'citations':
      return <Citations numbers={inline.numbers} citing={citing} />;
  }
}

function Citations({ numbers, citing }: { readonly numbers: readonly number[]; readonly citing: Citing | undefined }) {
  const { say } = useSpeech();
  const known = numbers.filter((number) => citing?.passages[number - 1] !== undefined);
  if (citing === undefined || known.length === 0) return `[${numbers.join(', ')}]`;
  return known.map((number) => (
    <button
      key={number}
      type="button"
      className="citation"
      aria-label={say('openPassage', { number, title: nameOfPassage(citing.passages[number - 1], say('untitled')) })}
      onClick={() => citing.onOpen(number)}
    >
      <span>{number}</span>
    </button>
  ));
}

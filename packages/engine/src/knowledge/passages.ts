import { createHash } from 'node:crypto';
import { type DocumentMime, PassageId } from '@virtual-tutor/schemas';
import type { Passage } from '../ports.ts';
import { sentencesOf } from '../turn/sentences.ts';

/** Goes into `DocumentIndexed`. Change it with every change of the cuts: the same version cuts the same text the same way forever. */
export const splitterVersion = 'passages-1';

/** A section longer than this is cut into passages of about equal length, characters. */
const longestPassage = 1_000;

export interface DocumentText {
  readonly documentId: string;
  readonly title: string;
  readonly mime: DocumentMime;
  readonly text: string;
}

/**
 * Cuts a document at its headings, then long sections between sentences. Every passage is an exact
 * slice of the text, without the white space around it. None: the document holds no words.
 */
export function splitDocument(document: DocumentText): readonly Passage[] {
  const text = document.text.replace(/^\ufeff/, '').replaceAll(/\r\n?/g, '\n');
  const sections = document.mime === 'text/markdown' ? markdownSections(text) : [text];
  return sections
    .flatMap(passagesOfSection)
    .map((slice) => slice.trim())
    .filter((slice) => /[\p{L}\p{N}]/u.test(slice))
    .map((slice, ordinal) => ({
      passageId: PassageId.parse(`${document.documentId}#${ordinal}`),
      documentId: document.documentId,
      title: document.title,
      text: slice,
      contentHash: createHash('sha256').update(slice).digest('hex'),
    }));
}

/** The text cut before every heading; a heading without text of its own stays with what follows. */
function markdownSections(text: string): readonly string[] {
  const sections: string[] = [];
  let section = '';
  let hasText = false;
  let insideFence = false;
  for (const line of text.split(/(?<=\n)/)) {
    if (/^[ \t]*(?:```|~~~)/.test(line)) insideFence = !insideFence;
    const isHeading = !insideFence && /^#{1,6}\s/.test(line);
    if (isHeading && hasText) {
      sections.push(section);
      section = '';
      hasText = false;
    }
    section += line;
    hasText ||= !isHeading && line.trim() !== '';
  }
  return [...sections, section];
}

function passagesOfSection(section: string): readonly string[] {
  const count = Math.ceil(section.trim().length / longestPassage);
  if (count <= 1) return [section];
  const passages: string[] = [];
  let passage = '';
  for (const unit of units(section)) {
    const overflows = passage.length + unit.length > longestPassage;
    if (passage !== '' && (overflows || passage.length >= section.length / count)) {
      passages.push(passage);
      passage = '';
    }
    passage += unit;
  }
  return [...passages, passage];
}

/** Slices that stay whole: sentences. A line that simply wraps ends none. */
function units(section: string): readonly string[] {
  const unwrapped = section.replaceAll(/(?<=[^\n])\n(?=[^\n\s#>|*+\-\d`~])/g, ' ');
  let at = 0;
  return sentencesOf(unwrapped).map((sentence) => {
    const from = at;
    at += sentence.length;
    return section.slice(from, at);
  });
}

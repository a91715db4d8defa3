import type { Passage } from '@virtual-tutor/sdk';
import { headingOf } from '../markdown.ts';

/** Its document, and its own heading where that says more: two passages of one document are told apart. */
export function nameOfPassage(passage: Passage | undefined, untitled: string): string {
  const title = passage?.title ?? untitled;
  const heading = headingOf(passage?.text ?? '');
  return heading === null || heading === title ? title : `${title} · ${heading}`;
}

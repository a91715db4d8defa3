import { expect, test } from 'vitest';
import { sniff } from './sniff.ts';

const bytes = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

test.each([
  ['MP4', '\0\0\0\x18ftypisom\0\0\x02\0isommp42', 'mp4'],
  ['QuickTime', '\0\0\0\x14ftypqt  \0\0\0\0qt  ', 'mp4'],
  ['3GP', '\0\0\0\x14ftyp3gp4\0\0\0\x003gp4', 'mp4'],
  ['WebM', '\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm\x42\x87\x81\x04', 'webm'],
  ['Matroska of a header of unknown length', '\x1a\x45\xdf\xa3\x01\xff\xff\xff\xff\xff\xff\xff\x42\x82\x88matroska', 'webm'],
  ['Matroska with a padded name', '\x1a\x45\xdf\xa3\x8f\x42\x82\x8amatroska\0\0', 'webm'],
  ['PNG', '\x89PNG\r\n\x1a\n\0\0\0\rIHDR', 'png'],
  ['JPEG', '\xff\xd8\xff\xe0\0\x10JFIF', 'jpeg'],
  ['a folder of the predecessor', `coords.pkl${'\0'.repeat(247)}ustar\x0000${'\0'.repeat(247)}`, 'legacy'],
])('%s is known by its content', (_, head, container) => {
  expect(sniff(bytes(head))).toBe(container);
});

test.each([
  ['nothing', ''],
  ['HEIC', '\0\0\0\x18ftypheic\0\0\0\0mif1heic'],
  ['HEIC sequence', '\0\0\0\x18ftyphevc\0\0\0\0hevcmsf1'],
  ['AVIF', '\0\0\0\x18ftypavif\0\0\0\0mif1avif'],
  ['JPEG 2000', '\0\0\0\x14ftypjp2 \0\0\0\0jp2 '],
  ['a brand that is no text', '\0\0\0\x14ftyp\x01\x02\x03\x04\0\0\0\0isom'],
  ['a file type of no size', '\0\0\0\x04ftypisom\0\0\0\0isom'],
  ['EBML of another kind', '\x1a\x45\xdf\xa3\x87\x42\x82\x84mkvx'],
  ['EBML without a kind', '\x1a\x45\xdf\xa3\x84\x42\x86\x81\x01'],
  ['EBML of an endless element', '\x1a\x45\xdf\xa3\xff\x42\x86\x01\xff\xff\xff\xff\xff\xff\xff'],
  ['EBML of noughts', '\x1a\x45\xdf\xa3\0\0\0\0\0\0\0\0'],
  ['a playlist', '#EXTM3U\n#EXT-X-VERSION:3\n'],
  ['a playlist that begins like a film', '#EXTftypisom\n'],
  ['AVI', 'RIFF\0\0\0\0AVI LIST'],
  ['MPEG-TS', `G@\0\x10${'\xff'.repeat(184)}G@`],
  ['another archive', `notes.txt\0${'\0'.repeat(247)}ustar\x0000${'\0'.repeat(247)}`],
  ['something named like the predecessor’s boxes', `coords.pkl${'\0'.repeat(500)}`],
  ['Flash', 'FLV\x01\x05\0\0\0\x09'],
])('%s is no clip', (_, head) => {
  expect(sniff(bytes(head))).toBeNull();
});

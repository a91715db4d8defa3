import { expect, test } from 'vitest';
import { candidatesFor } from './voices.ts';

function engines(wanted: Parameters<typeof candidatesFor>[0]): readonly string[] {
  return candidatesFor(wanted).map(({ engine, voice }) => `${engine}/${voice ?? 'usual'}`);
}

test.for([
  ['en', null, null, ['flite/usual', 'espeak-ng/usual']],
  ['zh', null, null, ['espeak-ng/usual']],
  ['en', 'rms', null, ['flite/rms', 'espeak-ng/usual']],
  ['en', 'en-gb', null, ['espeak-ng/en-gb', 'flite/usual']],
  ['zh', 'cmn', null, ['espeak-ng/cmn']],
  ['zh', 'cmn+f2', null, ['espeak-ng/cmn+f2']],
  // A voice of the other language is no voice for this sentence.
  ['zh', 'rms', null, ['espeak-ng/usual']],
  ['en', 'cmn', null, ['flite/usual', 'espeak-ng/usual']],
  ['en', 'nonsense', null, ['flite/usual', 'espeak-ng/usual']],
  // A tutor's Edge voice sends nothing anywhere unless the operator allowed Edge.
  ['zh', 'zh-CN-XiaoxiaoNeural', null, ['espeak-ng/usual']],
  ['zh', 'zh-CN-YunxiNeural', 'zh-CN-XiaoxiaoNeural', ['edge/zh-CN-YunxiNeural', 'espeak-ng/usual']],
  ['zh', null, 'zh-CN-XiaoxiaoNeural', ['edge/zh-CN-XiaoxiaoNeural', 'espeak-ng/usual']],
  ['en', null, 'zh-CN-XiaoxiaoNeural', ['flite/usual', 'espeak-ng/usual']],
  ['en', null, 'en-US-AvaMultilingualNeural', ['edge/en-US-AvaMultilingualNeural', 'flite/usual', 'espeak-ng/usual']],
  ['zh', null, 'en-US-AvaMultilingualNeural', ['edge/en-US-AvaMultilingualNeural', 'espeak-ng/usual']],
  ['en', 'slt', 'en-US-AriaNeural', ['flite/slt', 'edge/en-US-AriaNeural', 'espeak-ng/usual']],
  ['zh', null, 'zh-CN-liaoning-XiaobeiNeural', ['edge/zh-CN-liaoning-XiaobeiNeural', 'espeak-ng/usual']],
] as const)('%s with the voice %j, Edge allowed with %j: %j', ([language, voice, edgeVoice, expected]) => {
  expect(engines({ language, voice, edgeVoice })).toEqual(expected);
});

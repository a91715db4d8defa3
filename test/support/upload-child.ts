/*
 * A process that receives an upload until it is killed: `node upload-child.ts FOLDER ID BYTES`. Goes on where the folder says,
 * a chunk a millisecond, and says `done` at the end.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { UploadStore } from '../../packages/server/src/avatars/upload-store.ts';
import { uploadContent, uploadLimits } from './upload-content.ts';

const [folder = '', uploadId = '', bytes = ''] = process.argv.slice(2);
const content = uploadContent(Number(bytes));
const store = await UploadStore.open(folder, uploadLimits);
const { offset } = await store.begin({ uploadId, expectedBytes: content.length });

async function* slowly(): AsyncGenerator<Uint8Array> {
  for (let from = offset; from < content.length; from += 50_000) {
    yield content.subarray(from, from + 50_000);
    await sleep(1);
  }
}

await store.append({ uploadId, offset, bytes: slowly() });
process.stdout.write('done\n');

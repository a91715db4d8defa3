import { constants, fstatSync, readSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { AVERROR_EIO, AVERROR_EXIT, AVSEEK_CUR, AVSEEK_END, AVSEEK_SIZE } from 'node-av/constants';
import { IOContext } from 'node-av/lib';
import { type ClipContainer, ClipRefused } from '../avatar/source/clip.ts';
import { sniff, sniffedBytes } from '../avatar/source/sniff.ts';

/** A clip's file, open. Everything about the clip is read through it: its name is never used again. */
export interface ClipFile extends AsyncDisposable {
  readonly container: ClipContainer;
  readonly bytes: number;
  /** Fewer bytes at the end of the file. */
  read(at: number, length: number): Buffer;
}

/** Throws `not_a_video`, and the system's own error when the file cannot be opened. */
export async function openClipFile(path: string): Promise<ClipFile> {
  // Without waiting: a pipe in place of the file would have no writer.
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    return sniffed(handle);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function sniffed(handle: FileHandle): ClipFile {
  const stat = fstatSync(handle.fd);
  if (!stat.isFile()) throw new ClipRefused('not_a_video');

  function read(at: number, length: number): Buffer {
    const buffer = Buffer.alloc(Math.max(0, Math.min(length, stat.size - at)));
    let filled = 0;
    while (filled < buffer.length) {
      const got = readSync(handle.fd, buffer, filled, buffer.length - filled, at + filled);
      if (got === 0) break;
      filled += got;
    }
    return buffer.subarray(0, filled);
  }

  const container = sniff(read(0, sniffedBytes));
  if (container === null) throw new ClipRefused('not_a_video');
  return { container, bytes: stat.size, read, [Symbol.asyncDispose]: () => handle.close() };
}

/**
 * FFmpeg's buffer for reading; what is larger, such as a key frame, goes past it. Kept small because it is never freed: avio_context_free
 * leaves the buffer to its caller, and node-av 6.1.1 does not free it either.
 */
const bufferBytes = 16 * 1024;
/** A demuxer sees every byte once or twice; one that reads more goes round in circles. */
const readings = 4;
const allowedBytes = 64 * 1024 * 1024;

/**
 * FFmpeg reads the file through this and through nothing else: no protocol is involved, and so no file name and no host can be.
 * Only for asynchronous calls. Free it after the context that reads.
 */
export function readingContext(file: ClipFile, signal: AbortSignal): IOContext {
  let position = 0;
  let left = file.bytes * readings + allowedBytes;
  const io = new IOContext();

  function read(size: number): Buffer | number | null {
    if (signal.aborted) return AVERROR_EXIT;
    left -= size;
    if (left < 0) return AVERROR_EIO;
    const bytes = file.read(position, size);
    position += bytes.length;
    return bytes.length === 0 ? null : bytes;
  }

  function seek(offset: bigint, whence: number): bigint {
    if (whence === AVSEEK_SIZE) return BigInt(file.bytes);
    const from = whence === AVSEEK_CUR ? position : whence === AVSEEK_END ? file.bytes : 0;
    position = Math.max(0, Math.min(from + Number(offset), file.bytes));
    return BigInt(position);
  }

  io.allocContextWithCallbacks(bufferBytes, 0, read, null, seek);
  return io;
}

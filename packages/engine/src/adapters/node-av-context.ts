import { AV_LOG_QUIET } from 'node-av/constants';
import { type Codec, CodecContext, FFmpegError, Log } from 'node-av/lib';

// FFmpeg writes its log to stderr by itself; a student's malformed packets must not fill ours.
Log.setLevel(AV_LOG_QUIET);

/** An opened codec of FFmpeg's. Throws when this build of FFmpeg has no such codec or refuses an option. */
export function openCodec(codec: Codec | null, configure: (context: CodecContext) => void): CodecContext {
  const context = new CodecContext();
  try {
    context.allocContext3(codec);
    configure(context);
    FFmpegError.throwIfError(context.open2Sync(codec), 'open codec');
    return context;
  } catch (error) {
    context.freeContext();
    throw error;
  }
}

/** Sets a private option of the codec; an unknown one throws instead of being forgotten. */
export function setOptions(context: CodecContext, options: Readonly<Record<string, string | number>>): void {
  for (const [name, value] of Object.entries(options)) {
    FFmpegError.throwIfError(context.setOption(name, String(value)), `set option ${name}`);
  }
}

import { useCallback, useEffect, useRef, useState } from 'react';

export type Recording =
  | { readonly status: 'off' }
  | { readonly status: 'refused' }
  | { readonly status: 'ready' }
  | { readonly status: 'counting'; readonly seconds: number }
  | { readonly status: 'recording'; readonly seconds: number };

export interface Recorder {
  readonly recording: Recording;
  /** What the camera sees; null: it is off. */
  readonly stream: MediaStream | null;
  readonly open: () => void;
  readonly record: () => void;
  readonly close: () => void;
}

const wanted: MediaStreamConstraints = {
  audio: false,
  video: { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 }, facingMode: 'user' },
};
const countdownSeconds = 3;
const clipSeconds = 10;
/** Enough for a face that keeps still. */
const bitsPerSecond = 6_000_000;

/** Ten seconds of the webcam, without sound. The camera is off again when the clip is there, and when the view is left. */
export function useRecorder(onClip: (clip: Blob) => void): Recorder {
  const [recording, setRecording] = useState<Recording>({ status: 'off' });
  const [stream, setStream] = useState<MediaStream | null>(null);
  /** `asked` counts requests for the camera: one that is answered late finds that it is not wanted any more. */
  const camera = useRef<{ stream: MediaStream | null; asked: number; timer: number }>({ stream: null, asked: 0, timer: 0 });

  const close = useCallback(() => {
    camera.current.asked += 1;
    window.clearInterval(camera.current.timer);
    switchOff(camera.current.stream);
    camera.current.stream = null;
    setStream(null);
    setRecording({ status: 'off' });
  }, []);

  const open = useCallback(() => {
    close();
    const { asked: mine } = camera.current;
    // Absent on plain http.
    const asked = navigator.mediaDevices?.getUserMedia(wanted) ?? Promise.reject(new Error('no camera here'));
    asked.then(
      (found) => {
        if (camera.current.asked !== mine) return switchOff(found);
        camera.current.stream = found;
        setStream(found);
        setRecording({ status: 'ready' });
      },
      () => {
        if (camera.current.asked === mine) setRecording({ status: 'refused' });
      },
    );
  }, [close]);

  const record = useCallback(() => {
    const { stream: source } = camera.current;
    if (source === null) return;
    const take = () => {
      const recorder = recorderOf(source);
      // Unplugged during the countdown, or a browser that cannot record.
      if (recorder === null) {
        close();
        return setRecording({ status: 'refused' });
      }
      const pieces: Blob[] = [];
      recorder.addEventListener('dataavailable', ({ data }) => pieces.push(data));
      recorder.addEventListener('stop', () => {
        if (camera.current.stream !== source) return;
        close();
        onClip(new Blob(pieces, { type: recorder.mimeType }));
      });
      countDown(clipSeconds, (seconds) => (seconds > 0 ? setRecording({ status: 'recording', seconds }) : recorder.stop()));
    };
    const countDown = (from: number, each: (seconds: number) => void) => {
      let seconds = from;
      each(seconds);
      window.clearInterval(camera.current.timer);
      camera.current.timer = window.setInterval(() => {
        seconds -= 1;
        if (seconds === 0) window.clearInterval(camera.current.timer);
        each(seconds);
      }, 1_000);
    };
    countDown(countdownSeconds, (seconds) => (seconds > 0 ? setRecording({ status: 'counting', seconds }) : take()));
  }, [close, onClip]);

  useEffect(() => {
    const held = camera.current;
    return () => {
      held.asked += 1;
      window.clearInterval(held.timer);
      switchOff(held.stream);
      held.stream = null;
    };
  }, []);

  return { recording, stream, open, record, close };
}

function switchOff(stream: MediaStream | null): void {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

/** Recording; null: it cannot. */
function recorderOf(stream: MediaStream): MediaRecorder | null {
  try {
    const recorder = new MediaRecorder(stream, { videoBitsPerSecond: bitsPerSecond });
    recorder.start();
    return recorder;
  } catch {
    return null;
  }
}

import { type ChangeEvent, useCallback, useEffect, useId, useRef, useState } from 'react';
import { Notice } from '../../parts/notice.tsx';
import { useSpeech } from '../../texts/use-language.tsx';
import { type Recorder, useRecorder } from './use-recorder.ts';

/** A file, or what the webcam recorded. */
export interface Clip {
  readonly blob: Blob;
  /** '' for a recording. */
  readonly fileName: string;
}

/** The engine's default; it says so itself where the operator has set another. */
const mostBytes = 500 * 1024 * 1024;
const accepted = 'video/mp4,video/quicktime,video/webm,video/x-matroska,.mkv,image/jpeg,image/png';

export function ClipField({ clip, onClip }: { readonly clip: Clip | null; readonly onClip: (clip: Clip | null) => void }) {
  const { say, number } = useSpeech();
  const fileId = useId();
  const [isTooLarge, setIsTooLarge] = useState(false);
  const recorder = useRecorder(useCallback((blob: Blob) => onClip({ blob, fileName: '' }), [onClip]));
  const onFile = ({ target }: ChangeEvent<HTMLInputElement>) => {
    const [file] = target.files ?? [];
    if (file === undefined) return;
    recorder.close();
    setIsTooLarge(file.size > mostBytes);
    onClip(file.size > mostBytes ? null : { blob: file, fileName: file.name });
  };
  const isOff = recorder.stream === null;
  return (
    <section className="clip" aria-labelledby={`${fileId}-title`}>
      <h3 id={`${fileId}-title`}>{say('clipTitle')}</h3>
      <p>{say('clipHow')}</p>
      <p className="hint">{say('clipWhere')}</p>
      {isOff ? null : <Camera recorder={recorder} />}
      {isOff && clip !== null ? <Chosen clip={clip} /> : null}
      {recorder.recording.status === 'refused' ? <Notice tone="warning">{say('cameraRefused')}</Notice> : null}
      {isTooLarge ? <Notice tone="warning">{say('clipTooLarge')}</Notice> : null}
      {isOff ? (
        <div className="form-actions">
          <button type="button" className="button" onClick={recorder.open}>
            {say(clip?.fileName === '' ? 'retake' : 'useCamera')}
          </button>
          <label className="button file-button" htmlFor={fileId}>
            {say('chooseClip')}
            <input id={fileId} className="visually-hidden" type="file" accept={accepted} onChange={onFile} />
          </label>
        </div>
      ) : null}
      <p className="hint">
        {clip === null || !isOff ? say('clipKinds') : say('clipChosen', { size: `${number(Math.ceil(clip.blob.size / 100_000) / 10)} MB` })}
      </p>
    </section>
  );
}

function Camera({ recorder }: { readonly recorder: Recorder }) {
  const { say } = useSpeech();
  const { recording, stream } = recorder;
  const picture = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    if (picture.current !== null) picture.current.srcObject = stream;
  }, [stream]);
  return (
    <>
      <div className="camera">
        <video ref={picture} className="camera-picture" autoPlay muted playsInline aria-label={say('cameraPicture')} />
        <span className="camera-guide" aria-hidden="true" />
      </div>
      <p className="camera-status" role="status">
        {recording.status === 'counting' ? say('recordingIn', { seconds: recording.seconds }) : null}
        {recording.status === 'recording' ? say('recordingFor', { seconds: recording.seconds }) : null}
      </p>
      <div className="form-actions">
        <button type="button" className="button button-primary" disabled={recording.status !== 'ready'} onClick={recorder.record}>
          {say('startRecording')}
        </button>
        <button type="button" className="button" onClick={recorder.close}>
          {say('stopCamera')}
        </button>
      </div>
    </>
  );
}

function Chosen({ clip: { blob } }: { readonly clip: Clip }) {
  const { say } = useSpeech();
  const [address, setAddress] = useState<string | null>(null);
  useEffect(() => {
    const made = URL.createObjectURL(blob);
    setAddress(made);
    return () => URL.revokeObjectURL(made);
  }, [blob]);
  if (address === null) return null;
  return (
    <div className="camera">
      {blob.type.startsWith('image/') ? (
        <img className="clip-picture" src={address} alt={say('recordedClip')} />
      ) : (
        <video className="clip-picture" src={address} controls muted playsInline aria-label={say('recordedClip')} />
      )}
    </div>
  );
}

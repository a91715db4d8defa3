import type { TutorSession } from '@virtual-tutor/sdk';
import { useMediaStats } from '@virtual-tutor/sdk/react';
import { useEffect, useState } from 'react';
import { closeDialogOf, Dialog } from '../parts/dialog.tsx';
import { Field } from '../parts/field.tsx';
import { useSpeech } from '../texts/use-language.tsx';
import type { Voice } from './use-voice.ts';

interface SettingsProps {
  readonly voice: Voice;
  readonly session: TutorSession;
}

export function VoiceSettings({ voice, session, onClose }: SettingsProps & { readonly onClose: () => void }) {
  const { say } = useSpeech();
  const { mic, media } = voice;
  return (
    <Dialog sheet title={say('voiceSettings')} onClose={onClose}>
      <div className="form voice-settings">
        {media.abilities?.listens === false ? null : (
          <>
            <MicrophoneChoice voice={voice} session={session} />
            <TalkModes voice={voice} />
          </>
        )}
        <Field label={say('settingsVolume')}>
          {(wiring) => (
            <input
              {...wiring}
              type="range"
              min={0}
              max={100}
              step={5}
              value={Math.round(media.volume * 100)}
              onChange={(event) => session.media.setSound({ volume: Number(event.target.value) / 100 })}
            />
          )}
        </Field>
        <Connection session={session} />
        <div className="form-actions">
          {mic.status === 'on' ? (
            <button type="button" className="button" onClick={() => session.media.mic.stop()}>
              {say('micOff')}
            </button>
          ) : null}
          <button
            type="button"
            className="button"
            onClick={({ currentTarget }) => {
              closeDialogOf(currentTarget);
              voice.wish({ inWriting: true });
            }}
          >
            {say('settingsWriting')}
          </button>
        </div>
        <p className="hint">{say('settingsWritingHint')}</p>
      </div>
    </Dialog>
  );
}

function TalkModes({ voice }: { readonly voice: Voice }) {
  const { say } = useSpeech();
  const { mode } = voice.wishes;
  return (
    <fieldset className="choices">
      <legend>{say('settingsMode')}</legend>
      <Choice name="mode" checked={mode === 'open'} hint={say('modeOpenHint')} onChoose={() => voice.wish({ mode: 'open' })}>
        {say('modeOpen')}
      </Choice>
      <Choice name="mode" checked={mode === 'push'} hint={say('modePushHint')} onChoose={() => voice.wish({ mode: 'push' })}>
        {say('modePush')}
      </Choice>
    </fieldset>
  );
}

function Choice({
  name,
  checked,
  hint,
  onChoose,
  children,
}: {
  readonly name: string;
  readonly checked: boolean;
  readonly hint: string;
  readonly onChoose: () => void;
  readonly children: string;
}) {
  return (
    <label className="choice">
      <input type="radio" name={name} checked={checked} onChange={onChoose} />
      <span>
        <span className="choice-name">{children}</span>
        <span className="hint">{hint}</span>
      </span>
    </label>
  );
}

function MicrophoneChoice({ voice, session }: SettingsProps) {
  const { say } = useSpeech();
  const { status, deviceId } = voice.mic;
  const [devices, setDevices] = useState<Awaited<ReturnType<typeof session.media.mic.devices>>>([]);
  // Names are there only once the microphone was allowed.
  useEffect(() => {
    let left = false;
    session.media.mic.devices().then(
      (found) => left || setDevices(found),
      () => undefined,
    );
    return () => {
      left = true;
    };
  }, [session, status]);
  return (
    <Field label={say('settingsMic')}>
      {(wiring) => (
        <select
          {...wiring}
          value={deviceId ?? 'default'}
          onChange={(event) => void session.media.mic.use(event.target.value).catch(() => undefined)}
        >
          {devices.some((device) => device.deviceId === 'default') ? null : <option value="default">{say('defaultMic')}</option>}
          {devices.map((device, at) => (
            <option key={device.deviceId} value={device.deviceId}>
              {device.label === '' ? say('unnamedMic', { number: at + 1 }) : device.label}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

function Connection({ session }: { readonly session: TutorSession }) {
  const { say, number } = useSpeech();
  const stats = useMediaStats(session);
  if (stats === null) return null;
  const { rttMs, lossRatio, fps, bitrate } = stats;
  const facts = [
    [say('factRelay'), say('viaRelay')],
    [say('factRtt'), rttMs === null ? '–' : `${number(Math.round(rttMs))} ms`],
    [say('factLoss'), lossRatio === null ? '–' : `${number(Math.round(lossRatio * 1000) / 10)} %`],
    [say('factFps'), fps === null ? '–' : number(Math.round(fps))],
    [say('factBitrate'), bitrate === null ? '–' : `${number(Math.round(bitrate / 1000))} kbit/s`],
  ] as const;
  return (
    <section aria-label={say('connectionFacts')}>
      <dl className="facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

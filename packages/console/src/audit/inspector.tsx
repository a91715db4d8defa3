import type { AuditedEvent, TutorClient } from '@virtual-tutor/sdk';
import { type KeyboardEvent, type ReactNode, useId, useRef, useState } from 'react';
import type { TextKey } from '../texts/texts.ts';
import { useSpeech } from '../texts/use-language.tsx';
import { Changes } from './changes.tsx';
import { EventDetails } from './event-details.tsx';
import { Reasons } from './reasons.tsx';
import { StateAt, TranscriptAt } from './state-at.tsx';
import { useStateAt } from './use-state-at.ts';

const tabs = [
  { id: 'transcript', text: 'tabTranscript' },
  { id: 'event', text: 'tabEvent' },
  { id: 'why', text: 'tabWhy' },
  { id: 'changes', text: 'tabDiff' },
  { id: 'state', text: 'tabState' },
] as const satisfies readonly { readonly id: string; readonly text: TextKey }[];
type Tab = (typeof tabs)[number]['id'];

interface InspectorProps {
  readonly client: TutorClient;
  readonly sessionId: string;
  readonly events: readonly AuditedEvent[];
  readonly revision: number;
}

/** Everything about the chosen moment. Tabs after the WAI-ARIA Authoring Practices: arrows move, Tab enters. */
export function Inspector(props: InspectorProps) {
  const { say } = useSpeech();
  const [chosen, setChosen] = useState<Tab>('transcript');
  const list = useRef<HTMLDivElement>(null);
  const id = useId();
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    const at = tabs.findIndex((tab) => tab.id === chosen);
    const next = tabs[(at + step + tabs.length) % tabs.length];
    if (next === undefined) return;
    setChosen(next.id);
    list.current?.querySelector<HTMLElement>(`[data-tab="${next.id}"]`)?.focus();
  };
  return (
    <section className="inspector">
      <div className="tabs" role="tablist" aria-label={say('tabs')} ref={list} onKeyDown={onKeyDown}>
        {tabs.map((tab) => (
          <button
            key={tab.id}
            type="button"
            role="tab"
            id={`${id}-${tab.id}`}
            data-tab={tab.id}
            aria-selected={tab.id === chosen}
            aria-controls={`${id}-panel`}
            tabIndex={tab.id === chosen ? 0 : -1}
            onClick={() => setChosen(tab.id)}
          >
            {say(tab.text)}
          </button>
        ))}
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scroller must be reachable by keyboard */}
      <div className="inspector-panel" role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${chosen}`} tabIndex={0}>
        <Panel tab={chosen} {...props} />
      </div>
    </section>
  );
}

function Panel({ tab, client, sessionId, events, revision }: InspectorProps & { readonly tab: Tab }): ReactNode {
  const state = useStateAt(client, sessionId, revision);
  switch (tab) {
    case 'transcript':
      return <TranscriptAt state={state} />;
    case 'event': {
      const event = events.find((candidate) => candidate.revision === revision);
      return event === undefined ? null : <EventDetails event={event} />;
    }
    case 'why':
      return <Reasons client={client} events={events} revision={revision} />;
    case 'changes':
      return <Changes client={client} sessionId={sessionId} revision={revision} state={state} />;
    case 'state':
      return <StateAt state={state} />;
  }
}
